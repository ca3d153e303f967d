// A world that carries out nothing: droplets are records, for tests of scale and of faults.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "cloud/machines.hpp"
#include "ports/clock.hpp"

namespace paas::cloud {

/// How long this world pretends to be busy, on its clock.
struct MetadataDelays {
  std::chrono::milliseconds machine{0};  ///< Creating, destroying, power, snapshots.
  std::chrono::milliseconds other{0};
};

class MetadataWorld : public World {
 public:
  explicit MetadataWorld(Clock& clock, MetadataDelays delays = {});

  Result<ServiceAddresses> start() override;
  EffectDone apply(const Effect& effect) override;
  void watch(std::function<void(std::int64_t droplet_id, bool running)> on_change) override;
  Status stop() override;
  Result<int> running_machines() override;
  Status purge() override;

  /// What was asked of it, in the order it began; only kept when record() was called.
  void record();
  std::vector<Effect> applied() const;
  /// Lets the next effects that touch this droplet or volume fail with `error`; "" ends that.
  void fail_subject(const std::string& order_key, const std::string& error);
  /// As if the machine ended or came back by itself.
  void change_machine(std::int64_t droplet_id, bool running);

 private:
  Clock& clock_;
  MetadataDelays delays_;
  mutable std::mutex mutex_;
  bool recording_ = false;
  std::vector<Effect> applied_;
  std::map<std::string, std::string> failures_;
  std::function<void(std::int64_t, bool)> on_change_;
};

}  // namespace paas::cloud
