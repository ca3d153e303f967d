// Runs that are killed after each of their effects: the next run comes to the same end.
#include <doctest/doctest.h>

#include "haproxy/configuration.hpp"
#include "reconcile/support/small_stack.hpp"

namespace paas::reconcile::testing {
namespace {

TEST_CASE("reconcile: a host key that may be in use is accepted until another one is") {
  bool killed = true;
  for (int effects = 1; killed; ++effects) {
    CAPTURE(effects);
    World world;
    Rig rig(world, small);
    require_up(rig);
    // A run was killed after the server had gone over to its second key.
    auto& server = world.stored.servers.at("shop-web-1");
    server.prepared = false;
    server.host_key = "ssh-ed25519 first;ssh-ed25519 between";
    Rig next(world, small);
    next.fuse.set(effects);
    (void)next.up();
    killed = next.fuse.blown();
    const auto& keys = world.stored.servers.at("shop-web-1").host_key;
    const bool rotated = keys == "ssh-ed25519 second-of-shop-web-1";
    CHECK_MESSAGE((rotated || keys.find("ssh-ed25519 between") != std::string::npos), keys);
    CHECK((killed || rotated));
    REQUIRE(effects < 50);
  }
}

TEST_CASE("reconcile: a change goes on from wherever another one was killed") {
  World whole;
  Rig rig(whole, small);
  require_up(rig);
  const auto before = whole;
  const auto changed = with(with(std::string(small), "port: 8000", "port: 8080"), "listen: [80]",
                            "listen: [80, 81]");
  Rig measured(whole, changed);
  require_up(measured);
  const int effects = measured.fuse.spent();
  REQUIRE(effects > 20);
  for (int kill = 1; kill < effects; ++kill) {
    CAPTURE(kill);
    for (const auto& next : {changed, with(changed, "port: 8080", "port: 8090")}) {
      auto world = before;
      Rig killed(world, changed);
      killed.fuse.set(kill);
      (void)killed.up();
      REQUIRE(killed.fuse.blown());
      Rig fresh(world, next);
      require_up(fresh);
      check_only_the_stack(world, next, 4);
    }
  }
}

/// Every backend that HAProxy's rules lead to has a server in rotation.
void check_rules_are_served(World& world) {
  const auto& balancer = *world.insides.machines.at("shop-lb-1").balancer;
  if (balancer.mark != haproxy::mark_of(balancer.configuration)) return;  // It did not reload yet.
  for (const auto& target : haproxy::rule_targets_of(balancer.configuration)) {
    CAPTURE(target);
    CHECK_FALSE(balancer.in_rotation.at(target).empty());
  }
}

TEST_CASE("reconcile: a rule is not live before its service, wherever the run is killed") {
  World before;
  Rig rig(before, small);
  require_up(rig);
  const auto added = with(with(std::string(small), "  db:\n",
                               "  next: {type: web, image: web, port: 8000, links: [db]}\n  db:\n"),
                          "rules: [{to: web}]", "rules: [{path: /web, to: web}, {to: next}]");
  auto whole = before;
  Rig measured(whole, added);
  require_up(measured);
  CHECK(whole.insides.reloads == before.insides.reloads + 2);
  for (int kill = 1; kill < measured.fuse.spent(); ++kill) {
    CAPTURE(kill);
    auto world = before;
    Rig killed(world, added);
    killed.fuse.set(kill);
    (void)killed.up();
    REQUIRE(killed.fuse.blown());
    check_rules_are_served(world);
    Rig failing(world, added);
    failing.machines.unhealthy = {"shop-next-1"};
    const bool is_to_start = !world.insides.machines.contains("shop-next-1") ||
                             world.insides.machines.at("shop-next-1").containers.empty();
    if (is_to_start) {
      CHECK_FALSE(failing.up()->failures.empty());
      check_rules_are_served(world);
    }
    Rig fresh(world, added);
    require_up(fresh);
    const auto& balancer = *world.insides.machines.at("shop-lb-1").balancer;
    CHECK(haproxy::rule_targets_of(balancer.configuration) == std::set<std::string>{"next", "web"});
    check_rules_are_served(world);
    CHECK(Rig(world, added).plan()->steps.empty());
  }
}

TEST_CASE("reconcile: scaling goes on from wherever it was killed") {
  for (const int count : {3, 2}) {
    CAPTURE(count);
    World before;
    Rig rig(before, small);
    require_up(rig);
    if (count == 2) {
      before.stored.services.at("web").count = 3;
      require_up(rig);
    }
    before.stored.services.at("web").count = count;
    auto whole = before;
    Rig measured(whole, small);
    require_up(measured);
    for (int kill = 1; kill < measured.fuse.spent(); ++kill) {
      CAPTURE(kill);
      auto world = before;
      Rig killed(world, small);
      killed.fuse.set(kill);
      (void)killed.up();
      REQUIRE(killed.fuse.blown());
      Rig fresh(world, small);
      require_up(fresh);
      check_only_the_stack(world, small, count == 3 ? 5 : 4);
    }
  }
}

TEST_CASE("reconcile: up goes on from wherever an earlier one was killed") {
  World whole;
  Rig measured(whole, small);
  require_up(measured);
  const int effects = measured.fuse.spent();
  REQUIRE(effects > 50);
  for (int kill = 1; kill < effects; ++kill) {
    CAPTURE(kill);
    World world;
    Rig killed(world, small);
    killed.fuse.set(kill);
    (void)killed.up();
    REQUIRE(killed.fuse.blown());
    Rig fresh(world, small);
    require_up(fresh);
    check_only_the_stack(world, small, 4);
  }
}

TEST_CASE("reconcile: down after an up that was killed leaves nothing") {
  World whole;
  Rig measured(whole, small);
  require_up(measured);
  const int effects = measured.fuse.spent();
  for (int kill = 1; kill < effects; ++kill) {
    CAPTURE(kill);
    World world;
    Rig killed(world, small);
    killed.fuse.set(kill);
    (void)killed.up();
    Rig fresh(world, small);
    require_down(fresh, plan::Volumes::destroy);
    check_nothing_left(world);
  }
}

TEST_CASE("reconcile: down goes on from wherever an earlier one was killed") {
  World whole;
  Rig measured(whole, small);
  require_up(measured);
  const auto up_effects = measured.fuse.spent();
  REQUIRE(measured.down(plan::Volumes::destroy));
  const int effects = measured.fuse.spent() - up_effects;
  for (int kill = 1; kill < effects; ++kill) {
    CAPTURE(kill);
    World world;
    Rig before(world, small);
    require_up(before);
    Rig killed(world, small);
    killed.fuse.set(kill);
    (void)killed.down(plan::Volumes::destroy);
    Rig fresh(world, small);
    require_down(fresh, plan::Volumes::destroy);
    check_nothing_left(world);
  }
}

}  // namespace
}  // namespace paas::reconcile::testing
