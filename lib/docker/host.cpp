// Reads DOCKER_HOST.
#include "docker/host.hpp"

#include <fmt/format.h>

namespace paas::docker {

Result<std::string> engine_socket(Environment& environment) {
  const auto host = environment.get("DOCKER_HOST").value_or("");
  if (host.empty()) return "/var/run/docker.sock";
  constexpr std::string_view scheme = "unix://";
  if (host.rfind(scheme, 0) == 0 && host.size() > scheme.size()) {
    return host.substr(scheme.size());
  }
  return fail(ErrorKind::usage, fmt::format("DOCKER_HOST is {}, which is no unix socket", host),
              "set it to unix:///PATH, or unset it for /var/run/docker.sock");
}

}  // namespace paas::docker
