// plan::make: the order in which the parts of a stack are compared.
#include "plan/make.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "plan/planner.hpp"

namespace paas::plan {

Planner::Planner(const Input& input) : input_(input), stack_(input.stack), lock_(input.lockfile) {}

Step& Planner::add(StepKind kind, const std::string& key, std::string cause,
                   std::vector<std::string> after) {
  Step step;
  step.kind = kind;
  step.id = to_text(kind) + "/" + key;
  step.cause = std::move(cause);
  step.after = std::move(after);
  ids_.insert(step.id);
  steps_.push_back(std::move(step));
  return steps_.back();
}

const observe::Server* Planner::seen(const std::string& server) const {
  const auto found = input_.observed.servers.find(server);
  return found == input_.observed.servers.end() ? nullptr : &found->second;
}

const observe::Machine* Planner::machine(const std::string& server) const {
  const auto* found = seen(server);
  return found != nullptr && found->machine ? &*found->machine : nullptr;
}

Status check_found(const lockfile::Lockfile& lockfile, const observe::Observed& observed) {
  std::size_t known = 0;
  for (const auto& [name, server] : lockfile.servers) {
    if (server.leaving || server.droplet.id.empty()) continue;
    if (observed.servers.contains(name)) return {};
    ++known;
  }
  if (known < 2) return {};
  return fail(ErrorKind::invalid,
              fmt::format("none of the {} droplets that the lockfile knows is found", known),
              "nothing was changed: see whether the token is the right one; if all of them were "
              "deleted, `paasctl up --accept-loss` makes new ones and `down --accept-loss` forgets "
              "them");
}

Result<Plan> Planner::make() {
  if (!input_.accept_loss) PAAS_CHECK(check_found(lock_, input_.observed));
  PAAS_CHECK(check_region());
  allocate();
  plan_key();
  plan_vpc();
  std::vector<std::string> roles;
  if (stack_.lb) roles.emplace_back("lb");
  for (const auto& service : stack_.services) roles.push_back(service.name);
  for (const auto& role : roles) PAAS_CHECK(plan_firewall(role));
  plan_images();
  for (const auto& service : stack_.services) PAAS_CHECK(plan_volume(service));
  for (const auto& role : roles) plan_servers(role);
  plan_departures();
  plan_balancer();
  for (const auto& service : stack_.services) plan_containers(service);
  for (const auto& service : stack_.services) plan_rotation(service);
  plan_address();
  plan_stale_rotation();
  plan_hosts();
  plan_leftover_firewalls();
  const auto count = steps_.size();
  Plan plan;
  plan.steps = ordered(std::move(steps_));
  if (plan.steps.size() != count) {
    return fail(ErrorKind::failed, "steps of the plan wait for each other in a circle",
                "this is a fault of paasctl; nothing was changed");
  }
  plan.lockfile = std::move(lock_);
  plan.warnings = std::move(warnings_);
  plan.unreached = std::move(unreached_);
  return plan;
}

Result<Plan> make(const Input& input) { return Planner(input).make(); }

std::vector<Step> ordered(std::vector<Step> steps) {
  std::set<std::string> ids;
  for (const auto& step : steps) ids.insert(step.id);
  for (auto& step : steps) {
    std::erase_if(step.after, [&](const std::string& id) { return !ids.contains(id); });
    std::sort(step.after.begin(), step.after.end());
    step.after.erase(std::unique(step.after.begin(), step.after.end()), step.after.end());
  }
  std::vector<Step> result;
  std::set<std::string> done;
  std::vector<bool> taken(steps.size(), false);
  bool progress = true;
  while (progress) {
    progress = false;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (taken[i]) continue;
      const bool ready = std::all_of(steps[i].after.begin(), steps[i].after.end(),
                                     [&](const std::string& id) { return done.contains(id); });
      if (!ready) continue;
      taken[i] = true;
      done.insert(steps[i].id);
      result.push_back(std::move(steps[i]));
      progress = true;
    }
  }
  return result;
}

std::string volume_device(const std::string& volume) {
  return "/dev/disk/by-id/scsi-0DO_Volume_" + volume;
}

std::string volume_folder(const std::string& volume) { return "/mnt/" + volume; }

}  // namespace paas::plan
