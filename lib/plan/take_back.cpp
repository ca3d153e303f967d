// Finds out which releases failed, and what brings the ones before back.
#include "plan/take_back.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "plan/planner.hpp"
#include "plan/wanted.hpp"

namespace paas::plan {

namespace {

bool changes_release(const Step& step) {
  return step.kind == StepKind::send_image || step.kind == StepKind::start_container ||
         step.kind == StepKind::add_to_rotation || step.kind == StepKind::let_in ||
         step.kind == StepKind::watch_canary;
}

bool is_replaceable(const lockfile::Lockfile& lockfile, const std::string& service) {
  if (!lockfile.applied) return false;
  const auto* declared = stack::find_service(*lockfile.applied, service);
  return declared != nullptr && (declared->type == stack::ServiceType::web ||
                                 declared->type == stack::ServiceType::worker);
}

int newest_number(const lockfile::Lockfile& lockfile, const std::string& service) {
  const auto entry = lockfile.services.find(service);
  if (entry == lockfile.services.end() || entry->second.releases.empty()) return 0;
  return entry->second.releases.back().number;
}

int pinned_number(const lockfile::Lockfile& lockfile, const std::string& service) {
  const auto entry = lockfile.services.find(service);
  return entry == lockfile.services.end() ? 0 : entry->second.pinned;
}

}  // namespace

std::map<std::string, int> releases_to_take_back(const lockfile::Lockfile& before,
                                                 const lockfile::Lockfile& after,
                                                 const std::vector<Step>& failed) {
  std::map<std::string, int> result;
  for (const auto& step : failed) {
    const auto& service = step.service;
    if (!changes_release(step) || !is_replaceable(after, service)) continue;
    const bool is_new = newest_number(after, service) > newest_number(before, service) ||
                        pinned_number(after, service) != pinned_number(before, service);
    const auto* release = current_release(before, service);
    if (!is_new || release == nullptr || !release->definition) continue;
    result[service] = release->number;
  }
  return result;
}

void note_failed(const lockfile::Lockfile& before, const std::map<std::string, int>& services,
                 lockfile::Lockfile& lockfile) {
  for (const auto& [name, number] : services) {
    auto& service = lockfile.services.at(name);
    const auto earlier = before.services.find(name);
    service.pinned = pinned_number(before, name);
    service.image = earlier == before.services.end() ? "" : earlier->second.image;
    for (auto& release : service.releases) {
      if (release.number > newest_number(before, name)) release.failed = true;
    }
  }
}

void keep_only(const std::map<std::string, int>& services, Plan& plan) {
  const auto is_balancers = [](const Step& step) {
    return step.kind == StepKind::prepare_balancer || step.kind == StepKind::configure_balancer;
  };
  std::set<std::string> dropped;
  std::erase_if(plan.steps, [&](const Step& step) {
    const bool is_theirs = changes_release(step) || step.kind == StepKind::retire_container ||
                           step.kind == StepKind::remove_from_rotation;
    const bool is_kept = is_balancers(step) || (is_theirs && services.contains(step.service));
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
