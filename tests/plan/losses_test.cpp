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

TEST_CASE("plan: the server of a database on a volume goes by its name, and the data stays") {
  auto world = world_up(true);
  CHECK(names(world.plan()) == "");
  SUBCASE("when its replacement is asked for") {
    world.input.replace["zipkick-db-1"] = "asked for";
  }
  SUBCASE("when its size changes") { world.service("db").size = "s-2vcpu-2gb"; }
  SUBCASE("when it leaves the stack") {
    world.service("backend").links = {{"cache", {}}};
    world.remove_service("db");
  }
  const auto plan = world.plan();
  REQUIRE(names(plan) == "zipkick-db-1");
  CHECK(plan.losses[0].is_kept);
  CHECK(plan.losses[0].service == "db");
  CHECK(plan.losses[0].step == "delete_server/zipkick-db-1");
  CHECK(plan.losses[0].text == "server zipkick-db-1 of db, whose data stays on volume zipkick-db");
  // A run that was killed goes on without a second question.
  world.input.lockfile.servers.at("zipkick-db-1").leaving = true;
  CHECK(names(world.plan()) == "");
}

TEST_CASE("plan: going down destroys no data of a database on a volume") {
  CHECK(names(down(world_up(true), Volumes::keep)) == "");
}

TEST_CASE("plan: a server whose droplet is gone is no loss more") {
  auto world = world_up(true);
  world.input.observed.servers.erase("zipkick-db-1");
  const auto plan = world.plan();
  CHECK_FALSE(plan.empty());
  CHECK(names(plan) == "");
}

TEST_CASE("plan: destroying a volume destroys data") {
  const auto plan = down(world_up(true), Volumes::destroy);
  REQUIRE(names(plan) == "zipkick-db");
  CHECK(plan.losses[0].service == "db");
  CHECK(plan.losses[0].step == "delete_volume/zipkick-db");
  CHECK(plan.losses[0].text == "volume zipkick-db, with all data of db, for good");
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
  CHECK(plan.losses[0].text ==
        "server zipkick-db-1, with the data of db that is on no volume, for good");
}

TEST_CASE("plan: what is gone already, never ran, or is no database is not called a loss") {
  auto world = world_up(false);
  SUBCASE("its droplet was deleted") { world.destroy_droplet("zipkick-db-1"); }
  SUBCASE("no container ever ran on it") {
    auto& server = world.lock().servers.at("zipkick-db-1");
    server.release = 0;
    server.holds_data = false;
    world.input.replace["zipkick-db-1"] = "asked for";
  }
  SUBCASE("caches and web servers are made to be replaced") {
    world.input.replace["zipkick-cache-1"] = "asked for";
    world.input.replace["zipkick-backend-1"] = "asked for";
  }
  CHECK(names(world.plan()) == "");
}

TEST_CASE("plan: a database without a volume loses its data with its container") {
  auto world = world_up(false);
  SUBCASE("when its image changes") { world.change_image("postgres"); }
  SUBCASE("when its environment changes") { world.service("db").env["TUNED"] = "yes"; }
  SUBCASE("when its port changes") { world.service("db").port = 5433; }
  SUBCASE("when it gets a volume") { world.service("db").volume = stack::Volume{10, "/data"}; }
  SUBCASE("when its container is to be made again") { world.input.restart["db"] = "asked for"; }
  SUBCASE("when it becomes something else") {
    world.service("db").type = stack::ServiceType::cache;
    world.service("db").env["TUNED"] = "yes";
  }
  const auto plan = world.plan();
  REQUIRE(names(plan) == "zipkick-db-1");
  CHECK(plan.losses[0].step == "retire_container/zipkick-db-1");
  CHECK(plan.losses[0].text ==
        "the container on zipkick-db-1, with the data of db that is on no volume, for good");
  CHECK(plan.warnings.empty());
}

TEST_CASE("plan: a container that stopped with a database's data is started again, and kept") {
  auto world = world_up(false);
  SUBCASE("it ended") { world.container("zipkick-db-1").state = "exited"; }
  SUBCASE("it ends again and again") { world.container("zipkick-db-1").state = "restarting"; }
  SUBCASE("it was applied as something else since") {
    world.service("db").type = stack::ServiceType::cache;
    world.up();
    world.container("zipkick-db-1").state = "exited";
  }
  const auto state = world.container("zipkick-db-1").state;
  const auto plan = world.plan();
  CHECK(rendered(plan) ==
        "~ start container on zipkick-db-1 again: [drift] its container is " + state + "\n");
  world.apply(plan);
  CHECK(world.container("zipkick-db-1").state == "running");
  CHECK(rendered(world.plan()) == "nothing to do\n");
}

