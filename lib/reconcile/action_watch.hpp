// Actions that steps wait for at the same time, read with one request for all of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "digitalocean/client.hpp"
#include "ports/clock.hpp"

namespace paas::reconcile {

/// Safe to use from several threads.
class ActionWatch {
 public:
  ActionWatch(digitalocean::Client& client, Clock& clock, std::chrono::milliseconds freshness)
      : client_(client), clock_(clock), freshness_(freshness) {}

  /// From now on, until `leave`, the action is read together with the others.
  void join(std::int64_t action);
  void leave(std::int64_t action);
  /// The action, which was joined, at most `freshness` old.
  Result<digitalocean::Action> look(std::int64_t action);

 private:
  struct Seen {
    std::chrono::milliseconds read_at{0};
    std::optional<digitalocean::Action> action;
  };
  Status read_together();

  digitalocean::Client& client_;
  Clock& clock_;
  std::chrono::milliseconds freshness_;
  std::mutex mutex_;
  std::map<std::int64_t, Seen> seen_;  ///< Of those that joined.
};

}  // namespace paas::reconcile
