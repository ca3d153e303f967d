// Writes observed values as JSON in a fixed order, and takes digests of that.
#include "report/plan_basis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "lockfile/keyed_digest.hpp"
#include "lockfile/names.hpp"
#include "lockfile/ownership.hpp"
#include "plan/firewall.hpp"
#include "stack/parse.hpp"

namespace paas::report {

namespace {

using Json = nlohmann::json;

/// The part's name is in it, so that equal values of two parts do not look equal.
std::string digest_of(const std::string& part, std::string_view text, const lockfile::Key& key) {
  return lockfile::keyed_digest(fmt::format("plan {}\n{}", part, text), key);
}

/// Bytes that are not UTF-8 become others, always the same ones.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <typename T>
std::vector<T> sorted(std::vector<T> values) {
  std::sort(values.begin(), values.end());
  return values;
}

Json json_of(const digitalocean::Droplet& droplet) {
  return {{"id", droplet.id},
          {"status", droplet.status},
          {"public_address", droplet.public_address},
          {"private_address", droplet.private_address},
          {"vpc_id", droplet.vpc_id},
          {"region", droplet.region},
          {"size", droplet.size},
          {"tags", sorted(droplet.tags)},
          {"volume_ids", sorted(droplet.volume_ids)}};
}

Json json_of(const observe::Container& container) {
  return {{"name", container.name},       {"service", container.service},
          {"release", container.release}, {"slot", container.slot},
          {"state", container.state},     {"image_digest", container.image_digest},
          {"shape", container.shape},     {"environment", container.environment}};
}

Json json_of(const observe::Balancer& balancer) {
  std::map<std::string, std::string> certificates;
  for (const auto& [name, certificate] : balancer.certificates) {
    certificates[name] = certificate.digest + " " + certificate.shown;
  }
  return {{"running", balancer.running},
          {"configuration", balancer.configuration},
          {"mark", balancer.mark},
          {"certificates", certificates},
          {"listed_certificates", balancer.listed_certificates},
          {"shown_certificates", balancer.shown_certificates},
          {"known", balancer.known}};
}

Json json_of(const observe::Machine& machine) {
  std::map<std::string, Json> containers;
  for (const auto& container : machine.containers) containers[container.name] = json_of(container);
  return {{"containers", containers},
          {"hosts", machine.hosts},
          {"mounted_volumes", machine.mounted_volumes},
          {"balancer", machine.balancer ? json_of(*machine.balancer) : Json()}};
}

Json json_of(const std::vector<digitalocean::FirewallRule>& rules) {
  auto list = Json::array();
  for (const auto& rule : rules) {
    list.push_back({{"protocol", rule.protocol},
                    {"ports", rule.ports},
                    {"addresses", rule.addresses},
                    {"tags", rule.tags},
                    {"droplet_ids", rule.droplet_ids}});
  }
  return list;
}

Json json_of(const digitalocean::Firewall& firewall) {
  const auto spec = plan::normalised(firewall.spec);
  return {{"id", firewall.id},
          {"inbound", json_of(spec.inbound)},
          {"outbound", json_of(spec.outbound)},
          {"tags", spec.tags},
          {"droplet_ids", spec.droplet_ids}};
}

Json json_of(const digitalocean::Volume& volume) {
  return {{"id", volume.id},
          {"size_gigabytes", volume.size_gigabytes},
          {"region", volume.region},
          {"droplet_ids", sorted(volume.droplet_ids)},
          {"tags", sorted(volume.tags)}};
}

Json json_of(const digitalocean::Snapshot& snapshot) {
  return {{"id", snapshot.id},
          {"regions", sorted(snapshot.regions)},
          {"min_disk_gigabytes", snapshot.min_disk_gigabytes}};
}

using Parts = std::map<std::string, Json>;

void add_servers(const observe::Observed& observed, Parts& parts) {
  for (const auto& [name, server] : observed.servers) {
    // What an interrupted `image save --snapshot` left goes before anything is planned.
    if (lockfile::is_builder_name(name)) continue;
    auto& part = parts["server " + name] = json_of(server.droplet);
    part["machine"] = server.machine ? json_of(*server.machine) : Json();
  }
  for (const auto& droplet : observed.namesakes) {
    parts[fmt::format("droplet {} ({})", droplet.name, droplet.id)] = json_of(droplet);
  }
}

/// Names of another stack may begin with this one's.
bool may_be_ours(const std::vector<std::string>& tags, const std::string& stack) {
  return lockfile::belongs(tags, stack, lockfile::Intent::written);
}

/// The account's reserved IPs, as far as they are the stack's.
void add_addresses(const plan::Input& input, Parts& parts) {
  const auto& lb = input.lockfile.lb;
  std::set<std::int64_t> droplets;
  for (const auto& [name, server] : input.observed.servers) droplets.insert(server.droplet.id);
  for (const auto& ip : input.observed.reserved_ips) {
    const bool is_known = lb && !lb->reserved_ip.empty() && ip.ip == lb->reserved_ip;
    if (!is_known && !droplets.contains(ip.droplet_id)) continue;
    parts["reserved IP " + ip.ip] = {{"region", ip.region}, {"droplet_id", ip.droplet_id}};
  }
}

Parts parts_of(const plan::Input& input) {
  Parts parts;
  const auto& observed = input.observed;
  add_servers(observed, parts);
  for (const auto& [name, firewall] : observed.firewalls) {
    if (!may_be_ours(firewall.spec.tags, input.stack.name)) continue;
    parts["firewall " + name] = json_of(firewall);
  }
  for (const auto& [name, volume] : observed.volumes) {
    if (!may_be_ours(volume.tags, input.stack.name)) continue;
    parts["volume " + name] = json_of(volume);
  }
  if (observed.vpc) {
    parts["network " + observed.vpc->name] = {{"id", observed.vpc->id},
                                              {"ip_range", observed.vpc->ip_range}};
  }
  add_addresses(input, parts);
  for (const auto& [name, digest] : input.certificates) parts["certificate " + name] = digest;
  for (const auto& [service, digest] : input.pre_release) parts["hook of " + service] = digest;
  for (const auto& snapshot : observed.snapshots) {
    parts["machine image " + snapshot.name] = json_of(snapshot);
  }
  return parts;
}

}  // namespace

std::string digest_of_stack(const stack::Stack& stack, const Origin& origin) {
  return digest_of("stack", stack::to_json(stack), origin.key);
}

std::string digest_of_lockfile(const Origin& origin) {
  return digest_of("lockfile", origin.lockfile_text, origin.key);
}

Basis basis_of(const plan::Input& input, const Origin& origin) {
  Basis basis;
  basis.stack = digest_of_stack(input.stack, origin);
  basis.lockfile = digest_of_lockfile(origin);
  for (const auto& [part, json] : parts_of(input)) {
    basis.observed[part] = digest_of(part, text_of(json), origin.key);
  }
  return basis;
}

std::vector<std::string> moved_parts(const Basis& before, const Basis& now) {
  std::vector<std::string> sentences;
  for (const auto& [part, digest] : before.observed) {
    const auto found = now.observed.find(part);
    if (found == now.observed.end()) {
      sentences.push_back(part + " is gone");
    } else if (found->second != digest) {
      sentences.push_back(part + " is not as it was");
    }
  }
  for (const auto& [part, digest] : now.observed) {
    if (!before.observed.contains(part)) sentences.push_back(part + " was not there");
  }
  return sentences;
}

}  // namespace paas::report
