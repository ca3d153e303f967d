// The options of servers as HAProxy takes them.
#include "haproxy/server_options.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace paas::haproxy {

std::string server_options(const Backend& backend) {
  const auto at_most = [&](int limit) { return std::min(backend.health_interval_ms, limit); };
  // One that is added gets its first check after downinter (measured, 2.6.12).
  constexpr int in_doubt_ms = 500;
  constexpr int down_ms = 200;
  auto options = fmt::format("check inter {}ms fastinter {}ms downinter {}ms fall 3 rise 2",
                             backend.health_interval_ms, at_most(in_doubt_ms), at_most(down_ms));
  if (backend.max_connections) options += fmt::format(" maxconn {}", *backend.max_connections);
  return options;
}

}  // namespace paas::haproxy
