// Allowlists for what the load balancer does with all requests.
#include <string>

#include "haproxy/allowlist.hpp"
#include "haproxy/values.hpp"

namespace paas::haproxy {

namespace {

bool is_media_type(std::string_view type) {
  return !type.empty() && type.size() <= name_limit && is_alphanumeric(type.front()) &&
         only(type, "-.+/");
}

/// "10.0.0.0/8", "2001:db8::/32"
bool is_range(std::string_view range) {
  const auto slash = range.find('/');
  const auto prefix = slash == std::string_view::npos ? "0" : range.substr(slash + 1);
  return is_address(range.substr(0, slash)) && !prefix.empty() && prefix.size() <= 3 &&
         prefix.find_first_not_of("0123456789") == std::string_view::npos;
}

Status check_positive(std::string_view what, std::int64_t value) {
  if (value < 1) return refuse(what, std::to_string(value));
  return {};
}

}  // namespace

Status check(const stack::Limit& limit) {
  if (limit.requests) {
    PAAS_CHECK(check_positive("limit of requests", limit.requests->requests));
    PAAS_CHECK(check_positive("period of a limit", limit.requests->period_seconds));
  }
  if (limit.body_bytes) PAAS_CHECK(check_positive("limit of a body", *limit.body_bytes));
  return {};
}

Status check(const stack::Sticky& sticky) {
  PAAS_CHECK(check_positive("time for which clients are known", sticky.keep_seconds));
  const bool is_named = sticky.by != stack::Sticky::By::source;
  // Letters, digits, "-", "_" and ".", of what a cookie's name may have.
  if (is_named && !is_server_name(sticky.name))
    return refuse("name of a cookie or header", sticky.name);
  return {};
}

Status check(const stack::Traffic& traffic) {
  PAAS_CHECK(check(traffic.limit));
  const auto& timeouts = traffic.timeouts;
  for (const int value :
       {timeouts.connect_ms, timeouts.client_ms, timeouts.server_ms, timeouts.request_ms,
        timeouts.keep_alive_ms, timeouts.queue_ms, timeouts.tunnel_ms}) {
    PAAS_CHECK(check_positive("timeout", value));
  }
  // A line of HAProxy's has 64 words and 2048 bytes at most.
  constexpr std::size_t word_limit = 60;
  constexpr std::size_t size_limit = 1900;
  std::size_t size = 0;
  for (const auto& type : traffic.compression) size += type.size() + 1;
  if (traffic.compression.size() > word_limit || size > size_limit) {
    return refuse("number of compressed types", std::to_string(traffic.compression.size()));
  }
  for (const auto& type : traffic.compression) {
    if (!is_media_type(type)) return refuse("compressed type", type);
  }
  if (!traffic.health.empty() && !is_path(traffic.health)) {
    return refuse("health endpoint", traffic.health);
  }
  for (const auto& range : traffic.trusted_proxies) {
    if (!is_range(range)) return refuse("trusted proxy", range);
  }
  return {};
}

}  // namespace paas::haproxy
