// Reads names, tags, rules and labels back into a lockfile.
#include "plan/rebuild.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "haproxy/configuration.hpp"
#include "haproxy/maintenance.hpp"
#include "lockfile/names.hpp"
#include "lockfile/ownership.hpp"
#include "plan/container.hpp"
#include "plan/environment.hpp"
#include "plan/numbers.hpp"
#include "plan/releases.hpp"
#include "plan/renewal.hpp"
#include "plan/stored_data.hpp"

namespace paas::plan {

namespace {

class Rebuilder {
 public:
  Rebuilder(const lockfile::Lockfile& fresh, const Remains& remains)
      : remains_(remains), stack_(remains.stack), observed_(remains.observed), lock_(fresh) {}

  Result<Rebuilt> rebuild() {
    lock_.applied = stack_;
    take_network();
    take_droplets();
    take_volumes();
    take_firewalls();
    take_address();
    for (auto& [name, server] : lock_.servers) {
      server.holds_data = may_store_data(stack_, observed_, server, machine(name));
    }
    take_hand_settings();
    for (const auto& service : stack_.services) {
      take_ports(service);
      take_releases(service.name);
      take_warm(service);
      take_counts(service.name, service.scale.max);
      take_password(service);
    }
    if (stack_.lb) take_counts("lb", 1);
    settle_servers();
    note_old_keys();
    raise_numbers(stack_.name, observed_, lock_);
    if (!lock_.vpc && lock_.servers.empty() && lock_.volumes.empty() && lock_.firewalls.empty()) {
      return fail(ErrorKind::not_found,
                  fmt::format("nothing of stack {} is found in {}", stack_.name, stack_.region),
                  "see whether the token and the region are the right ones; if nothing was made "
                  "yet, `paasctl up` makes the stack");
    }
    return Rebuilt{std::move(lock_), std::move(notes_)};
  }

 private:
  void take_network();
  void take_droplets();
  void take_droplet(const digitalocean::Droplet& droplet);
  void take_hand_settings();
  void take_volumes();
  void note_untagged(const digitalocean::Volume& volume);
  bool is_held_by_others(const digitalocean::Volume& volume) const;
  bool is_held_by_own(const digitalocean::Volume& volume) const;
  void take_firewalls();
  void take_address();
  bool keeps_data(const std::string& service) const;
  void take_ports(const stack::Service& service);
  void take_releases(const std::string& service);
  void take_warm(const stack::Service& service);
  void take_counts(const std::string& service, int limit);
  void take_password(const stack::Service& service);
  void settle_servers();
  void note_old_keys();
  bool is_own(const digitalocean::Droplet& droplet) const {
    return lock_.vpc && droplet.vpc_id == lock_.vpc->id;
  }
  const observe::Machine* machine(const std::string& server) const;
  std::vector<int> ports_from_firewall(const std::string& firewall, const std::string& tag) const;
  std::string known_password(const stack::Service& service) const;

