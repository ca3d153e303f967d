// What the cloud has of the stack and the lockfile does not know. Pure.
#pragma once

#include <string>
#include <vector>

#include "lockfile/model.hpp"
#include "observe/model.hpp"

namespace paas::plan {

/// A reserved IP on a droplet of the stack's.
struct StrayAddress {
  std::string ip;
  std::string droplet;  ///< Its name.
};

/// Those that the lockfile neither knows nor has asked for. A droplet is the stack's when the
/// lockfile knows it or when it carries the tag and lies in the lockfile's network.
std::vector<StrayAddress> stray_addresses(const lockfile::Lockfile& lockfile,
                                          const observe::Observed& observed);

/// Volumes that carry the stack's tag.
std::vector<digitalocean::Volume> stray_volumes(const std::string& stack,
                                                const lockfile::Lockfile& lockfile,
                                                const observe::Observed& observed);

}  // namespace paas::plan
