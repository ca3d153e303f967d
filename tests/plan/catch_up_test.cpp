// How an older lockfile that was accepted goes on from what newer ones made.
#include "plan/catch_up.hpp"

#include <doctest/doctest.h>

#include "plan/support/world.hpp"

namespace paas::plan::testing {
namespace {

std::vector<std::string> catch_up(World& world) {
  return plan::catch_up(world.input.stack, world.input.observed, world.lock());
}

TEST_CASE("catch up: the newest lockfile stays as it is but for passwords") {
  World world;
  world.up();
  const auto newest = world.lock();
  CHECK(is_newest("zipkick", world.lock(), world.input.observed));
  CHECK(catch_up(world).empty());
  CHECK(world.lock() == newest);
}

TEST_CASE("catch up: numbers and releases in use prove a newer lockfile and are gone on from") {
  World world;
  world.up();
  world.lock().vpc->id = "vpc-of-the-stack";
  const auto older = world.lock();
  SUBCASE("a server was added") { world.lock().services.at("frontend").count = 3; }
  SUBCASE("an image was deployed") { world.change_image("web"); }
  world.up();
  for (auto& [name, server] : world.input.observed.servers) {
    server.droplet.vpc_id = "vpc-of-the-stack";
  }
  const auto newest = world.lock();
  world.lock() = older;
  CHECK_FALSE(is_newest("zipkick", world.lock(), world.input.observed));
  CHECK(catch_up(world).empty());
  CHECK(is_newest("zipkick", world.lock(), world.input.observed));
  const auto& frontend = world.lock().services.at("frontend");
  CHECK(frontend.next_number == newest.services.at("frontend").next_number);
  CHECK(frontend.releases.back().number == newest.services.at("frontend").releases.back().number);
}

TEST_CASE("catch up: a service that runs and has a program that sets passwords gets a new one") {
  World world;
  world.service("db").credentials->set = {"/set-password"};
  world.up();
  CHECK(catch_up(world) == std::vector<std::string>{"db"});
  CHECK(world.lock().services.at("db").password.empty());
  CHECK(world.lock().services.at("db").rotation == lockfile::PasswordRotation());
  CHECK_FALSE(world.lock().services.at("cache").rotation);
}

TEST_CASE("catch up: an address that a newer lockfile reserved is found by the droplet") {
  World world;
  world.up();
  const auto balancer = world.lock().servers.at("zipkick-lb-1").droplet.id;
  const auto address = world.lock().lb->reserved_ip;
  SUBCASE("it had none") { world.lock().lb->reserved_ip.clear(); }
  SUBCASE("it had another one, which was released") {
    world.lock().lb->reserved_ip = "203.0.113.9";
  }
  (void)catch_up(world);
  CHECK(world.lock().lb->intended_for == balancer);
  world.up();
  CHECK(world.lock().lb->reserved_ip == address);
  CHECK(world.input.observed.reserved_ips.size() == 1);
  CHECK(rendered(world.plan()) == "nothing to do\n");
}

TEST_CASE("catch up: an address that is not listed yet is looked for before one is reserved") {
  World world;
  world.up();
  world.lock().lb->reserved_ip.clear();
  world.input.observed.reserved_ips.clear();
  (void)catch_up(world);
  CHECK(world.lock().lb->intended_for == world.lock().servers.at("zipkick-lb-1").droplet.id);
}

TEST_CASE("catch up: an address that the lockfile knows is the only one it takes") {
  World world;
  world.up();
  world.input.observed.reserved_ips.front().droplet_id = 0;
  world.input.observed.reserved_ips.push_back(
      {"203.0.113.9", "nyc3", world.server("zipkick-lb-1").droplet.id, false});
  (void)catch_up(world);
  CHECK(world.lock().lb->intended_for.empty());
}

}  // namespace
}  // namespace paas::plan::testing
