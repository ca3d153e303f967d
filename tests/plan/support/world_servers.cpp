// Steps of a plan inside of servers, carried out on plain values.
#include <fmt/format.h>

#include <algorithm>

#include "lockfile/names.hpp"
#include "plan/balancer.hpp"
#include "plan/container.hpp"
#include "plan/environment.hpp"
#include "plan/firewall.hpp"
#include "plan/releases.hpp"
#include "plan/support/world.hpp"

namespace paas::plan::testing {

/// The inside of a server that is ready to be worked on.
observe::Machine* World::prepared(const Step& step) {
  const auto found = input.observed.servers.find(step.server);
  need(found != input.observed.servers.end(), step, "create_server/" + step.server);
  if (found == input.observed.servers.end()) return nullptr;
  need(found->second.machine.has_value(), step, "prepare_server or power_on_server");
  return found->second.machine ? &*found->second.machine : nullptr;
}

void World::perform_on_server(const Step& step) {
  if (step.kind == StepKind::power_on_server) {
    auto& off = server(step.server);
    off.droplet.status = "active";
    off.machine = asleep_[step.server];
    off.unreachable.clear();
    return;
  }
  if (step.kind == StepKind::tag_server) {
    auto& tags = server(step.server).droplet.tags;
    for (const auto& tag : tags_of(input.stack, step.service)) {
      if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
    }
    return;
  }
  if (step.kind == StepKind::untag_server) {
    untag(step);
    return;
  }
  if (step.kind == StepKind::prepare_server) {
    need(input.observed.servers.contains(step.server), step, "create_server/" + step.server);
    if (!input.observed.servers.contains(step.server)) return;
    need(!lock().servers.at(step.server).private_address.empty(), step, "its address is known");
    auto& inside = server(step.server).machine.emplace();
    if (step.service == "lb") inside.balancer.emplace();
    lock().servers.at(step.server).prepared = true;
    return;
  }
  auto* inside = prepared(step);
  if (inside == nullptr) return;
  if (step.kind == StepKind::attach_volume) {
    attach_volume(step);
  } else if (step.kind == StepKind::send_image) {
    const auto& image = input.images.at(service(step.service).image);
    need(image.digest.has_value(), step, "build_image/" + service(step.service).image);
    if (image.digest) inside->image_digests.insert(*image.digest);
  } else if (step.kind == StepKind::keep_warm) {
    lock().servers.at(step.server).firewalled = true;
  } else if (step.kind == StepKind::run_pre_release) {
    run_pre_release(step);
  } else if (step.kind == StepKind::start_container) {
    start_container(step);
  } else if (step.kind == StepKind::resume_container) {
    auto& entry = lock().servers.at(step.server);
    const auto* current = current_container(*inside, entry);
    for (auto& container : inside->containers) {
      container.state = &container == current ? "running" : "exited";
    }
    if (current != nullptr) entry.release = current->release;
  } else if (step.kind == StepKind::retire_container) {
    retire_container(step);
  } else if (step.kind == StepKind::stop_container) {
    for (auto& container : inside->containers) container.state = "exited";
    inside->mounted_volumes.clear();
  } else {
    inside->hosts = hosts_file(lock());
  }
}

void World::attach_volume(const Step& step) {
  const auto volume = input.observed.volumes.find(step.subject);
  need(volume != input.observed.volumes.end(), step, "create_volume/" + step.subject);
  if (volume == input.observed.volumes.end()) return;
  const auto id = server(step.server).droplet.id;
  for (auto& [name, other] : input.observed.servers) {
    need(name == step.server || !other.machine ||
             !other.machine->mounted_volumes.contains(step.subject),
         step, "stop_container/" + name);
  }
  volume->second.droplet_ids = {id};
  machine(step.server).mounted_volumes.insert(step.subject);
}

int World::release_for(const stack::Service& declared, const std::string& identity) {
  if (const auto made = made_releases_.find(declared.name); made != made_releases_.end()) {
    return made->second;
  }
  auto& releases = lock().services.at(declared.name).releases;
  const auto& image = input.images.at(declared.image);
  if (releases.empty() || input.restart.contains(declared.name) ||
      releases.back().image_digest != image.digest ||
      releases.back().environment_digest != identity) {
    const int number = releases.empty() ? 1 : releases.back().number + 1;
    releases.push_back({number, image.reference, image.digest.value_or(""), identity, ""});
  }
  return made_releases_[declared.name] = releases.back().number;
}

void World::untag(const Step& step) {
  auto& found = server(step.server);
  if (found.machine) {
    const auto wanted = environment_of(input.stack, lock(), service(step.service)).values;
    for (const auto& container : found.machine->containers) {
      if (!holds_port(container)) continue;
      need(container.environment == wanted, step, "retire_container/" + step.server);
    }
  }
  const auto wanted = tags_of(input.stack, step.service);
  std::erase_if(found.droplet.tags, [&](const std::string& tag) {
    return tag.starts_with("paas:zipkick") &&
           std::find(wanted.begin(), wanted.end(), tag) == wanted.end();
  });
}

/// Whether a container of the service's image and environment could run there, and the number of
/// its release.
int World::check_startable(const Step& step) {
  const auto& declared = service(step.service);
  const auto& inside = machine(step.server);
  const auto variables = environment_of(input.stack, lock(), declared);
  need(variables.unknown.empty(), step,
       fmt::format("{} known", fmt::join(variables.unknown, ", ")));
  const auto digest = input.images.at(declared.image).digest.value_or("");
  need(inside.image_digests.contains(digest), step, "send_image/" + step.server);
  const auto wanted = firewall_of(input.stack, lock(), step.service);
  const auto firewall = input.observed.firewalls.find(wanted.name);
  if (firewall == input.observed.firewalls.end()) {
    need(false, step, "create_firewall/" + step.service);
  } else {
    const auto actual = normalised(firewall->second.spec);
    need(actual == with(wanted, old_rules(actual, wanted)), step, "its firewall is right");
  }
  auto tags = server(step.server).droplet.tags;
  for (const auto& tag : tags_of(input.stack, step.service)) {
    need(std::find(tags.begin(), tags.end(), tag) != tags.end(), step, "tag_server/" + step.server);
  }
  for (const auto& link : declared.links) {
    const auto& target = service(link.to);
    if (target.type == stack::ServiceType::web) continue;
    const auto* answering = serving(lock(), link.to);
    const auto seen = answering == nullptr ? input.observed.servers.end()
                                           : input.observed.servers.find(answering->droplet.name);
    const bool up = seen != input.observed.servers.end() && seen->second.machine &&
                    std::any_of(seen->second.machine->containers.begin(),
                                seen->second.machine->containers.end(),
                                [](const auto& other) { return other.state == "running"; });
    need(up, step, "start_container of " + link.to);
  }
  auto identity = variables.values;
  identity[""] = container_shape(input.stack, lock(), declared);
  return release_for(declared, environment_digest(identity));
}

void World::run_pre_release(const Step& step) {
  const int release = check_startable(step);
  const bool is_first = !is_begun(lock(), step.service, release);
  hooks_run.push_back(fmt::format("{} {} on {}", step.service, release, step.server));
  need(is_first, step, "it comes before every container of its release");
}

void World::start_container(const Step& step) {
  const auto& declared = service(step.service);
  auto& inside = machine(step.server);
  auto& entry = lock().servers.at(step.server);
  const int release = check_startable(step);
  if (declared.volume) {
    need(inside.mounted_volumes.contains(lockfile::volume_name(input.stack.name, declared.name)),
         step, "attach_volume/" + step.server);
  }
  if (input.pre_release.contains(step.service) && !is_begun(lock(), step.service, release)) {
    const auto run = fmt::format("{} {} on ", step.service, release);
    need(std::any_of(hooks_run.begin(), hooks_run.end(),
                     [&](const std::string& hook) { return hook.starts_with(run); }),
         step, "run_pre_release/" + step.service);
  }
  const auto variables = environment_of(input.stack, lock(), declared);
  const auto digest = input.images.at(declared.image).digest.value_or("");
  const auto shape = container_shape(input.stack, lock(), declared);
  int slot = 0;
  for (auto& old : inside.containers) {
    if (declared.type != stack::ServiceType::web) {
      old.state = "exited";
    } else if (old.state == "running" && old.slot == 0) {
      slot = 1;
    }
  }
  std::erase_if(inside.containers, [&](const auto& old) { return old.release == release; });
  inside.containers.push_back({container_name(input.stack, declared.name, release), declared.name,
                               release, slot, "running", digest, shape, variables.values});
  inside.hosts = hosts_file(lock());
  if (entry.release != release) entry.previous = entry.release;
  entry.release = release;
  entry.slot = slot;
  if (stores_in_container(declared)) entry.holds_data = true;
}

void World::retire_container(const Step& step) {
  const auto release = lock().servers.at(step.server).release;
  const auto name = rotation_name(step.server, release);
  if (input.stack.lb && service(step.service).type == stack::ServiceType::web) {
    leave_rotation([&](const std::string& entry) {
      return entry.starts_with(step.server + ".r") && entry != name;
    });
  }
  auto& containers = machine(step.server).containers;
  std::erase_if(containers, [&](const auto& container) {
    const auto& declared = service(step.service);
    return (container.service != step.service || container.release != release) &&
           !is_kept(declared, lock().servers.at(step.server), container);
  });
  for (auto& container : containers) {
    if (container.release != release) container.state = "exited";
  }
  lock().servers.at(step.server).holds_data = stores_in_container(service(step.service));
}

}  // namespace paas::plan::testing
