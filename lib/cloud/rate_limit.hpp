// DigitalOcean's request limits: 5,000 an hour and 250 a minute a token.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "cloud/core.hpp"

namespace paas::cloud::rate_limit {

struct Refusal {
  std::string message;
  /// Only a burst says when to come back.
  std::optional<int> retry_after_seconds;
};

/// Counts the request, and refuses it when limits are enforced and it is one too many.
std::optional<Refusal> count(State& state, const Request& request, UnixTime now);

/// ratelimit-limit, ratelimit-remaining and ratelimit-reset. Where limits are not enforced, the
/// limit is one that is never reached.
std::map<std::string, std::string> headers(const State& state, UnixTime now);

}  // namespace paas::cloud::rate_limit
