// Collects the provider's lists and the servers' insides into one value.
#include "observe/observe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "base/parallel.hpp"
#include "lockfile/names.hpp"
#include "lockfile/ownership.hpp"

namespace paas::observe {

namespace {

/// Lists that do not depend on each other are fetched side by side.
struct Lists {
  Result<std::vector<digitalocean::Droplet>> droplets;
  Result<std::vector<digitalocean::Firewall>> firewalls;
  Result<std::vector<digitalocean::Volume>> volumes;
  Result<std::vector<digitalocean::Vpc>> vpcs;
  Result<std::vector<digitalocean::ReservedIp>> reserved_ips;
  Result<std::vector<digitalocean::Snapshot>> snapshots;
};

Result<Lists> fetch(digitalocean::Client& client, const std::string& stack,
                    const std::string& region, digitalocean::Client::Reading reading) {
  Lists lists;
  const std::vector<std::function<void()>> requests = {
      [&] { lists.droplets = client.droplets_by_tag(lockfile::stack_tag(stack), reading); },
      [&] { lists.firewalls = client.firewalls(); },
      [&] { lists.volumes = client.volumes(region); },
      [&] { lists.vpcs = client.vpcs(); },
      [&] { lists.reserved_ips = client.reserved_ips(); },
      [&] { lists.snapshots = client.droplet_snapshots(); },
  };
  run_side_by_side(requests.size(), static_cast<int>(requests.size()),
                   [&](std::size_t index) { requests[index](); });
  PAAS_CHECK(lists.droplets);
  PAAS_CHECK(lists.firewalls);
  PAAS_CHECK(lists.volumes);
  PAAS_CHECK(lists.vpcs);
  PAAS_CHECK(lists.reserved_ips);
  PAAS_CHECK(lists.snapshots);
  return lists;
}

/// Whether a droplet has a server's name and is another one: names are not unique.
bool is_namesake(const digitalocean::Droplet& droplet, const lockfile::Lockfile& lockfile,
                 const std::string& stack) {
  const auto known = lockfile.servers.find(droplet.name);
  if (known == lockfile.servers.end()) return false;
  const auto& id = known->second.droplet.id;
  return id.empty() ? !is_ours(droplet, lockfile, stack) : id != std::to_string(droplet.id);
}

/// Its server's name by the identifier of a droplet: somebody may have called that something else.
std::map<std::string, std::string> names_by_id(const lockfile::Lockfile& lockfile) {
  std::map<std::string, std::string> names;
  for (const auto& [name, server] : lockfile.servers) {
    if (!server.droplet.id.empty()) names[server.droplet.id] = name;
  }
  return names;
}

/// Those of the lockfile under their servers' names, the others under their own.
void add_tagged(std::vector<digitalocean::Droplet> droplets, const lockfile::Lockfile& lockfile,
                const std::string& stack, Observed& observed) {
  const auto known = names_by_id(lockfile);
  for (auto& droplet : droplets) {
    if (const auto entry = known.find(std::to_string(droplet.id)); entry != known.end()) {
      observed.servers[entry->second].droplet = std::move(droplet);
      continue;
    }
    const auto name = droplet.name;
    if (is_namesake(droplet, lockfile, stack) || observed.servers.contains(name)) {
      observed.namesakes.push_back(std::move(droplet));
      continue;
    }
    observed.servers[name].droplet = std::move(droplet);
  }
}

/// One that is not found is left out.
Status add_by_id(digitalocean::Client& client, const std::string& name, const std::string& id,
                 Observed& observed) {
  auto droplet = client.droplet(std::stoll(id));
  if (droplet) {
    observed.servers[name].droplet = std::move(*droplet);
  } else if (droplet.error().kind != ErrorKind::not_found) {
    return fail(droplet.error());
  }
  return {};
}

/// A tag applies late and can be taken away by hand, so absence from the tagged list proves
/// nothing: servers of the lockfile that it lacks are asked for one by one.
Status add_missing(digitalocean::Client& client, const lockfile::Lockfile& lockfile,
                   const std::string& stack, Observed& observed) {
  for (const auto& [name, server] : lockfile.servers) {
    if (observed.servers.contains(name)) continue;
    if (const auto id = server.droplet.id; !id.empty()) {
      PAAS_CHECK(add_by_id(client, name, id, observed));
      continue;
    }
    PAAS_TRY(auto found, client.droplets_by_name(name));
    for (auto& droplet : found) {
      if (is_ours(droplet, lockfile, stack)) observed.servers[name].droplet = std::move(droplet);
    }
  }
  return {};
}

/// Servers whose droplets were accepted, that no run has seen, and that are not found now.
std::vector<std::string> awaited_servers(const lockfile::Lockfile& lockfile,
                                         const Observed& observed) {
  std::vector<std::string> names;
  for (const auto& [name, server] : lockfile.servers) {
    if (lockfile::is_awaited(server) && !observed.servers.contains(name)) names.push_back(name);
  }
  return names;
}

/// Many are looked for with one list; each is asked for itself before it is given up.
Status look_for_awaited(digitalocean::Client& client, const lockfile::Lockfile& lockfile,
                        const std::string& stack, const Options& options, Observed& observed) {
  constexpr std::size_t few = 10;
  auto names = awaited_servers(lockfile, observed);
  if (names.empty() || options.clock == nullptr) return {};
  if (options.on_wait) {
    options.on_wait(fmt::format("{} {} accepted and not seen yet: looking", fmt::join(names, ", "),
                                names.size() == 1 ? "was" : "were"));
  }
  const auto deadline = options.clock->monotonic() + options.grace;
  for (bool is_last = false; !names.empty() && !is_last;
       names = awaited_servers(lockfile, observed)) {
    PAAS_CHECK(options.clock->wait(options.poll));
    is_last = options.clock->monotonic() >= deadline;
    if (names.size() > few && !is_last) {
      PAAS_TRY(const auto tagged, client.droplets_by_tag(lockfile::stack_tag(stack),
                                                         digitalocean::Client::Reading::glance));
      for (const auto& droplet : tagged) {
        const auto known = lockfile.servers.find(droplet.name);
        if (known == lockfile.servers.end() || is_namesake(droplet, lockfile, stack)) continue;
        observed.servers[droplet.name].droplet = droplet;
      }
      continue;
    }
    for (const auto& name : names) {
      PAAS_CHECK(add_by_id(client, name, lockfile.servers.at(name).droplet.id, observed));
    }
  }
  return {};
}

void look_inside(Machines& machines, const lockfile::Lockfile& lockfile, const std::string& stack,
                 int parallelism, Observed& observed) {
  std::vector<std::pair<const std::string, Server>*> open;
  for (auto& entry : observed.servers) {
    const auto known = lockfile.servers.find(entry.first);
    if (known == lockfile.servers.end() || !known->second.prepared) continue;
    if (entry.second.droplet.status != "active") {
      entry.second.unreachable = fmt::format("its droplet is {}", entry.second.droplet.status);
      continue;
    }
    open.push_back(&entry);
  }
  run_side_by_side(open.size(), parallelism, [&](std::size_t index) {
    auto& [name, server] = *open[index];
    const auto& known = lockfile.servers.at(name);
    auto machine = machines.look(target_of(name, known), stack, known.service == "lb");
    if (machine) {
      server.machine = std::move(*machine);
    } else {
      server.unreachable = describe(machine.error());
      server.refused = machine.error().kind == ErrorKind::unauthorised;
    }
  });
}

}  // namespace

bool is_ours(const digitalocean::Droplet& droplet, const lockfile::Lockfile& lockfile,
             const std::string& stack) {
  return lockfile.vpc && !lockfile.vpc->id.empty() && droplet.vpc_id == lockfile.vpc->id &&
         lockfile::belongs(droplet.tags, stack, lockfile::Intent::written);
}

Target target_of(const std::string& name, const lockfile::Server& server) {
  return {name, server.public_address, server.host_key};
}

Result<Observed> observe(digitalocean::Client& client, Machines& machines,
                         const lockfile::Lockfile& lockfile, const std::string& stack,
                         const std::string& region, const Options& options) {
  PAAS_TRY(auto lists, fetch(client, stack, region, options.reading));
  Observed observed;
  add_tagged(std::move(*lists.droplets), lockfile, stack, observed);
  PAAS_CHECK(add_missing(client, lockfile, stack, observed));
  PAAS_CHECK(look_for_awaited(client, lockfile, stack, options, observed));
  for (auto& firewall : *lists.firewalls) {
    if (firewall.spec.name.starts_with(stack + "-")) {
      const auto name = firewall.spec.name;
      observed.firewalls[name] = std::move(firewall);
    }
  }
  for (auto& volume : *lists.volumes) {
    const bool is_tagged = lockfile::belongs(volume.tags, stack, lockfile::Intent::none);
    if (is_tagged || volume.name.starts_with(stack + "-")) {
      const auto name = volume.name;
      observed.volumes[name] = std::move(volume);
    }
  }
  for (auto& vpc : *lists.vpcs) {
    if (lockfile.vpc && vpc.id == lockfile.vpc->id) observed.vpc = std::move(vpc);
  }
  observed.reserved_ips = std::move(*lists.reserved_ips);
  for (auto& snapshot : *lists.snapshots) {
    if (lockfile::service_of_snapshot(stack, snapshot.name).empty()) continue;
    observed.snapshots.push_back(std::move(snapshot));
  }
  if (!observed.snapshots.empty()) {
    PAAS_TRY(const auto sizes, client.sizes());
    for (const auto& size : sizes) observed.disks_gigabytes[size.slug] = size.disk_gigabytes;
  }
  std::sort(observed.snapshots.begin(), observed.snapshots.end(),
            [](const auto& left, const auto& right) { return left.created_at > right.created_at; });
  if (options.depth == Depth::machines) {
    look_inside(machines, lockfile, stack, options.parallelism, observed);
  }
  return observed;
}

}  // namespace paas::observe
