// The public network, those of the VPCs, and reserved addresses that move between machines.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cloud/docker_world.hpp"
#include "cloud/neighbour_announcement.hpp"

namespace paas::cloud {
namespace {

std::string text_at(const nlohmann::json& object, const nlohmann::json::json_pointer& where) {
  const auto value =
      object.is_structured() && object.contains(where) ? object.at(where) : nlohmann::json();
  return value.is_string() ? value.get<std::string>() : "";
}

}  // namespace

std::string DockerWorld::public_network() const {
  return fmt::format("paas-{}-public", settings_.name);
}

std::string DockerWorld::vpc_network(const std::string& vpc_id) const {
  return fmt::format("paas-{}-vpc-{}", settings_.name, vpc_id);
}

Result<std::vector<DockerWorld::Network>> DockerWorld::networks() {
  using nlohmann::operator""_json_pointer;
  PAAS_TRY(const auto list, engine_.networks({cloud_label()}));
  std::vector<Network> found;
  for (const auto& entry : list) {
    const auto range = IpRange::parse(text_at(entry, "/IPAM/Config/0/Subnet"_json_pointer));
    found.push_back(
        {text_at(entry, "/Name"_json_pointer), text_at(entry, "/Labels/paas.vpc"_json_pointer),
         "br-" + text_at(entry, "/Id"_json_pointer).substr(0, 12), range.value_or(IpRange{})});
  }
  return found;
}

Status DockerWorld::ensure_network(const std::string& vpc_id, const std::string& range_text,
                                   Reach reach) {
  const bool is_public = reach == Reach::public_network;
  const std::string name = is_public ? public_network() : vpc_network(vpc_id);
  const auto range = IpRange::parse(range_text);
  if (!range)
    return fail(ErrorKind::invalid, fmt::format("'{}' is no range of addresses", range_text));

  const std::lock_guard lock(networks_mutex_);
  PAAS_TRY(const auto known, networks());
  const auto existing = std::find_if(known.begin(), known.end(),
                                     [&](const Network& network) { return network.name == name; });
  if (existing != known.end()) {
    if (existing->range == *range) return host_network_.block(*range);
    return fail(ErrorKind::exists, fmt::format("the network {} exists with the range {}, not {}",
                                               name, existing->range.text(), range->text()));
  }
  PAAS_CHECK(host_network_.check_free(*range));
  // First the route, then the network: at no time can a packet for the range leave the machine.
  PAAS_CHECK(host_network_.block(*range));
  nlohmann::json labels = {{"paas.cloud", settings_.name}};
  if (!is_public) labels["paas.vpc"] = vpc_id;
  const auto made = engine_.create_network(
      {{"Name", name},
       {"CheckDuplicate", true},
       {"Driver", "bridge"},
       // Docker gives an internal network no default route and forwards nothing in or out of it.
       {"Internal", !is_public},
       {"IPAM", {{"Config", {{{"Subnet", range->text()}, {"Gateway", range->address(1)}}}}}},
       {"Options", {{"com.docker.network.driver.mtu", fmt::format("{}", host_network_.mtu())}}},
       {"Labels", labels}});
  if (made) return {};
  const Status unblocked = host_network_.unblock(*range);
  return fail(made.error(), unblocked ? "creating the network " + name
                                      : "creating the network " + name + " (its route is left)");
}

Status DockerWorld::carry_out(const CreateNetwork& effect) {
  return ensure_network(effect.vpc_id, effect.ip_range, Reach::inside_only);
}

Status DockerWorld::carry_out(const RemoveNetwork& effect) {
  const std::lock_guard lock(networks_mutex_);
  const std::string name = vpc_network(effect.vpc_id);
  PAAS_TRY(const auto known, networks());
  for (const Network& network : known) {
    if (network.name != name) continue;
    PAAS_CHECK(engine_.remove_network(name));
    PAAS_CHECK(host_network_.unblock(network.range));
  }
  return {};
}

Status DockerWorld::announce(const Machine& machine, const std::string& address) {
  PAAS_TRY(const auto known, networks());
  const auto network = std::find_if(known.begin(), known.end(), [&](const Network& candidate) {
    return candidate.name == public_network();
  });
  if (network == known.end()) return fail(ErrorKind::not_found, "the public network is gone");
  PAAS_TRY(const auto inspected,
           engine_.inspect_container_json(container_name(machine.record.droplet_id)));
  const nlohmann::json::json_pointer where("/NetworkSettings/Networks/" + network->name +
                                           "/MacAddress");
  host_network_.forget_neighbour(address);
  return announce_neighbour(network->bridge, address, text_at(inspected, where));
}

Status DockerWorld::carry_out(const AssignAddress& effect) {
  PAAS_TRY(const auto machine, find(effect.droplet_id));
  if (!parse_ipv4(effect.address)) {
    return fail(ErrorKind::invalid, fmt::format("'{}' is no IPv4 address", effect.address));
  }
  const std::lock_guard lock(machine->mutex);
  auto& addresses = machine->record.reserved_addresses;
  if (std::find(addresses.begin(), addresses.end(), effect.address) == addresses.end()) {
    addresses.push_back(effect.address);
  }
  PAAS_CHECK(save(*machine));
  PAAS_CHECK(prepare_boot(*machine));
  PAAS_TRY(const bool running, is_running(effect.droplet_id));
  if (!running) return {};
  PAAS_CHECK(run_inside(effect.droplet_id,
                        boot_script::add_address(effect.address, machine->record.public_address)));
  return announce(*machine, effect.address);
}

Status DockerWorld::carry_out(const UnassignAddress& effect) {
  const auto machine = find(effect.droplet_id);
  if (!machine) return {};  // The address went with its machine.
  const std::lock_guard lock((*machine)->mutex);
  std::erase((*machine)->record.reserved_addresses, effect.address);
  PAAS_CHECK(save(**machine));
  PAAS_CHECK(prepare_boot(**machine));
  host_network_.forget_neighbour(effect.address);
  PAAS_TRY(const bool running, is_running(effect.droplet_id));
  if (!running) return {};
  return run_inside(effect.droplet_id,
                    boot_script::remove_address(effect.address, (*machine)->record.public_address));
}

}  // namespace paas::cloud
