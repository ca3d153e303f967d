// Checks of the small stack.
#include "reconcile/support/small_stack.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "haproxy/configuration.hpp"

namespace paas::reconcile::testing {

std::string with(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

std::vector<std::string> droplet_names(const World& world) {
  std::vector<std::string> names;
  for (const auto& [id, droplet] : world.cloud.droplets) {
    if (!droplet.leaving) names.push_back(droplet.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string all_of(const std::vector<Failure>& failures) {
  std::string text;
  for (const auto& failure : failures)
    text += failure.step.id + ": " + describe(failure.error) + "\n";
  return text;
}

void require_up(Rig& rig) {
  const auto outcome = rig.up();
  REQUIRE_MESSAGE(outcome, (outcome ? "" : describe(outcome.error())));
  REQUIRE_MESSAGE(outcome->failures.empty(), all_of(outcome->failures));
  REQUIRE(outcome->skipped == 0);
}

void require_down(Rig& rig, plan::Volumes volumes) {
  const auto outcome = rig.down(volumes);
  REQUIRE_MESSAGE(outcome, (outcome ? "" : describe(outcome.error())));
  REQUIRE_MESSAGE(outcome->failures.empty(), all_of(outcome->failures));
}

std::string step_ids(const plan::Plan& plan) {
  std::string text;
  for (const auto& step : plan.steps) text += step.id + ": " + step.cause + "\n";
  return text;
}

void check_only_the_stack(World& world, std::string_view yaml, std::size_t servers) {
  Rig rig(world, yaml);
  const auto next = rig.plan();
  REQUIRE(next);
  CHECK(step_ids(*next) == "");
  std::vector<std::string> known;
  for (const auto& [name, server] : world.stored.servers) known.push_back(name);
  CHECK(droplet_names(world) == known);
  CHECK(known.size() == servers);
  CHECK(world.cloud.volumes.size() == 1);
  CHECK(world.cloud.firewalls.size() == 3);
  CHECK(world.cloud.reserved_ips.size() == 1);
  CHECK(world.cloud.keys.size() == 1);
  CHECK(std::count_if(world.cloud.vpcs.begin(), world.cloud.vpcs.end(),
                      [](const auto& entry) { return !entry.second.is_default; }) == 1);
  CHECK(rig.http.changes.empty());
  // HAProxy knows the same servers after it was started again.
  const auto& balancer = *world.insides.machines.at("shop-lb-1").balancer;
  std::map<std::string, std::set<std::string>> written;
  for (const auto& backend : haproxy::servers_of(balancer.configuration)) {
    for (const auto& server : backend.servers) written[backend.name].insert(server.name);
  }
  CHECK(written == balancer.known);
  CHECK(written == balancer.in_rotation);
  CHECK(balancer.mark == haproxy::mark_of(balancer.configuration));
}

void check_nothing_left(const World& world) {
  CHECK(droplet_names(world).empty());
  CHECK(world.cloud.volumes.empty());
  CHECK(world.cloud.firewalls.empty());
  CHECK(world.cloud.reserved_ips.empty());
  CHECK(world.cloud.keys.empty());
  CHECK(world.cloud.tags.empty());
}

}  // namespace paas::reconcile::testing
