// Lists, finds and forgets what a lockfile knows of the cloud.
#include "lockfile/resources.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace paas::lockfile {
namespace {

bool is_meant(const Known& known, const std::string& text, const std::string& stack) {
  return text == address_of(known) || text == known.name ||
         fmt::format("{}-{}", stack, text) == known.name;
}

}  // namespace

std::string address_of(const Known& known) { return fmt::format("{}/{}", known.kind, known.name); }

std::vector<Known> known_resources(const Lockfile& lockfile) {
  std::vector<Known> all;
  if (lockfile.ssh_key)
    all.push_back({"key", lockfile.ssh_key->key.name, lockfile.ssh_key->key.id});
  if (lockfile.vpc) all.push_back({"network", lockfile.vpc->name, lockfile.vpc->id});
  if (lockfile.lb && !lockfile.lb->reserved_ip.empty()) {
    all.push_back({"address", lockfile.lb->reserved_ip, lockfile.lb->reserved_ip});
  }
  for (const auto& [service, firewall] : lockfile.firewalls) {
    all.push_back({"firewall", firewall.name, firewall.id});
  }
  for (const auto& [name, volume] : lockfile.volumes) {
    all.push_back({"volume", name, volume.volume.id});
  }
  for (const auto& [name, server] : lockfile.servers) {
    all.push_back({"server", name, server.droplet.id});
  }
  for (const auto& [name, builder] : lockfile.temporary) {
    all.push_back({"builder", name, builder.id});
  }
  return all;
}

Result<Known> find_resource(const Lockfile& lockfile, const std::string& text) {
  const auto all = known_resources(lockfile);
  const auto stack = lockfile.applied ? lockfile.applied->name : std::string();
  std::vector<Known> meant;
  std::vector<std::string> addresses;
  for (const auto& known : all) {
    addresses.push_back(address_of(known));
    if (is_meant(known, text, stack)) meant.push_back(known);
  }
  if (meant.size() == 1) return meant.front();
  if (meant.empty()) {
    const auto near = text::nearest(text, addresses);
    return fail(ErrorKind::not_found, fmt::format("the lockfile knows no {}", text),
                near ? fmt::format("did you mean {}?", *near)
                     : std::string("`paasctl state show` lists what it knows"));
  }
  addresses.clear();
  for (const auto& known : meant) addresses.push_back(address_of(known));
  return fail(ErrorKind::usage, fmt::format("{} may be any of several", text),
              fmt::format("say {}", fmt::join(addresses, " or ")));
}

Status forget(Lockfile& lockfile, const Known& known) {
  const bool carries_servers = known.kind == "network" || known.kind == "key";
  if (carries_servers && !lockfile.servers.empty()) {
    return fail(
        ErrorKind::invalid,
        fmt::format("{} cannot be forgotten while the lockfile knows servers", address_of(known)),
        "forget the servers first, or take the stack down");
  }
  if (known.kind == "key") lockfile.ssh_key.reset();
  if (known.kind == "network") {
    lockfile.vpc.reset();
    lockfile.vpc_range.clear();
  }
  if (known.kind == "address") {
    lockfile.lb->reserved_ip.clear();
    lockfile.lb->intended_for.clear();
  }
  if (known.kind == "firewall") {
    std::erase_if(lockfile.firewalls,
                  [&](const auto& entry) { return entry.second.name == known.name; });
  }
  if (known.kind == "volume") lockfile.volumes.erase(known.name);
  if (known.kind == "server") lockfile.servers.erase(known.name);
  if (known.kind == "builder") lockfile.temporary.erase(known.name);
  return {};
}

std::string droplet_of_address(const Lockfile& lockfile) {
  const Server* chosen = nullptr;
  for (const auto& [name, server] : lockfile.servers) {
    if (server.service != "lb" || server.droplet.id.empty()) continue;
    const auto rank = [](const Server& one) { return std::pair(!one.leaving, one.number); };
    if (chosen == nullptr || rank(server) > rank(*chosen)) chosen = &server;
  }
  return chosen == nullptr ? "" : chosen->droplet.id;
}

}  // namespace paas::lockfile
