// What a running HAProxy has of what its file says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "haproxy/runtime.hpp"

namespace paas::haproxy {

/// The configuration with the servers, the weights and the maintenance that the statistics tell of:
/// what the file would have to say for HAProxy to start with what it runs. Servers that drain or
/// are in maintenance are on their way out and are left out. Whether the rest of the configuration
/// is the one that runs is told by its mark (mark_in_info).
std::string as_running(std::string_view configuration,
                       const std::vector<ServerStatistics>& statistics);

}  // namespace paas::haproxy
