// Looks at the provider, the servers and the lockfile from outside.
#include "crash/support/inspection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "crash/support/process.hpp"
#include "haproxy/configuration.hpp"
#include "plan/balancer.hpp"
#include "plan/wanted.hpp"

namespace paas::crash {
namespace {

using Names = std::set<std::string>;

class Inspection {
 public:
  Inspection(World& world, const Expected& expected, lockfile::Lockfile lockfile)
      : world_(world), expected_(expected), lockfile_(std::move(lockfile)) {}

  std::vector<std::string> work() {
    check_servers();
    check_volumes();
    check_resources();
    if (is_up()) {
      check_insides();
      check_balancer();
      check_address();
      check_passwords();
      check_hooks();
    }
    return std::move(found_);
  }

 private:
  const cloud::State& cloud() const { return world_.provider.state; }
  bool is_up() const { return !expected_.servers.empty(); }

  template <typename Value>
  void expect(const Value& actual, const Value& wanted, const std::string& what) {
    if (!(actual == wanted)) {
      found_.push_back(fmt::format("{}: [{}] instead of [{}]", what, fmt::join(actual, " "),
                                   fmt::join(wanted, " ")));
    }
  }
  void expect_count(std::size_t actual, std::size_t wanted, const std::string& what) {
    if (actual != wanted)
      found_.push_back(fmt::format("{} {} instead of {}", actual, what, wanted));
  }
  void expect(bool holds, const std::string& what) {
    if (!holds) found_.push_back(what);
  }

  void check_servers() {
    Names there;
    Names known;
    for (const auto& [id, droplet] : cloud().droplets) {
      there.insert(fmt::format("{}={}{}", droplet.name, id, droplet.leaving ? "(leaving)" : ""));
    }
    std::map<std::string, int> counts;
    int warm = 0;
    for (const auto& [name, server] : lockfile_.servers) {
      known.insert(name + "=" + server.droplet.id);
      ++counts[server.service];
      if (server.warm) ++warm;
      expect(!server.leaving && server.prepared, name + " is not finished");
      expect(server.first_host_key.empty(), name + " keeps its first host key");
      expect(server.host_key == world_.host_keys[name], name + " is known by another host key");
    }
    expect(there, known, "droplets");
    expect(counts == expected_.servers, "other numbers of servers than expected");
    expect(warm == expected_.warm, "another number of servers is kept warm than expected");
    expect(lockfile_.temporary.empty(), "a builder is left");
    expect(cloud().images.empty(), "machine images are left");
  }

  void check_volumes() {
    std::vector<std::string> there;
    for (const auto& [id, volume] : cloud().volumes) {
      there.push_back(volume.name);
      const auto entry = lockfile_.volumes.find(volume.name);
      expect(entry != lockfile_.volumes.end() && entry->second.volume.id == id,
             "the lockfile does not know volume " + volume.name);
      expect(expected_.kept_volume.empty() || expected_.kept_volume == id,
             "another volume than before: data is lost");
      const auto* holder = cloud::find_droplet(cloud(), volume.droplet_id);
      expect((holder != nullptr) == is_up(), "volume " + volume.name + " is at the wrong place");
      if (holder == nullptr || !is_up()) continue;
      expect(world_.insides.machines[holder->name].mounted_volumes.contains(volume.name),
             "volume " + volume.name + " is not mounted");
    }
    expect(there, expected_.volumes, "volumes");
    expect_count(lockfile_.volumes.size(), expected_.volumes.size(), "volumes in the lockfile");
  }

  void check_resources() {
    Names firewalls;
    Names wanted;
    for (const auto& [id, firewall] : cloud().firewalls) firewalls.insert(firewall.name + "=" + id);
    for (const auto& [service, firewall] : lockfile_.firewalls) {
      wanted.insert(firewall.name + "=" + firewall.id);
    }
    expect(firewalls, wanted, "firewalls");
    expect_count(firewalls.size(), expected_.servers.size(), "firewalls");
    const std::size_t one = is_up() ? 1 : 0;
    expect_count(cloud().keys.size(), one, "keys");
    expect_count(cloud().reserved_ips.size(), one, "reserved IPs");
    const auto networks = std::count_if(cloud().vpcs.begin(), cloud().vpcs.end(),
                                        [](const auto& entry) { return !entry.second.is_default; });
    expect_count(static_cast<std::size_t>(networks), one, "networks");
    if (!is_up()) {
      // The stack's own stays on volumes that are kept.
      const std::set<std::string> tags =
          cloud().volumes.empty() ? std::set<std::string>{} : std::set<std::string>{"paas:shop"};
      std::set<std::string> there;
      for (const auto& [name, created] : cloud().tags) there.insert(name);
      expect(there == tags, "tags are there that nothing carries, or volumes have lost theirs");
      expect(!lockfile_.vpc && !lockfile_.ssh_key, "the lockfile still knows a network or a key");
      return;
    }
    expect(lockfile_.vpc && cloud().vpcs.contains(lockfile_.vpc->id), "the network is unknown");
    expect(lockfile_.ssh_key && cloud().keys.contains(std::stoll("0" + lockfile_.ssh_key->key.id)),
           "the key is unknown");
  }

