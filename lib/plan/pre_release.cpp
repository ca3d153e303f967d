// Plans the hook that runs before a new release, and says what it runs in.
#include "plan/pre_release.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "plan/environment.hpp"
#include "plan/planner.hpp"
#include "plan/releases.hpp"
#include "plan/wanted.hpp"

namespace paas::plan {

std::string pre_release_file(const std::string& service) {
  return "/etc/paas/pre-release." + service;
}

docker::ContainerSpec pre_release_container(const stack::Stack& stack,
                                            const stack::Service& service,
                                            const std::string& server_name,
                                            const ContainerPlan& plan,
                                            const std::map<std::string, std::string>& environment,
                                            const std::string& digest) {
  constexpr auto inside = "/paas-pre-release";
  docker::ContainerSpec spec;
  spec.name = fmt::format("{}-{}-pre-release", stack.name, service.name);
  spec.image = plan.image;
  spec.entrypoint = {inside};
  spec.hostname = server_name;
  spec.labels = {{"paas.stack", ""},
                 {"paas.task", "pre-release " + service.name},
                 {"paas.release", std::to_string(plan.release)},
                 {"paas.image", plan.image_digest},
                 {"paas.hook", digest}};
  for (const auto& [name, value] : environment) spec.environment.push_back(name + "=" + value);
  spec.environment.push_back("PAAS_SERVER=" + server_name);
  spec.environment.push_back(fmt::format("PAAS_RELEASE={}", plan.release));
  spec.environment.push_back("PAAS_CLOUD=" + stack::to_text(stack.cloud));
  spec.mounts = {{"/etc/paas/hosts", "/etc/hosts", true},
                 {pre_release_file(service.name), inside, true}};
  spec.restart_policy = "no";
  return spec;
}

/// Whether the containers that are started now are of a release that no server has begun. One that
/// an interrupted run has numbered is still new.
bool Planner::starts_new_release(const stack::Service& service) const {
  const auto& releases = lock_.services.at(service.name).releases;
  if (releases.empty() || releases.back().failed) return true;
  if (input_.restart.contains(service.name)) return true;
  const auto& newest = releases.back();
  const auto* image = image_of(service);
  if (image == nullptr || image->needs_build || image->digest != newest.image_digest) return true;
  const auto variables = environment_of(stack_, ahead(), service);
  auto identity = variables.values;
  identity[""] = container_shape(stack_, lock_, service);
  return !variables.unknown.empty() || environment_digest(identity) != newest.environment_digest ||
         !is_begun(lock_, service.name, containers_of(newest));
}

/// Where an interrupted run began one, or else on the first of the servers that get the release, as
/// soon as a container of it could start there. A new server may wait for others to have started,
/// so those that are there go before it.
void Planner::plan_pre_release(const stack::Service& service) {
  if (!input_.pre_release.contains(service.name) || input_.held.contains(service.name)) return;
  std::vector<std::string> starting;
  std::vector<std::string> created;
  for (const auto& placed : placed_[service.name]) {
    if (!has_step("start_container/" + placed.name)) continue;
    (placed.created ? created : starting).push_back(placed.name);
  }
  starting.insert(starting.end(), created.begin(), created.end());
  if (starting.empty() || !starts_new_release(service)) return;
  // One that an interrupted run began goes on there, maybe, and no two may run at a time.
  const auto& begun_on = lock_.services.at(service.name).hook_server;
  const auto there = lock_.servers.find(begun_on);
  const bool is_begun = there != lock_.servers.end() && !there->second.leaving;
  const auto& server = is_begun ? begun_on : starting.front();
  const auto& start = step_of("start_container/" + starting.front());
  auto after = ready_steps(service.name);
  for (const auto* kind : {"send_image/", "tag_server/", "prepare_server/", "power_on_server/"}) {
    after.push_back(kind + server);
  }
  after.push_back("create_firewall/" + service.name);
  after.push_back("update_firewall/" + service.name);
  auto& hook = add(StepKind::run_pre_release, service.name, Cause{start.reason, start.cause},
                   std::move(after));
  hook.service = service.name;
  hook.server = server;
  hook.subject = service.name;
  hook.detail = "on " + server;
  const auto id = hook.id;
  for (const auto& name : starting) step_of("start_container/" + name).after.push_back(id);
}

}  // namespace paas::plan
