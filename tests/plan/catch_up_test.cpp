// How an older lockfile that was accepted goes on from what newer ones made.
#include "plan/catch_up.hpp"

#include <doctest/doctest.h>

#include "plan/support/world.hpp"

namespace paas::plan::testing {
namespace {

CaughtUp catch_up(World& world) {
  return plan::catch_up(world.input.stack, world.input.observed, world.lock());
}

TEST_CASE("catch up: the newest lockfile stays as it is but for passwords") {
  World world;
  world.up();
  const auto newest = world.lock();
  CHECK(is_newest("zipkick", world.lock(), world.input.observed));
  CHECK(catch_up(world).renewed.empty());
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
  CHECK(catch_up(world).renewed.empty());
  CHECK(is_newest("zipkick", world.lock(), world.input.observed));
  const auto& frontend = world.lock().services.at("frontend");
  CHECK(frontend.next_number == newest.services.at("frontend").next_number);
  CHECK(frontend.releases.back().number == newest.services.at("frontend").releases.back().number);
}

constexpr const char* network = "vpc-of-the-stack";

/// The stack is up, and the lockfile of a run comes back whose every droplet was refused.
struct Refused {
  explicit Refused(std::string_view yaml = example) : world(yaml) {
    world.up();
    world.lock().vpc->id = network;
    for (auto& [name, server] : world.input.observed.servers) {
      server.droplet.vpc_id = network;
      server.machine.reset();
    }
    for (auto& [name, server] : world.lock().servers) {
      lockfile::Server refused;
      refused.service = server.service;
      refused.number = server.number;
      refused.droplet.name = name;
      refused.size = server.size;
      server = refused;
    }
  }
  World world;
};

TEST_CASE("catch up: a droplet of a server that was never asked for proves a newer lockfile") {
  Refused f;
  CHECK_FALSE(is_newest("zipkick", f.world.lock(), f.world.input.observed));
  const auto plan = make(f.world.input);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().kind == ErrorKind::invalid);
  CHECK(plan.error().message.find("the lockfile is older than the cloud: droplet "
                                  "zipkick-backend-1 (") == 0);
  CHECK(plan.error().message.find("is in its network, and it has never asked for it") !=
        std::string::npos);
}

TEST_CASE("catch up: what was asked for, lies elsewhere or is no droplet proves nothing") {
  Refused f;
  SUBCASE("a run was cut short between the key's being written down and the identifier") {
    for (auto& [name, server] : f.world.lock().servers) server.host_key = "ssh-ed25519 first";
  }
  SUBCASE("the droplets lie in another network") {
    for (auto& [name, server] : f.world.input.observed.servers) server.droplet.vpc_id = "another";
  }
  SUBCASE("nothing was made") { f.world.input.observed.servers.clear(); }
  CHECK(is_newest("zipkick", f.world.lock(), f.world.input.observed));
  CHECK(catch_up(f.world).taken.empty());
}

TEST_CASE("catch up: a server that was never asked for leaves with the droplet that it has") {
  Refused f;
  const auto taken = catch_up(f.world).taken;
  CHECK(taken.size() == f.world.lock().servers.size());
  CHECK(is_newest("zipkick", f.world.lock(), f.world.input.observed));
  for (const auto& [name, server] : f.world.lock().servers) {
    CAPTURE(name);
    const auto& droplet = f.world.server(name).droplet;
    CHECK(server.droplet.id == std::to_string(droplet.id));
    CHECK(server.public_address == droplet.public_address);
    CHECK(server.private_address == droplet.private_address);
    CHECK(server.leaving);
    CHECK_FALSE(server.holds_data);  // The database's is on the volume that the droplet has.
  }
  f.world.up();
  CHECK(f.world.lock().servers.contains("zipkick-db-2"));
  CHECK_FALSE(f.world.lock().servers.contains("zipkick-db-1"));
  CHECK(f.world.input.observed.servers.size() == 7);
  CHECK(rendered(f.world.plan()) == "nothing to do\n");
}

TEST_CASE("catch up: a database that may be on such a droplet is not destroyed unasked") {
  std::string yaml(example);
  const std::string line = "    volume: {size: 10GiB, mount: /var/lib/postgresql}\n";
  Refused f(yaml.erase(yaml.find(line), line.size()));
  (void)catch_up(f.world);
  for (const auto& plan :
       {f.world.plan(), make_down(f.world.lock(), f.world.input.observed, Volumes::keep)}) {
    REQUIRE(plan.losses.size() == 1);
    CHECK(plan.losses[0].name == "zipkick-db-1");
  }
}

TEST_CASE("catch up: a service that runs and has a program that sets passwords gets a new one") {
  World world;
  world.service("db").credentials->set = {"/set-password"};
  world.up();
  CHECK(catch_up(world).renewed == std::vector<std::string>{"db"});
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
