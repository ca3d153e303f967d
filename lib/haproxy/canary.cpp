// Compares counters of two groups of servers over the same time.
#include "haproxy/canary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace paas::haproxy {

namespace {

/// Fewer tell nothing.
constexpr std::int64_t answers_min = 20;

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Canary::Canary(std::string backend, std::set<std::string> canaries,
               const std::vector<ServerStatistics>& before)
    : backend_(std::move(backend)), canaries_(std::move(canaries)), before_(before) {}

/// Counters that go backwards were begun anew: HAProxy was reloaded (FACTS.md, case 39).
Canary::Figures Canary::since(const std::vector<ServerStatistics>& now, bool of_canaries) const {
  Figures figures;
  for (const auto& server : now) {
    if (server.backend != backend_ || canaries_.contains(server.server) != of_canaries) continue;
    const auto earlier =
        std::find_if(before_.begin(), before_.end(), [&](const ServerStatistics& candidate) {
          return candidate.backend == backend_ && candidate.server == server.server;
        });
    const bool counts_on = earlier != before_.end() && earlier->responses <= server.responses &&
                           earlier->errors_5xx <= server.errors_5xx;
    const auto answers = server.responses - (counts_on ? earlier->responses : 0);
    figures.answers += answers;
    figures.errors += server.errors_5xx - (counts_on ? earlier->errors_5xx : 0);
    figures.time_ms += server.response_time_ms * answers;
  }
  return figures;
}

Result<std::string> Canary::judge(const std::vector<ServerStatistics>& now) const {
  const auto fresh = since(now, true);
  const auto others = since(now, false);
  const auto errors = share(fresh.errors, fresh.answers);
  const auto errors_of_others = share(others.errors, others.answers);
  const auto time = share(fresh.time_ms, fresh.answers);
  const auto time_of_others = share(others.time_ms, others.answers);
  const auto text = fmt::format(
      "{} answer{}, {:.1f}% with 5xx (others {:.1f}%), {:.0f} ms (others {:.0f} ms)", fresh.answers,
      fresh.answers == 1 ? "" : "s", errors * 100, errors_of_others * 100, time, time_of_others);
  for (const auto& server : now) {
    if (server.backend != backend_ || !canaries_.contains(server.server)) continue;
    if (server.status.starts_with("UP")) continue;
    return fail(ErrorKind::failed, fmt::format("the canary {} is {} ({})", server.server,
                                               server.status, server.check_status));
  }
  if (fresh.answers < answers_min) return text;
  const bool fails_more = errors > errors_of_others * 5 && errors - errors_of_others >= 0.01;
  const bool is_slower =
      others.answers >= answers_min && time > time_of_others * 2 && time - time_of_others >= 50;
  if (!fails_more && !is_slower) return text;
  return fail(ErrorKind::failed, "the canary is worse than what was there before: " + text);
}

}  // namespace paas::haproxy
