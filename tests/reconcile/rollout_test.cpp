// A release that fails while servers change to it, and what brings the one before back.
#include <doctest/doctest.h>

#include <algorithm>

#include "haproxy/configuration.hpp"
#include "plan/take_back.hpp"
#include "plan/wanted.hpp"
#include "reconcile/support/rig.hpp"
#include "reconcile/support/small_stack.hpp"

namespace paas::reconcile::testing {
namespace {

const std::string changed = with(std::string(small), "port: 8000", "port: 8080");

Outcome outcome_of(Rig& rig) {
  auto outcome = rig.up();
  REQUIRE(outcome);
  return std::move(*outcome);
}

std::vector<plan::Step> failed_steps(const Outcome& outcome) {
  std::vector<plan::Step> steps;
  for (const auto& failure : outcome.failures) steps.push_back(failure.step);
  return steps;
}

/// The containers on a server that run.
std::vector<std::string> running(const World& world, const std::string& server) {
  std::vector<std::string> names;
  for (const auto& container : world.insides.machines.at(server).containers) {
    if (container.state == "running") names.push_back(container.name);
  }
  return names;
}

const std::set<std::string>& in_rotation(const World& world) {
  return world.insides.machines.at("shop-lb-1").balancer->in_rotation.at("web");
}

struct Up {
  Up() {
    Rig rig(world, small);
    REQUIRE(outcome_of(rig).failures.empty());
  }
  World world;
};

const std::set<std::string> old_rotation = {"shop-web-1.r1", "shop-web-2.r1"};

TEST_CASE_FIXTURE(Up, "rollout: a release that does not get healthy never has a request") {
  Rig rig(world, changed);
  rig.machines.unhealthy = {"shop-web-2"};
  const auto outcome = outcome_of(rig);
  CHECK_FALSE(outcome.failures.empty());
  CHECK(in_rotation(world) == old_rotation);
  for (const auto* server : {"shop-web-1", "shop-web-2"}) {
    CHECK(running(world, server) == std::vector<std::string>{"shop-web-1"});
  }
}

TEST_CASE_FIXTURE(Up, "case 33: a release that crashes on one server is given up on the others") {
  Rig rig(world, changed);
  rig.options.parallelism = 1;
  rig.machines.broken = {"web"};
  const auto began = rig.clock.monotonic();
  const auto outcome = outcome_of(rig);
  // Long before the time is over that a container has to become healthy.
  CHECK(rig.clock.monotonic() - began < std::chrono::seconds(60));
  REQUIRE(outcome.failures.size() >= 2);
  const auto is_given_up = [](const Failure& failure) {
    return failure.error.message.find("given up") != std::string::npos;
  };
  CHECK(std::count_if(outcome.failures.begin(), outcome.failures.end(), is_given_up) == 1);
  CHECK(in_rotation(world) == old_rotation);
}

TEST_CASE_FIXTURE(Up, "rollout: what is taken back is as it was, on all servers") {
  {
    Rig rig(world, changed);
    rig.machines.unhealthy = {"shop-web-2"};
    const auto outcome = outcome_of(rig);
    const auto back = plan::releases_to_take_back(outcome.lockfile, failed_steps(outcome));
    REQUIRE(back == std::map<std::string, int>{{"web", 1}});
    plan::note_failed(back, world.stored);
  }
  Rig rig(world, changed);
  rig.releases = {{"web", 1}};
  CHECK(outcome_of(rig).failures.empty());
  CHECK(in_rotation(world) == old_rotation);
  CHECK(world.stored.services.at("web").releases.back().failed);
  CHECK(plan::current_release(world.stored, "web")->number == 1);
  CHECK(world.stored.servers.at("shop-web-1").release == 1);
  CHECK(world.stored.servers.at("shop-web-1").previous == 0);
  CHECK(rig.plan()->empty());
}

TEST_CASE_FIXTURE(Up, "rollout: a release that is tried again has another number") {
  {
    Rig rig(world, changed);
    rig.machines.unhealthy = {"shop-web-2"};
    outcome_of(rig);
    plan::note_failed({{"web", 1}}, world.stored);
  }
  Rig rig(world, changed);
  CHECK(outcome_of(rig).failures.empty());
  CHECK(world.stored.services.at("web").releases.back().number == 3);
  CHECK(in_rotation(world) == std::set<std::string>{"shop-web-1.r3", "shop-web-2.r3"});
}

/// Servers of which HAProxy sends requests to a container that runs.
std::set<std::string> serving(const World& world) {
  std::set<std::string> servers;
  for (const auto& name : in_rotation(world)) {
    const auto server = name.substr(0, name.rfind(".r"));
    const auto container = "shop-web-" + name.substr(name.rfind(".r") + 2);
    const auto names = running(world, server);
    if (std::find(names.begin(), names.end(), container) != names.end()) servers.insert(server);
  }
  return servers;
}

/// Whether a run that changes the release is killed by so many effects; else it is done.
bool is_killed(World& world, int effects) {
  Rig rig(world, changed);
  rig.options.parallelism = 1;
  rig.fuse.set(effects);
  rig.up();
  return rig.fuse.blown();
}

TEST_CASE("rollout: what serves stays when a release follows on one that was interrupted") {
  const auto third = with(std::string(small), "port: 8000", "port: 8090");
  int interrupted = 0;
  for (int effects = 1;; ++effects) {
    CAPTURE(effects);
    Up up;
    if (!is_killed(up.world, effects)) break;
    Rig rig(up.world, third);
    rig.machines.unhealthy = {"shop-web-2", "shop-web-3"};
    outcome_of(rig);
    CHECK(serving(up.world) == std::set<std::string>{"shop-web-1", "shop-web-2"});
    ++interrupted;
  }
  CHECK(interrupted > 20);
}

TEST_CASE("rollout: a release that an interrupted run began is taken back as well") {
  int taken_back = 0;
  for (int effects = 1;; ++effects) {
    CAPTURE(effects);
    Up up;
    if (!is_killed(up.world, effects)) break;
    const auto whole = up.world.stored.services.at("web").settled;
    REQUIRE(whole);
    if (whole->release == 2) continue;  // It was killed behind its last write.
    REQUIRE(whole == lockfile::Settled{1, 1, 0, ""});
    Rig rig(up.world, changed);
    rig.machines.unhealthy = {"shop-web-2"};
    const auto outcome = outcome_of(rig);
    if (outcome.failures.empty()) continue;  // All of them were healthy before.
    const auto back = plan::releases_to_take_back(outcome.lockfile, failed_steps(outcome));
    REQUIRE(back == std::map<std::string, int>{{"web", 1}});
    plan::note_failed(back, up.world.stored);
    Rig again(up.world, changed);
    again.releases = back;
    CHECK(outcome_of(again).failures.empty());
    CHECK(in_rotation(up.world) == old_rotation);
    CHECK(again.plan()->empty());
    ++taken_back;
  }
  CHECK(taken_back > 5);
}

TEST_CASE_FIXTURE(Up, "rollout: a health check's new path is for new containers only") {
  auto moved = with(std::string(small), "port: 8000", "port: 8000, health: {path: /ready}");
  const auto& haproxy = *world.insides.machines.at("shop-lb-1").balancer;
  {
    // Containers that stay have to answer it.
    Rig rig(world, moved);
    rig.machines.unhealthy = {"shop-web-1"};
    const auto outcome = outcome_of(rig);
    REQUIRE_FALSE(outcome.failures.empty());
    CHECK(all_of(outcome.failures).find("does not answer /ready") != std::string::npos);
    CHECK(haproxy::servers_of(haproxy.configuration).at(0).health_path == "/");
  }
  {
    Rig rig(world, with(moved, "port: 8000", "port: 8080"));
    rig.machines.unhealthy = {"shop-web-2"};
    outcome_of(rig);
    const auto backend = haproxy::servers_of(haproxy.configuration).at(0);
    CHECK(backend.health_path == "/ready");
    CHECK(backend.older_paths == std::map<int, std::string>{{1, "/"}});
  }
  Rig rig(world, moved);
  CHECK(outcome_of(rig).failures.empty());
  CHECK(haproxy::servers_of(haproxy.configuration).at(0).health_path == "/ready");
  CHECK(rig.plan()->empty());
}

TEST_CASE_FIXTURE(Up, "rollout: a rollback starts the containers that are kept") {
  {
    Rig rig(world, changed);
    CHECK(outcome_of(rig).failures.empty());
  }
  REQUIRE(world.insides.machines.at("shop-web-1").containers.size() == 2);
  world.stored.services.at("web").pinned = 1;
  Rig rig(world, changed);
  CHECK(outcome_of(rig).failures.empty());
  CHECK(in_rotation(world) == old_rotation);
  CHECK(running(world, "shop-web-1") == std::vector<std::string>{"shop-web-1"});
  const auto started_again = [](const Event& event) { return event.text == "started again"; };
  CHECK(std::count_if(rig.events.begin(), rig.events.end(), started_again) == 2);
  CHECK(world.stored.services.at("web").releases.size() == 2);
  CHECK(world.stored.servers.at("shop-web-1").previous == 2);
  CHECK(rig.plan()->empty());
}

TEST_CASE_FIXTURE(Up, "rollout: a release keeps what it was made of, by whom and why") {
  Rig rig(world, changed);
  rig.options.who = "anna@laptop";
  outcome_of(rig);
  const auto& release = world.stored.services.at("web").releases.back();
  CHECK(release.by == "anna@laptop");
  CHECK(release.cause == "its port, volume or command changed");
  REQUIRE(release.definition);
  CHECK(release.definition->service.port == 8080);
  REQUIRE(release.definition->rules.size() == 1);
}

}  // namespace
}  // namespace paas::reconcile::testing
