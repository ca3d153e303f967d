// Finds out which releases failed, and what brings the ones before back.
#include "plan/take_back.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "plan/planner.hpp"
#include "plan/releases.hpp"
#include "plan/wanted.hpp"
#include "stack/definition.hpp"

namespace paas::plan {

namespace {

bool changes_release(const Step& step) {
  return step.kind == StepKind::send_image || step.kind == StepKind::run_pre_release ||
         step.kind == StepKind::start_container || step.kind == StepKind::add_to_rotation ||
         step.kind == StepKind::let_in || step.kind == StepKind::watch_canary;
}

bool is_replaceable(const lockfile::Lockfile& lockfile, const std::string& service) {
  if (!lockfile.applied) return false;
  const auto* declared = stack::find_service(*lockfile.applied, service);
  return declared != nullptr && (declared->type == stack::ServiceType::web ||
                                 declared->type == stack::ServiceType::worker);
}

bool is_warm(const lockfile::Lockfile& lockfile, const std::string& server) {
  const auto entry = lockfile.servers.find(server);
  return entry != lockfile.servers.end() && entry->second.warm;
}

/// Its current release, where all servers of those it has are at it.
const lockfile::Release* release_of_all(const lockfile::Lockfile& lockfile,
                                        const std::string& service) {
  const auto* release = current_release(lockfile, service);
  if (release == nullptr || !is_replaceable(lockfile, service)) return nullptr;
  bool has_servers = false;
  for (const auto& [name, server] : lockfile.servers) {
    if (server.service != service || server.leaving || server.warm) continue;
    if (server.release != containers_of(*release)) return nullptr;
    has_servers = true;
  }
  return has_servers ? release : nullptr;
}

/// Whether the server's container runs, alone.
bool is_whole(const observe::Machine& inside, const lockfile::Server& server) {
  const auto* current = current_container(inside, server);
  return current != nullptr && current->state == "running" &&
         std::none_of(inside.containers.begin(), inside.containers.end(),
                      [&](const observe::Container& container) {
                        return &container != current && container.service == server.service &&
                               holds_port(container);
                      });
}

bool is_whole(const lockfile::Lockfile& lockfile, const observe::Observed& observed,
              const std::string& service) {
  bool was_looked_at = false;
  for (const auto& [name, server] : lockfile.servers) {
    const auto* inside = inside_of(lockfile, observed, name);
    if (server.service != service || server.leaving || server.warm || inside == nullptr) continue;
    if (!is_whole(*inside, server)) return false;
    was_looked_at = true;
  }
  return was_looked_at;
}

lockfile::Settled settled_at(const lockfile::Service& service, const lockfile::Release& release) {
  return {release.number, service.releases.back().number, service.pinned, service.image};
}

}  // namespace

void note_settled(const lockfile::Lockfile& loaded, const observe::Observed& observed,
                  lockfile::Lockfile& lockfile) {
  for (const auto& [name, service] : loaded.services) {
    const auto* release = release_of_all(loaded, name);
    if (release == nullptr || !is_whole(loaded, observed, name)) continue;
    const auto entry = lockfile.services.find(name);
    if (entry != lockfile.services.end()) entry->second.settled = settled_at(service, *release);
  }
}

void note_all_settled(lockfile::Lockfile& lockfile) {
  for (auto& [name, service] : lockfile.services) {
    const auto* release = release_of_all(lockfile, name);
    if (release == nullptr) continue;
    service.settled = settled_at(service, *release);
    for (auto& known : service.releases) {
      if (known.number != release->number || known.definition) continue;
      known.definition =
          stack::definition_of(*lockfile.applied, *stack::find_service(*lockfile.applied, name));
    }
  }
}

std::map<std::string, int> releases_to_take_back(const lockfile::Lockfile& lockfile,
                                                 const std::vector<Step>& failed) {
  std::map<std::string, int> result;
  for (const auto& step : failed) {
    if (!changes_release(step) || !is_replaceable(lockfile, step.service)) continue;
    // What serves nobody is no reason to take back what serves.
    if (is_warm(lockfile, step.server)) continue;
    const auto& service = lockfile.services.at(step.service);
    const auto* current = current_release(lockfile, step.service);
    if (!service.settled || current == nullptr) continue;
    const bool is_new =
        current->number != service.settled->release || service.pinned != service.settled->pinned;
    if (is_new && check_release(lockfile, step.service, service.settled->release)) {
      result[step.service] = service.settled->release;
    }
  }
  return result;
}

void note_failed(const std::map<std::string, int>& services, lockfile::Lockfile& lockfile) {
  for (const auto& [name, number] : services) {
    auto& service = lockfile.services.at(name);
    service.pinned = service.settled->pinned;
    service.image = service.settled->image;
    for (auto& release : service.releases) {
      if (release.number > service.settled->newest) release.failed = true;
    }
  }
}

void keep_only(const std::map<std::string, int>& services, const lockfile::Lockfile& before,
               Plan& plan) {
  const auto is_balancers = [](const Step& step) {
    return step.kind == StepKind::prepare_balancer || step.kind == StepKind::configure_balancer;
  };
  std::set<std::string> dropped;
  std::erase_if(plan.steps, [&](const Step& step) {
    const bool is_theirs = changes_release(step) || step.kind == StepKind::retire_container ||
                           step.kind == StepKind::remove_from_rotation;
    // One that is new may be what fails: the next run tries it again.
    const auto server = before.servers.find(step.server);
    const bool is_new =
        !step.server.empty() && (server == before.servers.end() || server->second.release == 0);
    const bool is_kept =
        is_balancers(step) || (is_theirs && !is_new && services.contains(step.service));
    if (!is_kept) dropped.insert(step.id);
    return !is_kept;
  });
  // Rules that wait for what is not done now would lead to where nobody answers.
  std::erase_if(plan.steps, [&](const Step& step) {
    return is_balancers(step) &&
           std::any_of(step.after.begin(), step.after.end(),
                       [&](const std::string& id) { return dropped.contains(id); });
  });
  plan.steps = ordered(std::move(plan.steps));
  plan.losses.clear();
}

}  // namespace paas::plan
