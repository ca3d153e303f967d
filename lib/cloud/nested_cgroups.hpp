// Control groups that a machine's nested Docker Engine leaves behind on the host.
#pragma once

#include <string>
#include <vector>

#include "ports/files.hpp"

namespace paas::cloud {

/// The identifiers of the containers that a nested engine has, read from its data folder on the
/// host.
std::vector<std::string> nested_containers(Files& files, const std::string& data_folder);

/// On cgroup v1 the nested engine makes its containers' groups beside those of the host's own
/// containers (measured: /docker/ID in each hierarchy), and nobody removes them when the machine
/// ends. Groups in use are left alone.
void remove_nested_cgroups(Files& files, const std::vector<std::string>& containers);

}  // namespace paas::cloud