  const Remains& remains_;
  const stack::Stack& stack_;
  const observe::Observed& observed_;
  lockfile::Lockfile lock_;
  std::vector<std::string> notes_;
};

/// Names of networks are unique in an account's region.
void Rebuilder::take_network() {
  for (const auto& vpc : remains_.vpcs) {
    if (vpc.name != lockfile::vpc_name(stack_.name) || vpc.region != stack_.region) continue;
    lock_.vpc = lockfile::Resource{vpc.name, vpc.id};
    lock_.vpc_range = vpc.ip_range;
  }
}

const observe::Machine* Rebuilder::machine(const std::string& server) const {
  return inside_of(lock_, observed_, server);
}

void Rebuilder::take_droplets() {
  for (const auto& [name, server] : observed_.servers) take_droplet(server.droplet);
  for (const auto& droplet : observed_.namesakes) take_droplet(droplet);
}

void Rebuilder::take_droplet(const digitalocean::Droplet& droplet) {
  const auto parts = lockfile::parse_server_name(stack_.name, droplet.name);
  const auto left = [&](const std::string& why) {
    notes_.push_back(
        fmt::format("droplet {} ({}) is left alone: {}", droplet.name, droplet.id, why));
  };
  if (!parts) return left("its name is no server's");
  if (!is_own(droplet)) return left("it is not in the stack's network");
  if (lock_.servers.contains(droplet.name)) return left("another one has its name");
  lockfile::Server server;
  server.service = parts->service;
  server.number = parts->number;
  server.droplet = {droplet.name, std::to_string(droplet.id)};
  server.public_address = droplet.public_address;
  server.private_address = droplet.private_address;
  server.size = droplet.size;
  server.region = droplet.region;
  server.image = droplet.image_slug.empty() ? std::to_string(droplet.image_id) : droplet.image_slug;
  server.created = droplet.created_at;
  lock_.servers[droplet.name] = std::move(server);
}

/// Whether a droplet that is none of the stack's has it.
bool Rebuilder::is_held_by_others(const digitalocean::Volume& volume) const {
  const auto& holders = volume.droplet_ids;
  return std::any_of(holders.begin(), holders.end(), [&](std::int64_t holder) {
    return std::none_of(lock_.servers.begin(), lock_.servers.end(), [&](const auto& entry) {
      return entry.second.droplet.id == std::to_string(holder);
    });
  });
}

/// Whether a server of the service that it is named after has it.
bool Rebuilder::is_held_by_own(const digitalocean::Volume& volume) const {
  return std::any_of(lock_.servers.begin(), lock_.servers.end(), [&](const auto& entry) {
    const auto& server = entry.second;
    return volume.name == lockfile::volume_name(stack_.name, server.service) &&
           has_volume(stack_, observed_, server);
  });
}

void Rebuilder::take_volumes() {
  const auto prefix = stack_.name + "-";
  for (const auto& [name, volume] : observed_.volumes) {
    const bool is_tagged = lockfile::belongs(volume.tags, stack_.name, lockfile::Intent::none);
    const bool is_free = lockfile::belongs(volume.tags, stack_.name, lockfile::Intent::written);
    if (!is_free || (!is_tagged && !is_held_by_own(volume))) {
      if (is_free) note_untagged(volume);
      continue;
    }
    if (is_held_by_others(volume)) {
      notes_.push_back(
          fmt::format("volume {} is left alone: a droplet that is not in the stack's "
                      "network has it",
                      name));
      continue;
    }
    if (!name.starts_with(prefix)) {
      notes_.push_back(fmt::format("volume {} is left alone: its name is no service's", name));
      continue;
    }
    lock_.volumes[name] = {
        {name, volume.id}, name.substr(prefix.size()), volume.size_gigabytes, volume.region};
  }
}

/// It may be what `up` would make: then `up` refuses, and the data in it may be the stack's.
void Rebuilder::note_untagged(const digitalocean::Volume& volume) {
  for (const auto& service : stack_.services) {
    if (!service.volume || volume.name != lockfile::volume_name(stack_.name, service.name)) {
      continue;
    }
    notes_.push_back(fmt::format(
        "volume {0} is left alone: it has no tag. If it has the data of {1}, `doctl compute tag "
        "apply {2} --resource=do:volume:{3}` and another `paasctl state rebuild --force` take it",
        volume.name, service.name, lockfile::stack_tag(stack_.name), volume.id));
  }
}

void Rebuilder::take_firewalls() {
  for (const auto& [name, firewall] : observed_.firewalls) {
    if (!lockfile::belongs(firewall.spec.tags, stack_.name, lockfile::Intent::none)) continue;
    lock_.firewalls[name.substr(stack_.name.size() + 1)] = {name, firewall.id};
  }
}

/// A reserved IP has no name: its droplet tells whose it is.
void Rebuilder::take_address() {
  for (const auto& ip : observed_.reserved_ips) {
    for (const auto& [name, server] : lock_.servers) {
      if (server.service != "lb" || server.droplet.id != std::to_string(ip.droplet_id)) continue;
      lock_.lb.emplace().reserved_ip = ip.ip;
    }
  }
  if (stack_.lb && !lock_.lb) {
    notes_.emplace_back(
        "no reserved IP is on a load balancer of the stack: `up` makes another one");
  }
}

/// The ports that a firewall opens to servers with that tag, ascending.
std::vector<int> Rebuilder::ports_from_firewall(const std::string& firewall,
                                                const std::string& tag) const {
  std::set<int> ports;
  const auto found = observed_.firewalls.find(firewall);
  if (found == observed_.firewalls.end()) return {};
  for (const auto& rule : found->second.spec.inbound) {
    if (std::find(rule.tags.begin(), rule.tags.end(), tag) == rule.tags.end()) continue;
    if (const auto port = text::to_integer(rule.ports)) ports.insert(static_cast<int>(*port));
  }
  return {ports.begin(), ports.end()};
}

/// "port=8000 slots=20000,20001": the slots in their order.
std::vector<int> slots_in_shape(const std::string& shape) {
  std::vector<int> slots;
  constexpr std::string_view key = "slots=";
  for (const auto& word : text::split(shape, ' ')) {
    if (!word.starts_with(key)) continue;
    for (const auto& number : text::split(word.substr(key.size()), ',')) {
      if (const auto port = text::to_integer(number)) slots.push_back(static_cast<int>(*port));
    }
  }
  return slots;
}

void Rebuilder::take_ports(const stack::Service& service) {
  if (service.type != stack::ServiceType::web) return;
  auto& entry = lock_.services[service.name];
  auto slots = ports_from_firewall(lockfile::firewall_name(stack_.name, service.name),
                                   lockfile::service_tag(stack_.name, "lb"));
  for (const auto& [name, server] : lock_.servers) {
    const auto* inside = machine(name);
    if (inside == nullptr || server.service != service.name) continue;
    for (const auto& container : inside->containers) {
      if (auto own = slots_in_shape(container.shape); own.size() == 2) slots = std::move(own);
    }
  }
  // Of any other number nobody can tell which are in use: `up` gives out new ones.
  if (slots.size() == 2) entry.slots = std::move(slots);
  const auto ports = ports_from_firewall(lockfile::firewall_name(stack_.name, "lb"),
                                         lockfile::client_tag(stack_.name, service.name));
  if (ports.size() == 1) entry.internal_port = ports.front();
}

/// The releases of which there are containers; a server's own is the newest that runs on it.
void Rebuilder::take_releases(const std::string& service) {
  std::map<int, lockfile::Release> releases;
  for (auto& [name, server] : lock_.servers) {
    const auto* inside = machine(name);
    if (inside == nullptr || server.service != service) continue;
    for (const auto& container : inside->containers) {
      if (container.service != service) continue;
      releases[container.release] = release_of(stack_, container);
      if (container.state != "running" || container.release < server.release) continue;
      server.release = container.release;
      server.slot = container.slot;
    }
    // One that stopped is started again, for the data that is in it.
    if (server.release > 0 || !server.holds_data) continue;
    for (const auto& container : inside->containers) {
      if (container.service == service) {
        server.release = std::max(server.release, container.release);
      }
    }
  }
  auto& entry = lock_.services[service];
  for (auto& [number, release] : releases) add_release(entry, std::move(release));
}

/// The load balancer's file has what was told by hand; HAProxy itself may have a canary's weight.
void Rebuilder::take_hand_settings() {
  for (const auto& [name, server] : lock_.servers) {
    const auto* inside = machine(name);
    if (server.service != "lb" || inside == nullptr || !inside->balancer) continue;
    const auto maintenance = haproxy::maintenance_of(inside->balancer->configuration);
    if (lock_.lb) lock_.lb->maintenance = maintenance.value_or(false);
    for (const auto& backend : haproxy::servers_of(inside->balancer->configuration)) {
      for (const auto& entry : backend.servers) {
        const auto found = lock_.servers.find(entry.name.substr(0, entry.name.rfind(".r")));
        if (found == lock_.servers.end() || entry.weight == haproxy::weight_in_rotation) continue;
        found->second.weight = entry.weight;
      }
    }
  }
}

/// Nothing in the cloud marks a server that is kept warm: it is one that has no container. What was
/// not looked at counts as serving, so that there are rather too many than too few.
void Rebuilder::take_warm(const stack::Service& service) {
  int left = service.scale.warm;
  bool is_unknown = false;
  for (auto& [name, server] : lock_.servers) {
    if (server.service != service.name) continue;
    const auto* inside = machine(name);
    is_unknown = is_unknown || inside == nullptr;
    if (left == 0 || inside == nullptr || server.release != 0) continue;
    server.warm = true;
    --left;
  }
  if (left == 0 || !is_unknown) return;
  notes_.push_back(
      fmt::format("servers of {0} that were kept warm are counted as serving: `paasctl scale "
                  "{0}=N` after the next `up` has as many as there were",
                  service.name));
}

/// As many servers as there are. Where there can be one only, it is the one that has the volume,
/// else the newest: a run that replaced it was cut short.
void Rebuilder::take_counts(const std::string& service, int limit) {
  std::vector<lockfile::Server*> servers;
  for (auto& [name, server] : lock_.servers) {
    if (server.service == service && !server.warm) servers.push_back(&server);
  }
  lock_.services[service].count = std::min(static_cast<int>(servers.size()), limit);
  if (limit != 1 || servers.size() < 2) return;
  const auto rank = [&](const lockfile::Server* server) {
    return std::make_pair(has_volume(stack_, observed_, *server), server->number);
  };
  const auto* stays = *std::max_element(
      servers.begin(), servers.end(),
      [&](const auto* left, const auto* right) { return rank(left) < rank(right); });
  for (auto* server : servers) server->leaving = server != stays;
}

/// The password in the environment of a container of the service, where a variable is just that.
std::string Rebuilder::known_password(const stack::Service& service) const {
  for (const auto& [name, server] : lock_.servers) {
    const auto* inside = machine(name);
    if (inside == nullptr || server.service != service.name) continue;
    for (const auto& container : inside->containers) {
      for (const auto& [variable, value] : service.credentials->env) {
        const auto found = container.environment.find(variable);
        if (value == "{password}" && found != container.environment.end()) return found->second;
      }
    }
  }
  return "";
}

/// Whether there is data of the service that goes on being used: on its volume, or on a server that
/// stays.
bool Rebuilder::keeps_data(const std::string& service) const {
  return lock_.volumes.contains(lockfile::volume_name(stack_.name, service)) ||
         std::any_of(lock_.servers.begin(), lock_.servers.end(), [&](const auto& entry) {
           const auto& [name, server] = entry;
           return server.service == service && server.holds_data && machine(name) != nullptr;
         });
}

void Rebuilder::take_password(const stack::Service& service) {
  if (!service.credentials) return;
  auto& entry = lock_.services[service.name];
  const bool has_data = keeps_data(service.name);
  if (!has_data || !service.credentials->set.empty()) {
    if (has_data) renew_password(stack_, observed_, service, lock_);
    notes_.push_back(fmt::format("{} gets a new password with the next `up`", service.name));
    return;
  }
  entry.password = Secret(known_password(service));
  notes_.push_back(
      entry.password.empty()
          ? fmt::format("the data of {} has a password that is lost, and the stack file has no "
                        "credentials.set for it: set the new one of {}_PASSWORD there by hand",
                        service.name, stack::variable_prefix(service.name))
          : fmt::format("{} keeps its password: the stack file has no credentials.set for it",
                        service.name));
}

/// Those whose inside is known stay.
void Rebuilder::settle_servers() {
  std::vector<std::string> replaced;
  std::vector<std::string> holding;
  for (auto& [name, server] : lock_.servers) {
    const auto key = remains_.host_keys.find(name);
    if (machine(name) != nullptr && key != remains_.host_keys.end()) {
      server.host_key = key->second;
      server.prepared = true;
      continue;
    }
    server.leaving = true;
    replaced.push_back(name);
    if (server.holds_data) holding.push_back(name);
  }
  if (replaced.empty()) return;
  const bool is_one = replaced.size() == 1;
  notes_.push_back(
      fmt::format("{} {} not looked at: the next `up` makes {} in {} place and keeps the volumes",
                  fmt::join(replaced, ", "), is_one ? "was" : "were", is_one ? "another" : "others",
                  is_one ? "its" : "their"));
  if (holding.empty()) return;
  notes_.push_back(fmt::format(
      "{} may hold a database's data on {} own disk{}, which is on no volume and goes then: "
      "`paasctl state rebuild --trust-host-keys` keeps what can be looked at",
      fmt::join(holding, ", "), holding.size() == 1 ? "its" : "their",
      holding.size() == 1 ? "" : "s"));
}

/// The next `up` registers another key. Whoever finds the lost lockfile with its seal's key has the
/// private half of this one.
void Rebuilder::note_old_keys() {
  for (const auto& key : remains_.ssh_keys) {
    if (key.name != lockfile::ssh_key_name(stack_.name)) continue;
    notes_.push_back(fmt::format(
        "SSH key {} ({}) of the lost lockfile stays registered in the account: remove it in the "
        "control panel's security settings, or with `doctl compute ssh-key delete {}`",
        key.name, key.id, key.id));
  }
}

}  // namespace

Result<Rebuilt> rebuild(const lockfile::Lockfile& fresh, const Remains& remains) {
  return Rebuilder(fresh, remains).rebuild();
}

}  // namespace paas::plan
