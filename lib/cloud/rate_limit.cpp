// Counts requests in windows that slide by the second.
#include "cloud/rate_limit.hpp"

#include <algorithm>
#include <numeric>

namespace paas::cloud::rate_limit {
namespace {

constexpr int hourly_limit = 5000;
/// What is told when nobody is refused: more than this machine answers in an hour, so that a client
/// that obeys what remains never waits for it.
constexpr int hourly_limit_unenforced = 100'000'000;
constexpr int minute_limit = 250;
constexpr int key_list_limit = 10;
constexpr UnixTime hour_seconds = 3600;
constexpr UnixTime minute_seconds = 60;

using Requests = std::map<UnixTime, int>;

int requests_since(const Requests& requests, UnixTime since) {
  return std::accumulate(requests.upper_bound(since), requests.end(), 0,
                         [](int sum, const auto& entry) { return sum + entry.second; });
}

/// When enough of the requests in the window have expired to let one through.
int seconds_until_room(const Requests& requests, int limit, UnixTime now) {
  int excess = requests_since(requests, now - minute_seconds) - limit;
  for (auto entry = requests.upper_bound(now - minute_seconds); entry != requests.end(); ++entry) {
    excess -= entry->second;
    if (excess < 0) return static_cast<int>(entry->first + minute_seconds - now);
  }
  return static_cast<int>(minute_seconds);
}

std::optional<Refusal> refusal_of(const RateWindow& window, bool key_list, UnixTime now) {
  if (requests_since(window.requests, now - hour_seconds) >= hourly_limit) {
    return Refusal{"API Rate limit exceeded.", std::nullopt};
  }
  if (requests_since(window.requests, now - minute_seconds) >= minute_limit) {
    return Refusal{"API burst rate limit exceeded.",
                   seconds_until_room(window.requests, minute_limit, now)};
  }
  if (key_list && requests_since(window.key_lists, now - minute_seconds) >= key_list_limit) {
    return Refusal{"API burst rate limit exceeded.",
                   seconds_until_room(window.key_lists, key_list_limit, now)};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> count(State& state, const Request& request, UnixTime now) {
  auto& window = state.rate;
  std::erase_if(window.requests,
                [&](const auto& entry) { return entry.first <= now - hour_seconds; });
  std::erase_if(window.key_lists,
                [&](const auto& entry) { return entry.first <= now - minute_seconds; });
  const bool key_list = request.method == "GET" && request.path == "/v2/account/keys";
  if (state.settings.enforce_rate_limits) {
    if (auto refusal = refusal_of(window, key_list, now)) return refusal;
  }
  ++window.requests[now];
  if (key_list) ++window.key_lists[now];
  return std::nullopt;
}

std::map<std::string, std::string> headers(const State& state, UnixTime now) {
  const auto& requests = state.rate.requests;
  const auto used = requests_since(requests, now - hour_seconds);
  const auto oldest = requests.upper_bound(now - hour_seconds);
  const auto reset = (oldest == requests.end() ? now : oldest->first) + hour_seconds;
  const auto limit = state.settings.enforce_rate_limits ? hourly_limit : hourly_limit_unenforced;
  return {{"ratelimit-limit", std::to_string(limit)},
          {"ratelimit-remaining", std::to_string(std::max(0, limit - used))},
          {"ratelimit-reset", std::to_string(reset)}};
}

}  // namespace paas::cloud::rate_limit
