// Counts what is billed, and adds up what has a price.
#include "plan/cost.hpp"

#include <algorithm>

#include "lockfile/ownership.hpp"
#include "plan/step.hpp"

namespace paas::plan {

namespace {

std::optional<double> sum(const MonthlyCost& cost, int SizeCost::*count) {
  double total = 0;
  for (const auto& size : cost.sizes) {
    if (size.*count == 0) continue;
    if (!size.dollars) return std::nullopt;
    total += size.*count * *size.dollars;
  }
  return total;
}

const observe::Server* seen_of(const observe::Observed& observed, const std::string& name) {
  const auto found = observed.servers.find(name);
  return found == observed.servers.end() ? nullptr : &found->second;
}

/// Droplets that are there and are no server of the lockfile.
std::vector<const digitalocean::Droplet*> unknown_droplets(const lockfile::Lockfile& before,
                                                           const observe::Observed& observed) {
  std::vector<const digitalocean::Droplet*> droplets;
  for (const auto& [name, server] : observed.servers) {
    if (!before.servers.contains(name)) droplets.push_back(&server.droplet);
  }
  for (const auto& droplet : observed.namesakes) droplets.push_back(&droplet);
  return droplets;
}

std::vector<SizeCost> count_droplets(const lockfile::Lockfile& before,
                                     const observe::Observed& observed,
                                     const lockfile::Lockfile& after, const Prices& prices) {
  std::map<std::string, SizeCost> sizes;
  for (const auto* droplet : unknown_droplets(before, observed)) {
    auto& size = sizes[droplet->size];
    ++size.before;
    if (!before.temporary.contains(droplet->name)) ++size.after;
  }
  for (const auto& [name, server] : before.servers) {
    if (const auto* seen = seen_of(observed, name)) ++sizes[seen->droplet.size].before;
  }
  for (const auto& [name, server] : after.servers) {
    if (server.leaving) continue;
    const auto* seen = seen_of(observed, name);
    ++sizes[seen == nullptr ? server.size : seen->droplet.size].after;
  }
  std::vector<SizeCost> result;
  for (auto& [slug, entry] : sizes) {
    entry.size = slug;
    if (const auto price = prices.find(slug); price != prices.end()) entry.dollars = price->second;
    result.push_back(entry);
  }
  return result;
}

/// The size that the stack gives a volume, for one that the plan makes or resizes.
int declared_gigabytes(const Plan& plan, const std::string& service_name) {
  if (!plan.lockfile.applied) return 0;
  const auto* service = stack::find_service(*plan.lockfile.applied, service_name);
  return service != nullptr && service->volume ? service->volume->size_gigabytes : 0;
}

/// Volumes that carry the stack's tag and are not in the lockfile.
std::vector<std::string> unknown_volumes(const lockfile::Lockfile& before,
                                         const observe::Observed& observed, const Plan& plan) {
  std::vector<std::string> names;
  if (!plan.lockfile.applied) return names;
  for (const auto& [name, volume] : observed.volumes) {
    const bool is_ours =
        lockfile::belongs(volume.tags, plan.lockfile.applied->name, lockfile::Intent::none);
    if (is_ours && !before.volumes.contains(name)) names.push_back(name);
  }
  return names;
}

void count_volumes(const lockfile::Lockfile& before, const observe::Observed& observed,
                   const Plan& plan, Unpriced& unpriced) {
  std::map<std::string, int> after;
  for (const auto& name : unknown_volumes(before, observed, plan)) {
    after[name] = observed.volumes.at(name).size_gigabytes;
    unpriced.volumes_before_gigabytes += after[name];
  }
  for (const auto& [name, volume] : before.volumes) {
    const auto found = observed.volumes.find(name);
    if (found == observed.volumes.end()) continue;
    unpriced.volumes_before_gigabytes += found->second.size_gigabytes;
    after[name] = found->second.size_gigabytes;
  }
  for (const auto& step : plan.steps) {
    if (step.kind == StepKind::create_volume || step.kind == StepKind::resize_volume) {
      after[step.subject] = declared_gigabytes(plan, step.service);
    }
    if (step.kind == StepKind::delete_volume) after.erase(step.subject);
  }
  for (const auto& [name, gigabytes] : after) unpriced.volumes_after_gigabytes += gigabytes;
}

void count_addresses(const lockfile::Lockfile& before, const observe::Observed& observed,
                     const Plan& plan, Unpriced& unpriced) {
  const auto known = before.lb ? before.lb->reserved_ip : std::string();
  unpriced.addresses_before = static_cast<int>(
      std::count_if(observed.reserved_ips.begin(), observed.reserved_ips.end(),
                    [&](const auto& ip) { return !known.empty() && ip.ip == known; }));
  unpriced.addresses_after = unpriced.addresses_before;
  for (const auto& step : plan.steps) {
    if (step.kind == StepKind::create_address) unpriced.addresses_after = 1;
    if (step.kind == StepKind::release_address) unpriced.addresses_after = 0;
  }
}

}  // namespace

std::optional<double> dollars_before(const MonthlyCost& cost) {
  return sum(cost, &SizeCost::before);
}

std::optional<double> dollars_after(const MonthlyCost& cost) { return sum(cost, &SizeCost::after); }

MonthlyCost cost_of(const lockfile::Lockfile& before, const observe::Observed& observed,
                    const Plan& plan, const Prices& prices) {
  MonthlyCost cost;
  cost.sizes = count_droplets(before, observed, plan.lockfile, prices);
  count_volumes(before, observed, plan, cost.unpriced);
  count_addresses(before, observed, plan, cost.unpriced);
  for (const auto* droplet : unknown_droplets(before, observed)) {
    cost.unknown.push_back(droplet->name);
  }
  for (auto& name : unknown_volumes(before, observed, plan))
    cost.unknown.push_back(std::move(name));
  for (const auto& snapshot : observed.snapshots) {
    cost.unpriced.machine_images_gigabytes += snapshot.size_gigabytes;
  }
  return cost;
}

bool changes(const MonthlyCost& cost) {
  const auto& unpriced = cost.unpriced;
  return unpriced.volumes_before_gigabytes != unpriced.volumes_after_gigabytes ||
         unpriced.addresses_before != unpriced.addresses_after ||
         std::any_of(cost.sizes.begin(), cost.sizes.end(),
                     [](const SizeCost& size) { return size.before != size.after; });
}

}  // namespace paas::plan
