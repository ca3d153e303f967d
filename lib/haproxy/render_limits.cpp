// What clients may ask for: so many requests in a time, and bodies up to a size.
//
// A client is an IPv4 address, or 64 bits of an IPv6 address: more of one belong to one household
// or server. What is refused counts as well, so a client is answered again once it slows down.
#include <fmt/format.h>

#include <algorithm>

#include "haproxy/render.hpp"

namespace paas::haproxy {

namespace {

using stack::Limit;
using stack::Rule;

/// A limit, and the condition on which it counts.
struct Limited {
  std::string name;       ///< "all", "rule-3"
  std::string condition;  ///< " !own-rate", " { var(txn.rule) -m int 3 }"; nothing: always.
  Limit limit;
};

constexpr std::string_view own_rate = "own-rate";
constexpr std::string_view own_body = "own-body";

bool has_rate(const Rule& rule) { return rule.limit.requests.has_value(); }
bool has_body(const Rule& rule) { return rule.limit.body_bytes.has_value(); }

/// The limits of the rules and what holds for all others, of requests or of bodies. Rules that have
/// one of their own get the ACL `own`, a line each, because a line has 64 words at most.
std::vector<Limited> limits_of(const Setup& setup, bool (*counts)(const Rule&),
                               std::string_view own) {
  std::vector<Limited> result;
  const auto rules = reachable(setup.rules);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (!counts(rules[i])) continue;
    const auto matched = fmt::format(" {{ var(txn.rule) -m int {} }}", i + 1);
    result.push_back({fmt::format("rule-{}", i + 1), matched, rules[i].limit});
  }
  const auto others = result.empty() ? std::string() : fmt::format(" !{}", own);
  result.push_back({"all", others, setup.traffic.limit});
  return result;
}

void render_own(Output out, const Setup& setup, bool (*counts)(const Rule&), std::string_view own) {
  const auto rules = reachable(setup.rules);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (counts(rules[i])) {
      fmt::format_to(out, "    acl {} var(txn.rule) -m int {}\n", own, i + 1);
    }
  }
}

std::string if_any(const std::string& condition) {
  return condition.empty() ? "" : " if" + condition;
}

void render_rates(Output out, const Setup& setup) {
  const auto limits = limits_of(setup, has_rate, own_rate);
  if (setup.traffic.limit.requests) render_own(out, setup, has_rate, own_rate);
  for (const auto& each : limits) {
    if (!each.limit.requests) continue;
    fmt::format_to(out, "    http-request track-sc0 src,ipmask(32,64) table limit.{}{}\n",
                   each.name, if_any(each.condition));
  }
  for (const auto& each : limits) {
    const auto& rate = each.limit.requests;
    if (!rate) continue;
    fmt::format_to(out,
                   "    http-request return status 429 content-type text/plain string "
                   "\"429 Too Many Requests: slow down\\n\" hdr Retry-After {} if{} "
                   "{{ sc0_http_req_rate gt {} }}\n",
                   rate->period_seconds, each.condition, rate->requests);
  }
}

/// A length that is told is believed, because HAProxy takes no more than that. A body that comes
/// without one is only known as far as it is in the buffer: one that fits there is waited for,
/// longer ones pass.
void render_bodies(Output out, const Setup& setup) {
  constexpr std::int64_t buffer_bytes = 15 << 10;
  if (setup.traffic.limit.body_bytes) render_own(out, setup, has_body, own_body);
  for (const auto& each : limits_of(setup, has_body, own_body)) {
    const auto& bytes = each.limit.body_bytes;
    if (!bytes) continue;
    if (*bytes < buffer_bytes) {
      fmt::format_to(out,
                     "    http-request wait-for-body time 10s at-least {} if{} "
                     "!{{ req.fhdr(content-length) -m found }} !{{ req.fhdr(upgrade) -m found }}\n",
                     *bytes + 1, each.condition);
    }
    fmt::format_to(out,
                   "    http-request return status 413 content-type text/plain string "
                   "\"413 Content Too Large: up to {} bytes are taken\\n\" if{} "
                   "{{ req.body_size gt {} }}\n",
                   *bytes, each.condition, *bytes);
  }
}

}  // namespace

bool is_numbered(const std::vector<Rule>& rules) {
  const auto some = reachable(rules);
  return std::any_of(some.begin(), some.end(),
                     [](const Rule& rule) { return rule.limit != Limit{}; });
}

void render_limits(Output out, const Setup& setup) {
  render_rates(out, setup);
  render_bodies(out, setup);
}

void render_limit_tables(Output out, const Setup& setup) {
  for (const auto& each : limits_of(setup, has_rate, own_rate)) {
    const auto& rate = each.limit.requests;
    if (!rate) continue;
    fmt::format_to(out,
                   "\nbackend limit.{0}\n"
                   "    stick-table type ipv6 size 100k expire {1}s store http_req_rate({1}s)\n",
                   each.name, rate->period_seconds);
  }
}

}  // namespace paas::haproxy
