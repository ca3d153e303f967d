// Plans what runs on the servers: which containers are made again and why.
#include <fmt/format.h>

#include <algorithm>

#include "lockfile/names.hpp"
#include "plan/container.hpp"
#include "plan/environment.hpp"
#include "plan/planner.hpp"
#include "plan/releases.hpp"
#include "plan/wanted.hpp"

namespace paas::plan {

/// Whether services link to each other, directly or through others.
bool Planner::reaches(const std::string& from, const std::string& to) const {
  std::set<std::string> seen_services;
  std::vector<std::string> open = {from};
  while (!open.empty()) {
    const auto name = open.back();
    open.pop_back();
    if (!seen_services.insert(name).second) continue;
    const auto* service = stack::find_service(stack_, name);
    if (service == nullptr) continue;
    for (const auto& link : service->links) {
      if (link.to == to) return true;
      open.push_back(link.to);
    }
  }
  return false;
}

/// Steps after which what the service links to answers. Web services that link in a circle do not
/// wait for each other.
std::vector<std::string> Planner::ready_steps(const std::string& service) const {
  std::vector<std::string> after;
  const auto* declared = stack::find_service(stack_, service);
  for (const auto& link : declared->links) {
    const auto placed = placed_.find(link.to);
    if (placed == placed_.end()) continue;
    const bool circle = reaches(link.to, service);
    after.push_back("set_password/" + link.to);
    for (const auto& target : placed->second) {
      if (circle) continue;
      after.push_back("power_on_server/" + target.name);
      after.push_back("start_container/" + target.name);
      after.push_back("add_to_rotation/" + target.name);
    }
  }
  // Its address goes into the hosts file of every container.
  if (stack_.lb) after.push_back("create_server/" + placed_.at("lb").front().name);
  return after;
}

Cause Planner::environment_change(const stack::Service& service,
                                  const observe::Container& container) const {
  const auto wanted = environment_of(stack_, ahead(), service);
  std::vector<std::string> names(wanted.unknown.begin(), wanted.unknown.end());
  for (const auto& [name, value] : wanted.values) {
    const auto actual = container.environment.find(name);
    if (actual == container.environment.end() || actual->second != value) names.push_back(name);
  }
  std::erase_if(names, [&](const std::string& name) {
    const auto actual = container.environment.find(name);
    return actual != container.environment.end() &&
           (is_kept_in_container(service, name, actual->second) ||
            is_waiting_for_password(service, name));
  });
  for (const auto& [name, value] : container.environment) {
    if (!wanted.values.contains(name) && !wanted.unknown.contains(name)) names.push_back(name);
  }
  if (names.empty()) return {};
  std::sort(names.begin(), names.end());
  if (const auto cause = rotated_passwords(service, names); !cause.empty()) return cause;
  return change(fmt::format("{} change{}", fmt::join(names, ", "), names.size() == 1 ? "s" : ""));
}

Cause Planner::reason_to_start(const stack::Service& service, const Placed& placed) const {
  if (placed.created) return {placed.reason, "it is new"};
  if (!placed.looked_at) return {};
  if (const auto taken = taken_.find(placed.name); taken != taken_.end()) return taken->second;
  const auto& server = lock_.servers.at(placed.name);
  const auto* container = current_container(*machine(placed.name), server);
  if (container == nullptr) {
    return {server.release == 0 ? Reason::unfinished : Reason::drift,
            fmt::format("no container of {} is on it", service.name)};
  }
  if (container->state != "running" && !keeps_container(service, placed)) {
    return drift(fmt::format("its container is {}", container->state));
  }
  return reason_to_make_again(service, *container);
}

Cause Planner::reason_to_make_again(const stack::Service& service,
                                    const observe::Container& container) const {
  if (const auto asked = input_.restart.find(service.name); asked != input_.restart.end()) {
    return request(asked->second);
  }
  const auto* release = find_release(lock_, service.name, container.release);
  if (release != nullptr && release->failed) {
    return unfinished(fmt::format("release {} failed and is still there", release->number));
  }
  if (const auto* image = image_of(service)) {
    if (image->needs_build) {
      return change(fmt::format("image {} changes: {}", service.image, image->cause));
    }
    if (!image->digest || *image->digest != container.image_digest) {
      return change(fmt::format("image {} changed", service.image));
    }
  }
  if (container.shape != container_shape(stack_, lock_, service)) {
    return change("its port, volume or command changed");
  }
  return environment_change(service, container);
}

/// Whether a container that stopped is started again rather than made again: its data would be lost
/// with it.
bool Planner::keeps_container(const stack::Service& service, const Placed& placed) const {
  return service.type != stack::ServiceType::web &&
         (stores_in_container(service) || lock_.servers.at(placed.name).holds_data);
}

/// Of a container that nothing else has to be done with. One that no release was written down of is
/// awaited as well: the data in it may be all that there is.
Cause Planner::reason_to_resume(const stack::Service& service, const Placed& placed) const {
  if (placed.created || !placed.looked_at || !keeps_container(service, placed)) return {};
  const auto& server = lock_.servers.at(placed.name);
  const auto* container = current_container(*machine(placed.name), server);
  if (container == nullptr) return {};
  if (server.release == 0) {
    return unfinished("an earlier run did not see its container become healthy");
  }
  if (container->state == "running") return {};
  return drift(fmt::format("its container is {}", container->state));
}

void Planner::plan_resume(const stack::Service& service, const Placed& placed, const Cause& cause) {
  auto after = ready_steps(service.name);
  after.push_back("tag_server/" + placed.name);
  after.push_back("create_firewall/" + service.name);
  after.push_back("update_firewall/" + service.name);
  auto& resume = add(StepKind::resume_container, placed.name, cause, after);
  resume.service = service.name;
  resume.server = placed.name;
}

/// What waits for a container to be started waits as well for one that is started again.
void Planner::wait_for_resumed() {
  const std::string started = "start_container/";
  for (auto& step : steps_) {
    const auto count = step.after.size();
    for (std::size_t i = 0; i < count; ++i) {
      if (!step.after[i].starts_with(started)) continue;
      step.after.push_back("resume_container/" + step.after[i].substr(started.size()));
    }
  }
}

void Planner::plan_volume_move(const stack::Service& service, const Placed& placed) {
  if (!service.volume) return;
  const auto volume = lockfile::volume_name(stack_.name, service.name);
  const auto* inside = machine(placed.name);
  const bool recreated = has_step("create_volume/" + volume);
  const auto* applied = input_.lockfile.applied
                            ? stack::find_service(*input_.lockfile.applied, service.name)
                            : nullptr;
  const bool is_new = applied == nullptr || !applied->volume;
  if (!placed.created && !recreated &&
      (inside == nullptr || inside->mounted_volumes.contains(volume))) {
    return;
  }
  std::vector<std::string> after = {"prepare_server/" + placed.name, "create_volume/" + volume,
                                    "resize_volume/" + volume};
  for (const auto& [name, cause] : departures_) {
    const auto& server = lock_.servers.at(name);
    if (server.service != service.name) continue;
    if (seen(name) != nullptr && machine(name) != nullptr && !has_step("stop_container/" + name)) {
      auto& stop =
          add(StepKind::stop_container, name,
              Cause{cause.reason, fmt::format("volume {} moves to {}", volume, placed.name)},
              {"prepare_server/" + placed.name, "send_image/" + placed.name});
      stop.service = service.name;
      stop.server = name;
    }
    after.push_back("stop_container/" + name);
    after.push_back("forget_server/" + name);
  }
  auto& step = add(StepKind::attach_volume, placed.name,
                   placed.created
                       ? Cause{placed.reason, fmt::format("{} keeps its data on it", service.name)}
                       : Cause{is_new ? Reason::change : Reason::drift, "it is not mounted"},
                   after);
  step.service = service.name;
  step.server = placed.name;
  step.subject = volume;
  step.detail = "to " + placed.name;
}

/// The step that brings the service's image there; null when it is there.
Step* Planner::plan_image(const stack::Service& service, const Placed& placed, Reason reason) {
  const auto* image = image_of(service);
  const auto* inside = machine(placed.name);
  const bool present = inside != nullptr && image != nullptr && image->digest &&
                       inside->image_digests.contains(*image->digest);
  if (present) return nullptr;
  auto& send =
      add(StepKind::send_image, placed.name, Cause{reason, "it lacks image " + service.image},
          {"prepare_server/" + placed.name, "build_image/" + service.image,
           "power_on_server/" + placed.name});
  send.service = service.name;
  send.server = placed.name;
  send.detail = service.image;
  return &send;
}

void Planner::plan_container(const stack::Service& service, const Placed& placed,
                             const Cause& cause) {
  const auto* inside = machine(placed.name);
  (void)plan_image(service, placed, cause.reason);
  auto after = ready_steps(service.name);
  for (const auto* kind : {"send_image/", "attach_volume/", "tag_server/", "prepare_server/"}) {
    after.push_back(kind + placed.name);
  }
  after.push_back("create_firewall/" + service.name);
  after.push_back("update_firewall/" + service.name);
  if (stack_.lb && inside != nullptr &&
      std::count_if(inside->containers.begin(), inside->containers.end(), holds_port) > 1) {
    // One of them has to leave the rotation to make room.
    for (auto& id : steps_before_rotation(service.name)) after.push_back(std::move(id));
  }
  auto& start = add(StepKind::start_container, placed.name, cause, after);
  start.service = service.name;
  start.server = placed.name;
  const auto& rotation = lock_.services.at(service.name).rotation;
  if (rotation && rotation->state == lockfile::RotationState::set) {
    // It is made with the password of before, and some dependents have the new one already.
    plan_set_password(service, placed.name, unfinished("its new container takes the old one only"));
  }
  std::vector<std::string> before_retiring = steps_of_old_balancer();
  before_retiring.push_back("start_container/" + placed.name);
  if (service.type == stack::ServiceType::web && stack_.lb && has_backend(service.name)) {
    auto before_rotation = steps_before_rotation(service.name);
    for (const auto& id : {"start_container/" + placed.name, std::string("create_firewall/lb"),
                           std::string("update_firewall/lb")}) {
      before_rotation.push_back(id);
    }
    auto& rotate = add(StepKind::add_to_rotation, placed.name, cause, before_rotation);
    rotate.service = service.name;
    rotate.server = placed.name;
    before_retiring.push_back("add_to_rotation/" + placed.name);
  }
  // On a server that was imported another service may have left some.
  if (inside == nullptr || inside->containers.empty()) return;
  auto& retire = add(StepKind::retire_container, placed.name,
                     Cause{cause.reason, "a newer one takes its place"}, before_retiring);
  retire.service = service.name;
  retire.server = placed.name;
}

void Planner::plan_containers(const stack::Service& service) {
  for (const auto& placed : placed_[service.name]) {
    plan_volume_move(service, placed);
    auto cause = reason_to_start(service, placed);
    if (cause.empty() && has_step("attach_volume/" + placed.name)) {
      cause = drift("its volume was not mounted");
    }
    if (!cause.empty()) {
      plan_container(service, placed, cause);
      continue;
    }
    if (const auto stopped = reason_to_resume(service, placed); !stopped.empty()) {
      plan_resume(service, placed, stopped);
    }
    plan_leftover(service, placed);
  }
}

/// Containers that an earlier run left. The one that shall stay takes over first, so nothing is
/// done while it is unknown whether HAProxy sends it requests.
void Planner::plan_leftover(const stack::Service& service, const Placed& placed) {
  const auto* inside = machine(placed.name);
  if (inside == nullptr) return;
  const auto& server = lock_.servers.at(placed.name);
  const auto* current = current_container(*inside, server);
  const bool leftover =
      std::any_of(inside->containers.begin(), inside->containers.end(),
                  [&](const observe::Container& container) {
                    return &container != current &&
                           !(is_kept(service, server, container) && !holds_port(container));
                  });
  if (!leftover) return;
  auto after = steps_of_old_balancer();
  after.push_back("resume_container/" + placed.name);
  if (service.type == stack::ServiceType::web && stack_.lb) {
    const auto& lb = placed_.at("lb").front();
    if (!lb.created && balancer() == nullptr) return;
    after.push_back("add_to_rotation/" + placed.name);
    for (auto& id : steps_before_rotation(service.name)) after.push_back(std::move(id));
  }
  auto& retire = add(StepKind::retire_container, placed.name,
                     unfinished("an earlier run left it behind"), after);
  retire.service = service.name;
  retire.server = placed.name;
}

}  // namespace paas::plan
