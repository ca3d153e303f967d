// The API's rate limit as its headers tell it: when nothing remains, wait before asking.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "ports/clock.hpp"
#include "ports/http.hpp"

namespace paas::digitalocean {

/// Safe to use from several threads.
class Limiter {
 public:
  explicit Limiter(Clock& clock);

  /// How long to wait before the next request; zero mostly. Counts the request as sent when it is
  /// zero.
  std::chrono::milliseconds before_request();
  /// Remembers `ratelimit-remaining` and `ratelimit-reset`.
  void learn(const HttpResponse& response);
  /// How long a 429 asks to wait: `retry-after`, else `ratelimit-reset`, else nothing. Bounded.
  std::optional<std::chrono::milliseconds> asked_to_wait(const HttpResponse& response);

 private:
  std::optional<std::chrono::milliseconds> until_reset(const HttpResponse& response);

  Clock& clock_;
  std::mutex mutex_;
  std::optional<std::int64_t> remaining_;
  std::chrono::milliseconds reset_at_{0};  ///< On the monotonic clock, so that a jump does no harm.
};

}  // namespace paas::digitalocean
