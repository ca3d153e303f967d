// Servers that run something newer than the lockfile knows, and how an older lockfile goes on.
#include "plan/releases.hpp"

#include <doctest/doctest.h>

#include "plan/numbers.hpp"
#include "plan/renewal.hpp"
#include "plan/support/world.hpp"

namespace paas::plan::testing {
namespace {

/// The example with a database that is told new passwords.
World with_set_program() {
  World world;
  world.service("db").credentials->set = {"/set-password"};
  world.up();
  return world;
}

TEST_CASE("case 19: servers that run a newer release prove that the lockfile is older") {
  auto world = with_set_program();
  const auto older = world.lock();
  world.change_image("web");
  world.up();
  CHECK(check_releases(world.lock(), world.input.observed));
  world.lock() = older;
  const auto plan = make(world.input);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().kind == ErrorKind::invalid);
  CHECK(plan.error().message ==
        "the lockfile is older than the servers: zipkick-backend-1 runs release 2 of backend, and "
        "it has numbered releases up to 1 only");
  CHECK(plan.error().hint.find("state accept") != std::string::npos);
  // A container that does not run, or another droplet of that name, proves nothing.
  for (auto& [name, server] : world.input.observed.servers) {
    for (auto& container : server.machine->containers) container.state = "exited";
  }
  CHECK(check_releases(world.lock(), world.input.observed));
}

TEST_CASE("accept: an older lockfile goes on above what runs, and with new passwords") {
  auto world = with_set_program();
  const auto older = world.lock();
  // Another machine rotated the password and deployed another image.
  world.input.rotate["db"] = "its password is rotated";
  world.up();
  world.input.rotate.clear();
  world.change_image("web");
  world.up();
  const auto newest = world.lock();
  REQUIRE(newest.services.at("db").password != older.services.at("db").password);
  world.lock() = older;
  REQUIRE_FALSE(make(world.input));

  raise_numbers("zipkick", world.input.observed, world.lock());
  take_running_releases(world.input.stack, world.input.observed, world.lock());
  CHECK(renew_passwords(world.input.stack, world.input.observed, world.lock()) ==
        std::vector<std::string>{"db"});
  for (const auto* service : {"frontend", "backend"}) {
    CAPTURE(service);
    const auto& releases = world.lock().services.at(service).releases;
    const auto& known = newest.services.at(service).releases;
    REQUIRE_FALSE(releases.empty());
    CHECK(releases.back().number == known.back().number);
    CHECK(releases.back().image_digest == known.back().image_digest);
    CHECK(releases.back().environment_digest == known.back().environment_digest);
  }
  CHECK(world.lock().servers.at("zipkick-frontend-1").release ==
        newest.servers.at("zipkick-frontend-1").release);
  CHECK(world.lock().services.at("db").password.empty());
  CHECK(world.lock().services.at("db").rotation == lockfile::PasswordRotation());

  // Nobody is given what the older lockfile knew: the data is told a new one before.
  const auto plan = world.plan();
  world.apply(plan);
  CHECK(world.violations == std::vector<std::string>{});
  CHECK_FALSE(world.lock().services.at("db").rotation);
  CHECK(world.lock().services.at("db").password != older.services.at("db").password);
  CHECK(rendered(world.plan()) == "nothing to do\n");
}

TEST_CASE("accept: a database that a newer run put into a container without a volume holds data") {
  World world;
  world.up();
  const auto older = world.lock();
  world.service("db").volume.reset();
  world.up();
  SUBCASE("it runs") {}
  SUBCASE("it is stopped") { world.container("zipkick-db-1").state = "exited"; }
  world.lock() = older;
  take_running_releases(*older.applied, world.input.observed, world.lock());
  CHECK(world.lock().servers.at("zipkick-db-1").holds_data);
  CHECK_FALSE(world.lock().servers.at("zipkick-frontend-1").holds_data);
  CHECK_FALSE(world.lock().servers.at("zipkick-cache-1").holds_data);
}

TEST_CASE("accept: a database on its volume holds no other data") {
  World world;
  world.up();
  const auto older = world.lock();
  take_running_releases(*older.applied, world.input.observed, world.lock());
  CHECK(world.lock() == older);
}

TEST_CASE("releases: where none is written down, the container that runs is a server's own") {
  lockfile::Server server;
  server.service = "db";
  server.holds_data = true;
  observe::Machine inside;
  for (const int release : {1, 2, 3}) {
    auto& container = inside.containers.emplace_back();
    container.service = release == 3 ? "notes" : "db";
    container.release = release;
    container.state = "running";
  }
  const auto own = [&] {
    const auto* container = current_container(inside, server);
    return container == nullptr ? 0 : container->release;
  };
  CHECK(own() == 2);
  inside.containers[1].state = "exited";
  CHECK(own() == 1);
  inside.containers[0].state = "exited";
  CHECK(own() == 2);
  server.release = 1;
  CHECK(own() == 1);
  server.release = 0;
  server.holds_data = false;
  CHECK(own() == 0);
}

TEST_CASE("accept: a password that nothing can have rotated stays") {
  World world;
  world.up();
  const auto before = world.lock();
  CHECK(renew_passwords(world.input.stack, world.input.observed, world.lock()).empty());
  CHECK(world.lock() == before);
}

}  // namespace
}  // namespace paas::plan::testing
