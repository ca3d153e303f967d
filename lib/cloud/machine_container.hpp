// The container that is a machine, as the Engine API takes it, and the seed that its cloud-init
// reads.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cloud/machine_record.hpp"

namespace paas::cloud {

struct MachineContainer {
  std::string cloud;  ///< Of WorldSettings.
  std::string image;
  std::string public_network;
  std::string folder;         ///< On the host; has seed/ and machine/.
  std::string docker_volume;  ///< Becomes /var/lib/docker.
  int cgroup_version = 1;     ///< Of the host, as the engine says.
};

/// The body of POST /containers/create. The VPC's network is connected afterwards, before the first
/// start.
nlohmann::json container_body(const MachineRecord& record, const MachineContainer& options);

/// The NoCloud seed's meta-data: a JSON text, which is YAML too.
std::string seed_meta_data(const MachineRecord& record,
                           const std::vector<std::string>& public_keys);

}  // namespace paas::cloud
