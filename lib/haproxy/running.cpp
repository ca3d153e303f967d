// Writes statistics as server lines.
#include "haproxy/running.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "haproxy/configuration.hpp"
#include "haproxy/maintenance.hpp"

namespace paas::haproxy {

namespace {

bool leaves(const ServerStatistics& server) {
  return server.status.starts_with("MAINT") || server.status.starts_with("DRAIN");
}

Server server_of(const ServerStatistics& statistics) {
  const auto colon = statistics.address.rfind(':');
  auto address = statistics.address.substr(0, colon);
  if (address.starts_with('[')) address = address.substr(1, address.size() - 2);
  const auto port = colon == std::string::npos
                        ? std::nullopt
                        : text::to_integer(std::string_view(statistics.address).substr(colon + 1));
  return {statistics.server, std::move(address), static_cast<int>(port.value_or(0)),
          static_cast<int>(statistics.weight)};
}

}  // namespace

std::string as_running(std::string_view configuration,
                       const std::vector<ServerStatistics>& statistics) {
  auto text = std::string(configuration);
  for (const auto& backend : servers_of(configuration)) {
    std::vector<Server> servers;
    for (const auto& each : statistics) {
      if (each.backend == backend.name && !leaves(each)) servers.push_back(server_of(each));
    }
    std::sort(servers.begin(), servers.end(),
              [](const Server& left, const Server& right) { return left.name < right.name; });
    text = with_servers(text, backend.name, servers);
  }
  for (const auto& each : statistics) {
    if (each.backend == maintenance_backend) text = with_maintenance(text, each.weight > 0);
  }
  return text;
}

}  // namespace paas::haproxy
