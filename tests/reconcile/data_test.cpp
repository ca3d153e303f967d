// What is written down of servers that hold a database's data on their own disk.
#include <doctest/doctest.h>

#include "reconcile/support/small_stack.hpp"

namespace paas::reconcile::testing {
namespace {

std::string without_volume() {
  return with(std::string(small), "    volume: {size: 10GiB, mount: /var/lib/postgresql}\n", "");
}

bool holds_data(const World& world, const std::string& server) {
  return world.stored.servers.at(server).holds_data;
}

TEST_CASE("reconcile: that a server holds data is known before its database starts") {
  World world;
  Rig rig(world, without_volume());
  rig.machines.interrupted_at = "shop-db-1";
  REQUIRE(rig.up()->interrupted);
  CHECK(world.stored.servers.at("shop-db-1").release == 0);
  CHECK(holds_data(world, "shop-db-1"));
}

TEST_CASE("reconcile: a server holds data until the container that stored it there is gone") {
  World world;
  Rig rig(world, without_volume());
  require_up(rig);
  CHECK(holds_data(world, "shop-db-1"));
  CHECK_FALSE(holds_data(world, "shop-web-1"));
  Rig second(world, small);
  second.machines.broken = {"db"};
  REQUIRE(second.up());
  CHECK(holds_data(world, "shop-db-1"));
  Rig third(world, small);
  require_up(third);
  CHECK_FALSE(holds_data(world, "shop-db-1"));
  check_only_the_stack(world, small, 4);
}

/// The database's container on its server, which is the only one there.
observe::Container& container_of_db(World& world) {
  auto& containers = world.insides.machines.at("shop-db-1").containers;
  REQUIRE(containers.size() == 1);
  return containers.front();
}

TEST_CASE("reconcile: a stopped database without a volume is started again, and not made again") {
  World world;
  Rig rig(world, without_volume());
  require_up(rig);
  SUBCASE("it ended") { container_of_db(world).state = "exited"; }
  SUBCASE("it is paused") { container_of_db(world).state = "paused"; }
  // What only this container has.
  container_of_db(world).slot = 7;
  Rig second(world, without_volume());
  require_up(second);
  CHECK(container_of_db(world).state == "running");
  CHECK(container_of_db(world).slot == 7);
  CHECK(step_ids(*second.plan()) == "");
}

TEST_CASE("reconcile: a database that does not start again stays as it is, with its last words") {
  World world;
  Rig rig(world, without_volume());
  require_up(rig);
  container_of_db(world).state = "exited";
  Rig second(world, without_volume());
  second.machines.unhealthy = {"shop-db-1"};
  const auto outcome = second.up();
  REQUIRE(outcome);
  REQUIRE(outcome->failures.size() == 1);
  CHECK(outcome->failures[0].step.id == "resume_container/shop-db-1");
  CHECK(describe(outcome->failures[0].error).find("its last words") != std::string::npos);
  CHECK(container_of_db(world).release == 1);
}

TEST_CASE("reconcile: a container that is gone when it is to be started again is not made again") {
  World world;
  Rig rig(world, without_volume());
  require_up(rig);
  container_of_db(world).state = "exited";
  Rig second(world, without_volume());
  const auto gone_meanwhile = [&](const Event& event) {
    if (event.kind == EventKind::started) world.insides.machines.at("shop-db-1").containers.clear();
  };
  second.options.on_event = gone_meanwhile;
  const auto outcome = second.up();
  REQUIRE(outcome);
  REQUIRE(outcome->failures.size() == 1);
  CHECK(describe(outcome->failures[0].error).find("the container on shop-db-1 is gone") !=
        std::string::npos);
  CHECK(world.insides.machines.at("shop-db-1").containers.empty());
}

std::string with_newer_image() {
  return with(without_volume(), "example/postgres:16", "example/postgres:17");
}

TEST_CASE(
    "reconcile: a first container that a run did not see healthy is started again, not made") {
  World world;
  Rig rig(world, without_volume());
  rig.machines.interrupted_at = "shop-db-1";
  REQUIRE(rig.up()->interrupted);
  SUBCASE("it runs") {}
  SUBCASE("it ended") { container_of_db(world).state = "exited"; }
  container_of_db(world).slot = 7;
  Rig second(world, without_volume());
  require_up(second);
  CHECK(container_of_db(world).state == "running");
  CHECK(container_of_db(world).slot == 7);
  CHECK(world.stored.servers.at("shop-db-1").release == 1);
  CHECK(step_ids(*second.plan()) == "");
}

TEST_CASE("reconcile: what an interrupted replacement made is started again, not made again") {
  World world;
  Rig rig(world, without_volume());
  require_up(rig);
  Rig interrupted(world, with_newer_image());
  interrupted.machines.interrupted_at = "shop-db-2";
  REQUIRE(interrupted.up()->interrupted);
  auto& containers = world.insides.machines.at("shop-db-1").containers;
  REQUIRE(containers.size() == 2);
  containers.back().state = "exited";
  containers.back().slot = 7;
  SUBCASE("and healthy, it is the one that stays") {
    Rig second(world, with_newer_image());
    require_up(second);
    CHECK(container_of_db(world).release == 2);
    CHECK(container_of_db(world).slot == 7);
  }
  SUBCASE("and never healthy, it makes room for the one before and stays") {
    Rig second(world, with_newer_image());
    second.machines.unhealthy = {"shop-db-2"};
    REQUIRE(second.up()->failures.size() == 1);
    REQUIRE(containers.size() == 2);
    CHECK(containers.front().state == "running");
    CHECK(containers.back().state == "exited");
    CHECK(containers.back().slot == 7);
  }
  SUBCASE("and made of something else, it is left alone") {
    containers.back().shape = "another";
    Rig second(world, with_newer_image());
    const auto outcome = second.up();
    REQUIRE(outcome->failures.size() == 1);
    CHECK(describe(outcome->failures[0].error).find("may hold data") != std::string::npos);
    CHECK(containers.size() == 2);
  }
}

TEST_CASE("reconcile: a database that the plan did not know of is left as it is") {
  World world;
  Rig rig(world, without_volume());
  require_up(rig);
  // As an import leaves it: nobody has looked at what is on it.
  world.stored.servers.at("shop-db-1").prepared = false;
  world.stored.servers.at("shop-db-1").release = 0;
  Rig second(world, with_newer_image());
  const auto outcome = second.up();
  REQUIRE(outcome);
  REQUIRE(outcome->failures.size() == 1);
  CHECK(describe(outcome->failures[0].error).find("was not looked at before") != std::string::npos);
  CHECK(container_of_db(world).release == 1);
  CHECK(container_of_db(world).state == "running");
  CHECK(second.plan()->losses.size() == 1);
}

}  // namespace
}  // namespace paas::reconcile::testing
