// Adding and taking out one server, and the same command again after an interruption.
#include "plan/counts.hpp"

#include <doctest/doctest.h>

#include "plan/support/world.hpp"

namespace paas::plan::testing {
namespace {

int count_of(World& world) { return world.lock().services.at("frontend").count; }

TEST_CASE("plan: taking out a server a second time takes out no other") {
  World world;
  world.up();
  REQUIRE(add_one(world.lock(), world.service("frontend")));
  world.up();
  REQUIRE(count_of(world) == 3);
  REQUIRE(take_out(world.lock(), world.input.stack, "zipkick-frontend-1"));
  CHECK(world.lock().servers.at("zipkick-frontend-1").leaving);
  CHECK(count_of(world) == 2);
  // Also at the minimum, which the first time has reached.
  REQUIRE(take_out(world.lock(), world.input.stack, "zipkick-frontend-1"));
  CHECK(count_of(world) == 2);
  const auto other = take_out(world.lock(), world.input.stack, "zipkick-frontend-2");
  REQUIRE_FALSE(other);
  CHECK(other.error().kind == ErrorKind::usage);
  CHECK_FALSE(world.lock().servers.at("zipkick-frontend-2").leaving);
}

TEST_CASE("plan: adding a server again adds none while the first is not finished") {
  World world;
  world.up();
  REQUIRE(add_one(world.lock(), world.service("frontend")));
  CHECK(count_of(world) == 3);
  // Killed before the server was made, before it was prepared, before its container started.
  REQUIRE(add_one(world.lock(), world.service("frontend")));
  CHECK(count_of(world) == 3);
  world.up();
  for (const bool prepared : {false, true}) {
    auto unfinished = world;
    unfinished.lock().servers.at("zipkick-frontend-3").prepared = prepared;
    unfinished.lock().servers.at("zipkick-frontend-3").release = 0;
    REQUIRE(add_one(unfinished.lock(), unfinished.service("frontend")));
    CHECK(count_of(unfinished) == 3);
  }
  REQUIRE(add_one(world.lock(), world.service("frontend")));
  CHECK(count_of(world) == 4);
  world.up();
  const auto full = add_one(world.lock(), world.service("frontend"));
  REQUIRE_FALSE(full);
  CHECK(full.error().kind == ErrorKind::usage);
}

}  // namespace
}  // namespace paas::plan::testing
