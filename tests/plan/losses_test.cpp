// Which data a plan destroys: what has to be confirmed by name, and what has not.
#include "plan/losses.hpp"

#include <doctest/doctest.h>

#include "base/text.hpp"
#include "plan/support/world.hpp"

namespace paas::plan::testing {
namespace {

std::string names(const Plan& plan) {
  std::vector<std::string> result;
  for (const auto& loss : plan.losses) result.push_back(loss.name);
  return text::join(result, " ");
}

Plan down(const World& world, Volumes volumes) {
  return make_down(world.input.lockfile, world.input.observed, volumes);
}

World world_up(bool with_volume) {
  World world;
  if (!with_volume) world.service("db").volume.reset();
  world.up();
  return world;
}

TEST_CASE("plan: a database on a volume loses nothing with its server") {
  auto world = world_up(true);
  CHECK(names(world.plan()) == "");
  world.input.replace["zipkick-db-1"] = "asked for";
  CHECK(names(world.plan()) == "");
  world.input.replace.clear();
  world.service("db").size = "s-2vcpu-2gb";
  CHECK(names(world.plan()) == "");
  CHECK(names(down(world, Volumes::keep)) == "");
}

TEST_CASE("plan: destroying a volume destroys data") {
  const auto plan = down(world_up(true), Volumes::destroy);
  REQUIRE(names(plan) == "zipkick-db");
  CHECK(plan.losses[0].service == "db");
  CHECK(plan.losses[0].step == "delete_volume/zipkick-db");
  CHECK(plan.losses[0].text == "volume zipkick-db, with all data of db");
}

TEST_CASE("plan: a database without a volume loses its data with its server") {
  auto world = world_up(false);
  CHECK(names(world.plan()) == "");
  CHECK(names(down(world, Volumes::keep)) == "zipkick-db-1");
  SUBCASE("when its replacement is asked for") {
    world.input.replace["zipkick-db-1"] = "asked for";
  }
  SUBCASE("when its size changes") { world.service("db").size = "s-2vcpu-2gb"; }
  SUBCASE("when it leaves the stack") {
    world.service("backend").links = {{"cache", {}}};
    world.remove_service("db");
  }
  SUBCASE("when it becomes something else") {
    world.service("db").type = stack::ServiceType::cache;
    world.service("db").size = "s-2vcpu-2gb";
  }
  const auto plan = world.plan();
  REQUIRE(names(plan) == "zipkick-db-1");
  CHECK(plan.losses[0].step == "delete_server/zipkick-db-1");
  CHECK(plan.losses[0].text == "server zipkick-db-1, with all data of db, which has no volume");
}

TEST_CASE("plan: what is gone already, never ran, or is no database is not called a loss") {
  auto world = world_up(false);
  SUBCASE("its droplet was deleted") { world.destroy_droplet("zipkick-db-1"); }
  SUBCASE("no container ever ran on it") {
    world.lock().servers.at("zipkick-db-1").release = 0;
    world.input.replace["zipkick-db-1"] = "asked for";
  }
  SUBCASE("caches and web servers are made to be replaced") {
    world.input.replace["zipkick-cache-1"] = "asked for";
    world.input.replace["zipkick-backend-1"] = "asked for";
  }
  CHECK(names(world.plan()) == "");
}

TEST_CASE("plan: a new container of a database without a volume is warned of") {
  auto world = world_up(false);
  world.change_image("postgres");
  CHECK(text::join(world.plan().warnings, "\n") ==
        "db has no volume: what it stored goes with its old container on zipkick-db-1");
  auto kept = world_up(true);
  kept.change_image("postgres");
  CHECK(kept.plan().warnings.empty());
}

}  // namespace
}  // namespace paas::plan::testing
