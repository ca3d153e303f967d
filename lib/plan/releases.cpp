// Servers as witnesses: containers are labelled with numbers that are given out once.
#include "plan/releases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "plan/environment.hpp"
#include "plan/wanted.hpp"

namespace paas::plan {

namespace {

constexpr std::size_t releases_kept = 10;

/// The newest that did not fail is what a failed one is taken back to.
bool is_needed(const lockfile::Service& service, const lockfile::Release& release) {
  const auto good = std::find_if(service.releases.rbegin() + 1, service.releases.rend(),
                                 [](const auto& other) { return !other.failed; });
  return release.number == service.pinned ||
         (service.settled && release.number == service.settled->release) ||
         (good != service.releases.rend() && good->number == release.number) ||
         std::any_of(service.releases.begin(), service.releases.end(),
                     [&](const auto& other) { return other.containers_of == release.number; });
}

int newest_release(const lockfile::Lockfile& lockfile, const std::string& service) {
  const auto entry = lockfile.services.find(service);
  if (entry == lockfile.services.end() || entry->second.releases.empty()) return 0;
  return entry->second.releases.back().number;
}

/// The newest container of its service that runs on a server.
const observe::Container* newest_running(const observe::Machine& inside,
                                         const std::string& service) {
  const observe::Container* newest = nullptr;
  for (const auto& container : inside.containers) {
    if (container.service != service || container.state != "running") continue;
    if (newest == nullptr || container.release > newest->release) newest = &container;
  }
  return newest;
}

}  // namespace

bool is_begun(const lockfile::Lockfile& lockfile, const std::string& service, int release) {
  return std::any_of(lockfile.servers.begin(), lockfile.servers.end(), [&](const auto& entry) {
    const auto& server = entry.second;
    return server.service == service && (server.release == release || server.previous == release);
  });
}

const observe::Machine* inside_of(const lockfile::Lockfile& lockfile,
                                  const observe::Observed& observed, const std::string& server) {
  const auto seen = observed.servers.find(server);
  const auto entry = lockfile.servers.find(server);
  if (seen == observed.servers.end() || entry == lockfile.servers.end() || !seen->second.machine ||
      entry->second.droplet.id != std::to_string(seen->second.droplet.id)) {
    return nullptr;
  }
  return &*seen->second.machine;
}

const observe::Container* current_container(const observe::Machine& inside,
                                            const lockfile::Server& server) {
  const bool takes_newest = server.release == 0 && server.holds_data;
  const observe::Container* current = nullptr;
  for (const auto& container : inside.containers) {
    if (container.service != server.service) continue;
    if (container.release == server.release) return &container;
    const auto rank = [](const observe::Container& one) {
      return std::pair(one.state == "running", one.release);
    };
    const bool is_better = current == nullptr || rank(container) > rank(*current);
    if (takes_newest && is_better) current = &container;
  }
  return current;
}

void add_release(lockfile::Service& service, lockfile::Release release) {
  auto& list = service.releases;
  list.push_back(std::move(release));
  for (auto oldest = list.begin(); list.size() > releases_kept && oldest != list.end() - 1;) {
    oldest = is_needed(service, *oldest) ? oldest + 1 : list.erase(oldest);
  }
}

bool holds_port(const observe::Container& container) {
  return container.state == "running" || container.state == "restarting" ||
         container.state == "paused";
}

bool is_kept(const stack::Service& service, const lockfile::Server& server,
             const observe::Container& container) {
  const bool is_replaceable =
      service.type == stack::ServiceType::web || service.type == stack::ServiceType::worker;
  return is_replaceable && !server.holds_data && server.previous != 0 &&
         container.service == service.name && container.release == server.previous;
}

int kept_beside(const lockfile::Lockfile& lockfile, const lockfile::Server& server, int release,
                const std::vector<observe::Container>& there) {
  if (server.release == release) return server.previous;
  const auto can_be_gone_back_to = [&](int number) {
    const auto* found = find_release(lockfile, server.service, number);
    return found != nullptr && !found->failed && number != release;
  };
  if (can_be_gone_back_to(server.release)) return server.release;
  // What it is changed back from failed: what was kept before stays.
  int newest = 0;
  for (const auto& container : there) {
    const bool is_stopped = container.service == server.service && !holds_port(container);
    if (is_stopped && can_be_gone_back_to(container.release)) {
      newest = std::max(newest, container.release);
    }
  }
  return newest;
}

lockfile::Release release_of(const stack::Stack& stack, const observe::Container& container) {
  auto identity = container.environment;
  identity[""] = container.shape;
  const auto* declared = stack::find_service(stack, container.service);
  const auto source = stack.images.find(declared == nullptr ? "" : declared->image);
  return {container.release, source == stack.images.end() ? "" : source->second.pull,
          container.image_digest, environment_digest(identity), ""};
}

bool may_store_on_disk(const observe::Machine& inside) {
  return std::any_of(inside.containers.begin(), inside.containers.end(),
                     [](const observe::Container& container) {
                       return container.shape.find(" volume=") == std::string::npos &&
                              container.shape.find(" slots=") == std::string::npos;
                     });
}

Status check_releases(const lockfile::Lockfile& lockfile, const observe::Observed& observed) {
  for (const auto& [name, server] : lockfile.servers) {
    const auto* inside = inside_of(lockfile, observed, name);
    if (inside == nullptr) continue;
    const auto* container = newest_running(*inside, server.service);
    const int newest = newest_release(lockfile, server.service);
    if (container == nullptr || container->release <= newest) continue;
    return fail(ErrorKind::invalid,
                fmt::format("the lockfile is older than the servers: {} runs release {} of {}, and "
                            "it has numbered releases up to {} only",
                            name, container->release, server.service, newest),
                "nothing was changed: put the newest lockfile back; if it is lost, `paasctl state "
                "accept` goes on from this one, with releases above those that run and with new "
                "passwords");
  }
  return {};
}

void take_running_releases(const stack::Stack& stack, const observe::Observed& observed,
                           lockfile::Lockfile& lockfile) {
  std::map<std::string, std::map<int, lockfile::Release>> unknown;  // By service and number.
  for (auto& [name, server] : lockfile.servers) {
    const auto* inside = inside_of(lockfile, observed, name);
    if (inside == nullptr) continue;
    const auto* declared = stack::find_service(stack, server.service);
    const bool is_database = declared != nullptr && declared->type == stack::ServiceType::db;
    if (is_database && may_store_on_disk(*inside)) server.holds_data = true;
    for (const auto& container : inside->containers) {
      if (container.service != server.service) continue;
      if (container.release <= newest_release(lockfile, server.service)) continue;
      unknown[server.service][container.release] = release_of(stack, container);
    }
    const auto* container = newest_running(*inside, server.service);
    if (container == nullptr || container->release < server.release) continue;
    server.release = container->release;
    server.slot = container->slot;
    // A newer lockfile took it.
    server.warm = false;
  }
  for (auto& [service, releases] : unknown) {
    auto& entry = lockfile.services[service];
    for (auto& [number, release] : releases) add_release(entry, std::move(release));
  }
}

}  // namespace paas::plan
