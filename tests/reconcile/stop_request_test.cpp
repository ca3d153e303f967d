// The first request to stop lets the steps that are under way come to their end, and what they made
// is written down; a stop that ends them loses nothing that the next run would not find.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "reconcile/support/rig.hpp"

namespace paas::reconcile::testing {
namespace {

constexpr std::string_view interruptible = R"(stack: shop
region: nyc3
ssh: {from: [0.0.0.0/0]}
images: {web: {pull: "example/web:1"}, postgres: {pull: "example/postgres:16"}}
services:
  web: {type: web, image: web, port: 8000, scale: {min: 3, max: 3}, links: [db]}
  db:
    type: db
    image: postgres
    port: 5432
    scheme: postgresql
    volume: {size: 10GiB, mount: /var/lib/postgresql}
lb: {listen: [80], rules: [{to: web}]}
)";

/// The identifiers of steps by what became of them.
struct Told {
  std::set<std::string> started;
  std::set<std::string> done;
  std::set<std::string> failed;
  std::set<std::string> skipped;
};

/// Notes what is told, and asks for the stop as soon as a step of the kind has begun.
void stop_at(Rig& rig, plan::StepKind kind, Told& told, std::atomic<bool>& asked) {
  rig.options.interrupted = [&asked] { return asked.load(); };
  rig.options.on_event = [&told, &asked, kind](const Event& event) {
    const auto& id = event.step.id;
    if (event.kind == EventKind::started) told.started.insert(id);
    if (event.kind == EventKind::done) told.done.insert(id);
    if (event.kind == EventKind::failed) told.failed.insert(id);
    if (event.kind == EventKind::skipped) told.skipped.insert(id);
    if (event.kind == EventKind::started && event.step.kind == kind) asked = true;
  };
}

std::set<std::string> remaining(const Outcome& outcome) {
  std::set<std::string> ids;
  for (const auto& step : outcome.not_tried) ids.insert(step.id);
  return ids;
}

/// The lockfile has the identifier of every droplet that there is.
void check_droplets_known(const World& world) {
  std::set<std::string> known;
  for (const auto& [name, server] : world.stored.servers) known.insert(server.droplet.id);
  for (const auto& [id, droplet] : world.cloud.droplets) {
    if (!droplet.leaving) CHECK(known.contains(std::to_string(id)));
  }
}

/// The next run does the rest, and nothing is there twice.
void check_next_run_finishes(World& world) {
  Rig rig(world, interruptible);
  const auto outcome = rig.up();
  REQUIRE(outcome);
  CHECK(outcome->failures.empty());
  CHECK(outcome->not_tried.empty());
  CHECK(std::count_if(world.cloud.droplets.begin(), world.cloud.droplets.end(),
                      [](const auto& entry) { return !entry.second.leaving; }) == 5);
  CHECK(world.cloud.volumes.size() == 1);
  Rig third(world, interruptible);
  const auto plan = third.plan();
  REQUIRE(plan);
  CHECK(plan->empty());
}

TEST_CASE("reconcile: a request to stop finishes the steps that are under way, and no others") {
  using plan::StepKind;
  for (const auto kind : {StepKind::create_key, StepKind::create_firewall, StepKind::create_volume,
                          StepKind::create_server, StepKind::prepare_server, StepKind::send_image,
                          StepKind::start_container, StepKind::add_to_rotation}) {
    for (const int parallelism : {1, 4}) {
      CAPTURE(plan::to_text(kind));
      CAPTURE(parallelism);
      World world;
      Rig rig(world, interruptible);
      Told told;
      std::atomic<bool> asked = false;
      rig.options.parallelism = parallelism;
      stop_at(rig, kind, told, asked);
      const auto plan = rig.plan();
      REQUIRE(plan);
      const auto outcome = rig.up();
      REQUIRE(outcome);
      CHECK(outcome->interrupted);
      CHECK(told.started == told.done);
      CHECK(told.failed.empty());
      CHECK(outcome->done == static_cast<int>(told.done.size()));
      // What remains is named: each step once, and none that was begun.
      CHECK(remaining(*outcome) == told.skipped);
      CHECK(told.done.size() + told.skipped.size() == plan->steps.size());
      // Of steps side by side the last ones may all be under way by then.
      if (parallelism == 1) CHECK_FALSE(told.skipped.empty());
      check_droplets_known(world);
      CHECK(outcome->lockfile == world.stored);
      check_next_run_finishes(world);
    }
  }
}

TEST_CASE("reconcile: a run that was asked to stop at its last step has nothing left") {
  World world;
  Rig rig(world, interruptible);
  const auto plan = rig.plan();
  REQUIRE(plan);
  std::atomic<std::size_t> done = 0;
  rig.options.on_event = [&](const Event& event) { done += event.kind == EventKind::done; };
  rig.options.interrupted = [&] { return done == plan->steps.size(); };
  const auto outcome = rig.up();
  REQUIRE(outcome);
  CHECK(outcome->interrupted);
  CHECK(outcome->not_tried.empty());
  CHECK(outcome->failures.empty());
  check_next_run_finishes(world);
}

TEST_CASE("reconcile: down that was asked to stop is gone on with") {
  World world;
  Rig rig(world, interruptible);
  REQUIRE(rig.up());
  Told told;
  std::atomic<bool> asked = false;
  stop_at(rig, plan::StepKind::delete_server, told, asked);
  const auto outcome = rig.down(plan::Volumes::destroy);
  REQUIRE(outcome);
  CHECK(outcome->interrupted);
  CHECK(told.started == told.done);
  CHECK(remaining(*outcome) == told.skipped);
  check_droplets_known(world);
  Rig second(world, interruptible);
  const auto rest = second.down(plan::Volumes::destroy);
  REQUIRE(rest);
  CHECK(rest->failures.empty());
  CHECK(world.cloud.volumes.empty());
  CHECK(world.stored.servers.empty());
}

}  // namespace
}  // namespace paas::reconcile::testing
