// Shell text that runs inside a machine: devices and addresses that a restarted container has lost.
#pragma once

#include <string>
#include <vector>

namespace paas::cloud::boot_script {

/// A volume and the loop device that presents it.
struct Device {
  std::string volume_name;
  std::string path;     ///< "/dev/loop3"
  std::string numbers;  ///< "7:3"
};

struct Contents {
  std::string public_address;
  int cgroup_version = 1;
  std::vector<Device> devices;
  std::vector<std::string> reserved_addresses;
};

/// What paas-machine-init runs before systemd.
std::string render(const Contents& contents);

/// The device node and its by-id link, in a machine that runs.
std::string link_volume(const Device& device);
/// Unmounts the volume and takes the node and the link away. Exit status 3: a container on the
/// machine has it mounted; 4: it cannot be unmounted. The reason is printed.
std::string unlink_volume(const Device& device);
std::string add_address(const std::string& address, const std::string& public_address);
std::string remove_address(const std::string& address, const std::string& public_address);

}  // namespace paas::cloud::boot_script
