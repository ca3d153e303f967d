// The options of servers as HAProxy takes them.
#include "haproxy/server_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "haproxy/values.hpp"

namespace paas::haproxy {

std::string server_options(const Backend& backend) {
  constexpr int in_doubt_ms = 500;
  const int fast_ms = std::min(backend.health_interval_ms, in_doubt_ms);
  auto options = fmt::format("check inter {0}ms fastinter {1}ms downinter {1}ms fall 3 rise 2",
                             backend.health_interval_ms, fast_ms);
  if (backend.max_connections) options += fmt::format(" maxconn {}", *backend.max_connections);
  return options;
}

std::string server_line(const Server& server) {
  auto line = fmt::format("server {} {}", server.name, endpoint(server.address, server.port));
  if (server.weight != weight_in_rotation) line += fmt::format(" weight {}", server.weight);
  return line;
}

}  // namespace paas::haproxy
