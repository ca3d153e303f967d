// The API's rate limit: counts what was sent, learns from the headers, and says when to wait.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "digitalocean/request_window.hpp"
#include "ports/clock.hpp"
#include "ports/http.hpp"

namespace paas::digitalocean {

/// What a request is counted for: everything is for the hour and the minute of the token, and
/// listing SSH keys (GET /v2/account/keys) has a limit of its own besides.
enum class Quota { general, key_list };

/// The documented limits of one token are 5,000 requests an hour and 250 a minute (5% of the hour),
/// and 10 a minute for listing SSH keys; `ratelimit-limit` tells when a token has more. All of them
/// slide. A limiter that is alone with its token provokes no 429, because it counts its own
/// requests; what others send with the token it learns from `ratelimit-remaining`, and from a 429,
/// after which it begins slowly. Windows are measured on the monotonic clock, so that a jump of the
/// time of day does no harm. Safe to use from several threads.
class Limiter {
 public:
  explicit Limiter(Clock& clock);

  /// The right to send one request; `answered` or `unanswered` gives it back.
  struct Ticket {
    Quota quota = Quota::general;
    std::uint64_t number = 0;
    std::uint64_t ended_before = 0;  ///< Requests that had ended when it was sent.
    std::chrono::milliseconds sent{0};
  };
  enum class Cause {
    refused,  ///< A 429 asked for it.
    minute,   ///< The minute's requests, or those for listing keys, are used up.
    hour,     ///< The hour's requests are used up.
    scarce,   ///< Few of the hour's requests are left; they are spread.
    slow,     ///< Another one uses the token: after a 429 requests come one after another.
  };
  struct Pause {
    std::chrono::milliseconds length{0};
    Cause cause = Cause::refused;
    int left = 0;   ///< Of the hour's requests.
    int limit = 0;  ///< Of the hour.
  };

  /// A ticket, or how long to wait before asking again. The request that a ticket is for counts as
  /// sent.
  std::variant<Ticket, Pause> admit(Quota quota);
  /// Learns from the headers of an answer. After a 429 nothing that its limit concerns is let
  /// through before `retry-after`, else `ratelimit-reset`, plus `jitter`; without either that is
  /// understood, before `jitter`, which must not be zero then.
  void answered(const Ticket& ticket, const HttpResponse& response,
                std::chrono::milliseconds jitter);
  /// Whether an answer says, in a form that is understood, when a request may be sent again.
  bool tells_when(const HttpResponse& response);
  /// No answer came; it may have been counted all the same.
  void unanswered(const Ticket& ticket);

 private:
  std::optional<Pause> pause_for(Quota quota, std::chrono::milliseconds now);
  Pause until_hour_has_room(std::chrono::milliseconds now);
  std::chrono::milliseconds distance(std::chrono::milliseconds now);
  std::chrono::milliseconds scarce_distance(std::chrono::milliseconds now);
  int left(std::chrono::milliseconds now);
  int minute_limit() const;
  void end(const Ticket& ticket, std::chrono::milliseconds now);
  void learn(const Ticket& ticket, const HttpResponse& response, std::chrono::milliseconds now);
  void refuse(const Ticket& ticket, const HttpResponse& response, std::chrono::milliseconds jitter,
              std::chrono::milliseconds now);
  std::optional<std::chrono::milliseconds> until_reset(const HttpResponse& response);

  Clock& clock_;
  std::mutex mutex_;
  RequestWindow hour_{std::chrono::hours(1)};
  RequestWindow minute_{std::chrono::minutes(1)};
  RequestWindow key_lists_{std::chrono::minutes(1)};
  int hour_limit_ = 5000;
  int foreign_ = 0;  ///< Requests of others in the hour, as far as is known.
  std::uint64_t sent_ = 0;
  std::uint64_t ended_ = 0;
  std::uint64_t learned_from_ = 0;  ///< Number of the ticket whose headers were believed last.
  std::chrono::milliseconds reset_at_{0};  ///< When the API forgets its oldest request.
  std::chrono::milliseconds refused_until_{0};
  std::chrono::milliseconds key_lists_refused_until_{0};
  std::optional<std::chrono::milliseconds> last_sent_;
  std::chrono::milliseconds scarce_distance_{0};  ///< As it was computed last.
  std::optional<std::chrono::milliseconds> scarce_distance_at_;
  std::chrono::milliseconds slow_distance_{0};  ///< Between requests, after a 429.
  std::chrono::milliseconds slowed_at_{0};
};

}  // namespace paas::digitalocean
