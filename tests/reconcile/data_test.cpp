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

}  // namespace
}  // namespace paas::reconcile::testing