TEST_CASE("plan: a stopped container that others shall take the place of is a loss all the same") {
  auto world = world_up(false);
  world.container("zipkick-db-1").state = "exited";
  world.change_image("postgres");
  CHECK(names(world.plan()) == "zipkick-db-1");
}

TEST_CASE("plan: a database on a volume loses nothing with its container") {
  auto world = world_up(true);
  world.change_image("postgres");
  CHECK(names(world.plan()) == "");
}

/// The volume is made, and then the run is killed.
void kill_before_the_volume_is_attached(World& world) {
  world.service("db").volume = stack::Volume{10, "/data"};
  auto plan = world.plan();
  std::erase_if(plan.steps, [](const Step& step) { return step.kind != StepKind::create_volume; });
  plan.lockfile.applied = world.input.stack;
  world.apply(plan);
  REQUIRE(world.lock().volumes.contains("zipkick-db"));
}

TEST_CASE("plan: what a server holds is known whatever the stack says of its service now") {
  auto world = world_up(false);
  SUBCASE("it was applied as something else since") {
    world.service("db").type = stack::ServiceType::cache;
    world.up();
    CHECK(rendered(world.plan()) == "nothing to do\n");
  }
  SUBCASE("its volume is there and not attached yet") { kill_before_the_volume_is_attached(world); }
  world.input.replace["zipkick-db-1"] = "asked for";
  CHECK(names(world.plan()) == "zipkick-db-1");
}

TEST_CASE("plan: a server whose data moved to a volume, or went, holds none") {
  auto world = world_up(false);
  CHECK(world.lock().servers.at("zipkick-db-1").holds_data);
  SUBCASE("it got a volume") { world.service("db").volume = stack::Volume{10, "/data"}; }
  SUBCASE("it was made again as something else") {
    world.service("db").type = stack::ServiceType::cache;
    world.service("db").env["TUNED"] = "yes";
  }
  world.up();
  CHECK_FALSE(world.lock().servers.at("zipkick-db-1").holds_data);
  world.input.replace["zipkick-db-1"] = "asked for";
  for (const auto& loss : world.plan().losses) CHECK(loss.is_kept);
}

/// A run that is killed while it waits for a first container leaves the server without a release,
/// and the container runs and takes data.
World world_killed_before_the_first_health() {
  auto world = world_up(false);
  world.lock().servers.at("zipkick-db-1").release = 0;
  return world;
}

TEST_CASE("plan: a first container that nobody saw healthy is kept, whatever its state") {
  auto world = world_killed_before_the_first_health();
  SUBCASE("it runs") {}
  SUBCASE("it ended") { world.container("zipkick-db-1").state = "exited"; }
  SUBCASE("it was not started yet") { world.container("zipkick-db-1").state = "created"; }
  const auto plan = world.plan();
  CHECK(rendered(plan) ==
        "~ start container on zipkick-db-1 again: [unfinished] an earlier run did not see its "
        "container become healthy\n");
  world.apply(plan);
  CHECK(world.container("zipkick-db-1").state == "running");
  CHECK(world.lock().servers.at("zipkick-db-1").release == 1);
  CHECK(rendered(world.plan()) == "nothing to do\n");
}

TEST_CASE(
    "plan: a first container that nobody saw healthy is a loss when another takes its place") {
  auto world = world_killed_before_the_first_health();
  SUBCASE("it runs") {}
  SUBCASE("it ended") { world.container("zipkick-db-1").state = "exited"; }
  world.change_image("postgres");
  REQUIRE(names(world.plan()) == "zipkick-db-1");
  CHECK(world.plan().losses[0].step == "retire_container/zipkick-db-1");
}

TEST_CASE("plan: of several that an interrupted run left the newest is kept, the others are lost") {
  auto world = world_killed_before_the_first_health();
  auto older = world.container("zipkick-db-1");
  world.container("zipkick-db-1").release = 2;
  world.lock().services.at("db").releases.back().number = 2;
  older.state = "exited";
  world.machine("zipkick-db-1").containers.push_back(older);
  const auto plan = world.plan();
  CHECK(names(plan) == "zipkick-db-1");
  world.apply(plan);
  CHECK(world.container("zipkick-db-1").release == 2);
}

TEST_CASE("plan: a server on which no first container was made has none to lose") {
  auto world = world_killed_before_the_first_health();
  world.machine("zipkick-db-1").containers.clear();
  CHECK(names(world.plan()) == "");
}

}  // namespace
}  // namespace paas::plan::testing
