// Droplets that were made by hand, as servers of a service.
#include "plan/adopt.hpp"

#include <doctest/doctest.h>

#include "plan/support/world.hpp"

namespace paas::plan::testing {
namespace {

struct AdoptFixture {
  AdoptFixture() {
    world.up();
    droplet.id = 4711;
    droplet.name = "handmade";
    droplet.status = "active";
    droplet.public_address = "203.0.113.9";
    droplet.private_address = "10.10.0.99";
    droplet.vpc_id = world.lock().vpc->id;
    droplet.region = "nyc3";
    droplet.size = "s-1vcpu-1gb";
    droplet.image_slug = "debian-12-x64";
    droplet.created_at = "2026-01-31T08:15:00Z";
  }
  Result<std::string> adopted(const std::string& service = "frontend") {
    return adopt(world.lock(), world.input.stack, world.service(service), droplet);
  }
  void check_refused(ErrorKind kind, const std::string& part) {
    const auto before = world.lock();
    const auto result = adopted();
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == kind);
    CHECK_MESSAGE(result.error().message.find(part) != std::string::npos, result.error().message);
    CHECK(world.lock() == before);
  }
  World world;
  digitalocean::Droplet droplet;
};

TEST_CASE("adopt: a droplet becomes one more server, with the next number") {
  AdoptFixture f;
  const auto name = f.adopted();
  REQUIRE(name);
  CHECK(*name == "zipkick-frontend-3");
  const auto& server = f.world.lock().servers.at(*name);
  CHECK(server.droplet == lockfile::Resource{*name, "4711"});
  CHECK(server.private_address == "10.10.0.99");
  CHECK_FALSE(server.prepared);
  CHECK(f.world.lock().services.at("frontend").count == 3);
  CHECK(f.world.lock().services.at("frontend").next_number == 4);
}

TEST_CASE("adopt: what becomes a database's server may hold data, and is not destroyed unasked") {
  AdoptFixture f;
  f.world.lock().servers.at("zipkick-db-1").leaving = true;
  const auto name = f.adopted("db");
  REQUIRE(name);
  CHECK(f.world.lock().servers.at(*name).holds_data);
  f.droplet.name = *name;
  f.world.input.observed.servers[*name].droplet = f.droplet;
  f.world.input.replace[*name] = "asked for";
  const auto plan = f.world.plan();
  REQUIRE(plan.losses.size() == 1);
  CHECK(plan.losses[0].name == *name);
  CHECK_FALSE(f.world.lock().servers.at("zipkick-frontend-1").holds_data);
}

/// The database's server was forgotten, and is imported as another one with what runs on it.
struct ReturnedDatabase : AdoptFixture {
  ReturnedDatabase() {
    world.service("db").volume.reset();
    world.up();
    auto inside = world.machine("zipkick-db-1");
    auto& seen = world.input.observed.servers.at("zipkick-db-1");
    droplet.tags = seen.droplet.tags;
    world.lock().servers.erase("zipkick-db-1");
    world.input.observed.servers.erase("zipkick-db-1");
    const auto name = adopted("db");
    REQUIRE(*name == "zipkick-db-2");
    droplet.name = *name;
    auto& returned = world.input.observed.servers[*name];
    returned.droplet = droplet;
    returned.machine = inside;
  }
  void take() {
    take_inside(world.lock(), world.input.stack, "zipkick-db-2", world.machine("zipkick-db-2"));
  }
};

TEST_CASE("adopt: a database that runs on it stays, and is called out before another replaces it") {
  ReturnedDatabase f;
  const int release = f.world.container("zipkick-db-2").release;
  SUBCASE("it runs") {}
  SUBCASE("it is stopped") { f.world.container("zipkick-db-2").state = "exited"; }
  f.take();
  const auto& server = f.world.lock().servers.at("zipkick-db-2");
  CHECK(server.prepared);
  CHECK(server.holds_data);
  SUBCASE("with the same image") {
    CHECK(f.world.plan().losses.empty());
    f.world.up();
    CHECK(f.world.container("zipkick-db-2").release == release);
    CHECK(f.world.container("zipkick-db-2").state == "running");
    CHECK(server.release == release);
  }
  SUBCASE("with another image") {
    f.world.change_image("postgres");
    REQUIRE(f.world.plan().losses.size() == 1);
    CHECK(f.world.plan().losses[0].name == "zipkick-db-2");
  }
}

/// A server was forgotten, and is imported as one of the frontend with what runs on it.
struct StrangeServer : AdoptFixture {
  explicit StrangeServer(const std::string& forgotten) {
    world.service("db").volume.reset();
    world.up();
    auto inside = world.machine(forgotten);
    world.lock().servers.erase(forgotten);
    world.input.observed.servers.erase(forgotten);
    REQUIRE(*adopted() == imported);
    droplet.name = imported;
    auto& returned = world.input.observed.servers[imported];
    returned.droplet = droplet;
    take_inside(world.lock(), world.input.stack, imported, inside);
    returned.machine = std::move(inside);
  }
  const lockfile::Server& server() { return world.lock().servers.at(imported); }
  const std::string imported = "zipkick-frontend-3";
};

TEST_CASE("adopt: a database under another service's name is called out before it goes") {
  StrangeServer f("zipkick-db-1");
  CHECK(f.server().holds_data);
  CHECK(f.server().prepared);
  const auto plan = f.world.plan();
  REQUIRE(plan.losses.size() == 1);
  CHECK(plan.losses[0].name == f.imported);
  CHECK(plan.losses[0].step == "retire_container/zipkick-frontend-3");
  f.world.apply(plan);
  CHECK(f.world.container(f.imported).service == "frontend");
  CHECK(f.world.plan().empty());
}

TEST_CASE("adopt: another service's container goes with the run that puts the server's own there") {
  StrangeServer f("zipkick-cache-1");
  CHECK_FALSE(f.server().holds_data);
  CHECK(f.server().prepared);
  CHECK(f.world.plan().losses.empty());
  f.world.up();
  CHECK(f.world.container(f.imported).service == "frontend");
  CHECK(f.world.plan().empty());
}

TEST_CASE("adopt: a container of a service that nobody knows may be a database's") {
  StrangeServer f("zipkick-cache-1");
  auto inside = f.world.machine(f.imported);
  inside.containers.front().service = "notes";
  take_inside(f.world.lock(), f.world.input.stack, f.imported, inside);
  CHECK(f.server().holds_data);
}

TEST_CASE("adopt: a stopped container's release is known, so that no other gets its number") {
  ReturnedDatabase f;
  f.world.lock().services.at("db").releases.clear();
  f.world.container("zipkick-db-2").release = 7;
  f.world.container("zipkick-db-2").state = "exited";
  f.take();
  REQUIRE(f.world.lock().services.at("db").releases.size() == 1);
  CHECK(f.world.lock().services.at("db").releases[0].number == 7);
}

TEST_CASE("adopt: a droplet without a container of its service is prepared by the next run") {
  ReturnedDatabase f;
  f.world.machine("zipkick-db-2").containers.clear();
  f.take();
  CHECK_FALSE(f.world.lock().servers.at("zipkick-db-2").prepared);
}

TEST_CASE("adopt: the next run prepares it, tags it and puts a container into rotation") {
  AdoptFixture f;
  f.droplet.name = *f.adopted();
  f.world.input.observed.servers[f.droplet.name].droplet = f.droplet;
  f.world.up();
  CHECK(f.world.violations == std::vector<std::string>{});
  CHECK(f.world.container("zipkick-frontend-3").state == "running");
  CHECK(f.world.balancer().in_rotation.at("frontend").contains("zipkick-frontend-3.r1"));
  CHECK(f.world.server("zipkick-frontend-3").droplet.id == 4711);
  CHECK(rendered(f.world.plan()) == "nothing to do\n");
}

TEST_CASE("adopt: a name with a number that nobody was given is kept") {
  AdoptFixture f;
  f.droplet.name = "zipkick-frontend-7";
  CHECK(*f.adopted() == "zipkick-frontend-7");
  CHECK(f.world.lock().services.at("frontend").next_number == 8);
  AdoptFixture used;
  used.droplet.name = "zipkick-frontend-2";
  CHECK(*used.adopted() == "zipkick-frontend-3");
}

TEST_CASE("adopt: what cannot be a server of the service is refused, and nothing is changed") {
  SUBCASE("another network") {
    AdoptFixture f;
    f.droplet.vpc_id = "elsewhere";
    f.check_refused(ErrorKind::invalid, "is not in the stack's private network");
  }
  SUBCASE("another region") {
    AdoptFixture f;
    f.droplet.region = "fra1";
    f.check_refused(ErrorKind::invalid, "is in fra1, the stack in nyc3");
  }
  SUBCASE("another size") {
    AdoptFixture f;
    f.droplet.size = "s-2vcpu-2gb";
    f.check_refused(ErrorKind::invalid, "`up` would replace it");
  }
  SUBCASE("off") {
    AdoptFixture f;
    f.droplet.status = "off";
    f.check_refused(ErrorKind::invalid, "droplet handmade (4711) is off");
  }
  SUBCASE("another stack's") {
    AdoptFixture f;
    f.droplet.tags = {"paas:other", "paas:other:web"};
    f.check_refused(ErrorKind::exists, "is another stack's");
  }
  SUBCASE("a server already") {
    AdoptFixture f;
    f.droplet.id = std::stoll(f.world.lock().servers.at("zipkick-frontend-1").droplet.id);
    f.check_refused(ErrorKind::exists, "is server zipkick-frontend-1 already");
  }
  SUBCASE("one too many") {
    AdoptFixture f;
    f.world.service("frontend").scale.max = 2;
    f.check_refused(ErrorKind::usage, "frontend can have 2 servers at most");
  }
  SUBCASE("no stack yet") {
    AdoptFixture f;
    f.world.lock().vpc.reset();
    f.check_refused(ErrorKind::invalid, "the stack has no private network yet");
  }
}

}  // namespace
}  // namespace paas::plan::testing
