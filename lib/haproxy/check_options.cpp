// The options of health checks as HAProxy takes them.
#include "haproxy/check_options.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace paas::haproxy {

std::string check_options(const Backend& backend) {
  constexpr int in_doubt_ms = 500;
  const int fast_ms = std::min(backend.health_interval_ms, in_doubt_ms);
  return fmt::format("check inter {0}ms fastinter {1}ms downinter {1}ms fall 3 rise 2",
                     backend.health_interval_ms, fast_ms);
}

}  // namespace paas::haproxy