  void check_insides() {
    for (const auto& [name, server] : lockfile_.servers) {
      if (server.service == "lb") continue;
      if (server.warm) {
        check_warm(name, server);
        continue;
      }
      auto containers = world_.insides.machines[name].containers;
      const auto before = std::erase_if(containers, [&](const auto& container) {
        const bool may_be_kept = server.service != "db" && server.previous != 0;
        return may_be_kept && container.release == server.previous && container.state == "exited";
      });
      expect(before <= 1, "more than one container is kept on " + name);
      expect_count(containers.size(), 1, "containers on " + name);
      for (const auto& container : containers) {
        const auto database = container.environment.find("DB_HOST");
        expect(database == container.environment.end() || database->second == database_address(),
               container.name + " has an old address of the database");
        expect(container.state == "running", container.name + " is " + container.state);
        const bool is_kept = expected_.database_is_kept && server.service == "db";
        const int slot = is_kept ? kept_slot : server.slot;
        expect(container.release == server.release && container.slot == slot,
               container.name + " is not the one that the lockfile knows");
      }
      const auto* release = plan::current_release(lockfile_, server.service);
      expect(release != nullptr && plan::containers_of(*release) == server.release,
             name + " does not run the current release");
    }
  }

  /// It has the image of those that serve and no container, and its firewall is seen to.
  void check_warm(const std::string& name, const lockfile::Server& server) {
    const auto& inside = world_.insides.machines[name];
    expect_count(inside.containers.size(), 0, "containers on " + name + ", which is kept warm");
    const auto* release = plan::current_release(lockfile_, server.service);
    expect(release != nullptr && inside.image_digests.contains(release->image_digest),
           name + " is kept warm without the image");
    expect(server.firewalled, name + " is kept warm and may not have its firewall");
  }

  std::string database_address() const {
    for (const auto& [name, server] : lockfile_.servers) {
      if (server.service == "db") return server.private_address;
    }
    return "";
  }

  void check_balancer() {
    for (const auto& [name, server] : lockfile_.servers) {
      if (server.service != "lb") continue;
      const auto& balancer = world_.insides.machines[name].balancer;
      expect(balancer.has_value() && balancer->running, "HAProxy does not run");
      if (!balancer) return;
      std::map<std::string, Names> written;
      std::map<std::string, Names> wanted;
      std::map<std::string, Names> serving;
      for (const auto& backend : haproxy::servers_of(balancer->configuration)) {
        for (const auto& entry : backend.servers) {
          written[backend.name].insert(entry.name);
          const auto weighed = lockfile_.servers.find(entry.name.substr(0, entry.name.rfind(".r")));
          expect(weighed != lockfile_.servers.end() &&
                     entry.weight == plan::weight_of(weighed->second),
                 "HAProxy's file has another weight");
        }
      }
      for (const auto& [other, entry] : lockfile_.servers) {
        if (!lockfile_.services[entry.service].slots.empty() && !entry.warm) {
          const auto entered = fmt::format("{}.r{}", other, entry.release);
          wanted[entry.service].insert(entered);
          if (plan::weight_of(entry) > 0) serving[entry.service].insert(entered);
        }
      }
      expect(written == wanted, "HAProxy's configuration has other servers");
      expect(balancer->in_rotation == serving, "other servers are in rotation");
      expect(balancer->known == wanted, "HAProxy knows other servers");
      expect(balancer->mark == haproxy::mark_of(balancer->configuration), "HAProxy did not reload");
    }
  }

  /// At no moment did anybody run with a password that did not work, and the old one fails now.
  void check_passwords() {
    for (const auto& who : world_.insides.refused) expect(false, who + " was not let in");
    if (!expected_.rotated) return;
    const auto& entry = lockfile_.services["db"];
    expect(!entry.rotation && !entry.password_rotated.empty(), "the rotation is unfinished");
    const reconcile::testing::Logins wanted = {{entry.user, entry.password.reveal()}};
    expect(world_.insides.logins["db"] == wanted, "the database takes other passwords");
  }

  /// No container was started before the hook of its release had ended.
  void check_hooks() {
    for (const auto& who : world_.insides.unprepared) expect(false, who + " came before its hook");
    if (!expected_.hook_has_run) return;
    const auto& run = world_.insides.hooks_run;
    const auto* release = plan::current_release(lockfile_, "web");
    expect(release != nullptr &&
               std::find(run.begin(), run.end(),
                         fmt::format("pre-release web {}", release->number)) != run.end(),
           "the hook of the current release has not run");
  }

  void check_address() {
    for (const auto& [address, reserved] : cloud().reserved_ips) {
      expect(lockfile_.lb && lockfile_.lb->reserved_ip == address, "the reserved IP is unknown");
      const auto* holder = cloud::find_droplet(cloud(), reserved.droplet_id);
      expect(holder != nullptr && lockfile_.servers.contains(holder->name) &&
                 lockfile_.servers[holder->name].service == "lb",
             "the reserved IP is not the load balancer's");
    }
  }

  World& world_;
  const Expected& expected_;
  lockfile::Lockfile lockfile_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> differences(World& world, const Expected& expected) {
  auto lockfile = read_lockfile(world);
  if (!lockfile) return {"the lockfile cannot be read: " + describe(lockfile.error())};
  return Inspection(world, expected, std::move(*lockfile)).work();
}

std::vector<std::string> unknown_costs(World& world) {
  const auto lockfile = read_lockfile(world);
  if (!lockfile) return {"the lockfile cannot be read: " + describe(lockfile.error())};
  std::vector<std::string> found;
  const auto& cloud = world.provider.state;
  for (const auto& [id, droplet] : cloud.droplets) {
    if (droplet.leaving || lockfile->servers.contains(droplet.name)) continue;
    found.push_back(fmt::format("droplet {} ({}) is unknown", droplet.name, id));
  }
  for (const auto& [id, volume] : cloud.volumes) {
    if (!lockfile->volumes.contains(volume.name)) found.push_back(volume.name + " is unknown");
  }
  for (const auto& [address, reserved] : cloud.reserved_ips) {
    const bool is_known = lockfile->lb && (lockfile->lb->reserved_ip == address ||
                                           !lockfile->lb->intended_for.empty());
    if (!is_known) found.push_back(address + " is unknown");
  }
  return found;
}

}  // namespace paas::crash
