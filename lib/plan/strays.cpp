// Compares what exists of the stack with what the lockfile knows.
#include "plan/strays.hpp"

#include "lockfile/ownership.hpp"

namespace paas::plan {

namespace {

/// Their names by identifier.
std::map<std::int64_t, std::string> own_droplets(const lockfile::Lockfile& lockfile,
                                                 const observe::Observed& observed) {
  std::map<std::int64_t, std::string> names;
  const auto add = [&](const std::string& name, const digitalocean::Droplet& droplet) {
    const auto known = lockfile.servers.find(name);
    const bool is_known =
        known != lockfile.servers.end() && known->second.droplet.id == std::to_string(droplet.id);
    const bool is_inside =
        lockfile.vpc && !lockfile.vpc->id.empty() && droplet.vpc_id == lockfile.vpc->id;
    if (is_known || is_inside) names[droplet.id] = name;
  };
  for (const auto& [name, server] : observed.servers) add(name, server.droplet);
  for (const auto& droplet : observed.namesakes) add(droplet.name, droplet);
  return names;
}

}  // namespace

std::vector<StrayAddress> stray_addresses(const lockfile::Lockfile& lockfile,
                                          const observe::Observed& observed) {
  const auto droplets = own_droplets(lockfile, observed);
  std::vector<StrayAddress> strays;
  for (const auto& address : observed.reserved_ips) {
    const auto droplet = droplets.find(address.droplet_id);
    if (droplet == droplets.end()) continue;
    const bool is_known =
        lockfile.lb && (lockfile.lb->reserved_ip == address.ip ||
                        lockfile.lb->intended_for == std::to_string(address.droplet_id));
    if (!is_known) strays.push_back({address.ip, droplet->second});
  }
  return strays;
}

std::vector<digitalocean::Volume> stray_volumes(const std::string& stack,
                                                const lockfile::Lockfile& lockfile,
                                                const observe::Observed& observed) {
  std::vector<digitalocean::Volume> strays;
  for (const auto& [name, volume] : observed.volumes) {
    if (lockfile.volumes.contains(name)) continue;
    if (lockfile::belongs(volume.tags, stack, lockfile::Intent::none)) strays.push_back(volume);
  }
  return strays;
}

}  // namespace paas::plan
