// What is seen of a stack when lists lie, droplets share a name and servers do not answer.
#include "observe/observe.hpp"

#include <doctest/doctest.h>

#include <utility>

#include "lockfile/names.hpp"
#include "reconcile/support/rig.hpp"

namespace paas::observe {
namespace {

using reconcile::testing::Rig;
using reconcile::testing::World;

constexpr std::string_view small = R"(stack: shop
region: nyc3
ssh: {from: [0.0.0.0/0]}
images: {web: {pull: "example/web:1"}}
services: {web: {type: web, image: web, port: 8000, scale: {min: 2, max: 3}}}
lb: {listen: [80], rules: [{to: web}]}
)";

/// A stack that is up, and a look at it.
struct Fixture {
  Fixture() {
    const auto outcome = rig.up();
    REQUIRE(outcome);
    REQUIRE(outcome->failures.empty());
  }
  cloud::Droplet& droplet(const std::string& name) {
    for (auto& [id, candidate] : world.cloud.droplets) {
      if (candidate.name == name) return candidate;
    }
    FAIL("no droplet " << name);
    return world.cloud.droplets.begin()->second;
  }
  Observed look(Depth depth = Depth::machines) {
    auto seen = observe(client, rig.machines, world.stored, "shop", "nyc3", {depth, 1});
    REQUIRE(seen);
    return *seen;
  }
  World world;
  Rig rig{world, small};
  digitalocean::Client client{
      rig.http, rig.clock, {"http://127.0.0.1:4000", Secret("dop_v1_test"), {}, {}, [] {
                              return 0.5;
                            }}};
};

TEST_CASE("observe: a stack that is up is seen with its servers' insides") {
  Fixture fixture;
  const auto seen = fixture.look();
  REQUIRE(seen.servers.size() == 3);
  CHECK(seen.servers.at("shop-web-1").machine->containers.size() == 1);
  CHECK_FALSE(seen.servers.at("shop-web-1").machine->balancer);
  CHECK(seen.servers.at("shop-lb-1").machine->balancer->running);
  CHECK(seen.firewalls.size() == 2);
  CHECK(seen.vpc);
  CHECK(seen.reserved_ips.size() == 1);
}

TEST_CASE("observe: the cloud alone is looked at when that is asked for") {
  Fixture fixture;
  for (const auto& [name, server] : fixture.look(Depth::cloud).servers) {
    CHECK_FALSE(server.machine);
    CHECK(server.unreachable.empty());
  }
}

TEST_CASE("observe: a droplet that lost its tags is found by what was written down") {
  Fixture fixture;
  fixture.droplet("shop-web-1").tags.clear();
  CHECK(fixture.look().servers.contains("shop-web-1"));
  fixture.world.stored.servers.at("shop-web-1").droplet.id.clear();
  CHECK(fixture.look().servers.contains("shop-web-1"));
}

TEST_CASE("case 11: of two droplets of one name the one that was written down is ours") {
  Fixture fixture;
  const auto ours = fixture.droplet("shop-web-1");
  for (const auto id : {ours.id - 1'000, ours.id + 1'000}) {
    auto other = ours;
    other.id = id;
    fixture.world.cloud.droplets[id] = other;
  }
  CHECK(fixture.look().servers.at("shop-web-1").droplet.id == ours.id);
}

TEST_CASE(
    "observe: a droplet that another lockfile made under the same name and tags is not ours") {
  Fixture fixture;
  fixture.droplet("shop-web-1").vpc_id = "11111111-2222-3333-4444-555555555555";
  fixture.world.stored.servers.at("shop-web-1").droplet.id.clear();
  CHECK_FALSE(fixture.look().servers.contains("shop-web-1"));
  fixture.world.stored.servers.at("shop-web-1").droplet.id = "1";
  CHECK_FALSE(fixture.look().servers.contains("shop-web-1"));
}

TEST_CASE("observe: a droplet that is gone is not there, one that is off is not asked") {
  Fixture fixture;
  fixture.world.cloud.droplets.erase(fixture.droplet("shop-web-1").id);
  fixture.droplet("shop-web-2").status = cloud::DropletStatus::off;
  const auto seen = fixture.look();
  CHECK_FALSE(seen.servers.contains("shop-web-1"));
  CHECK_FALSE(seen.servers.at("shop-web-2").machine);
  CHECK(seen.servers.at("shop-web-2").unreachable == "its droplet is off");
}

TEST_CASE(
    "case 6: a droplet that was accepted and is not found yet is looked for before it is gone") {
  Fixture fixture;
  auto& server = fixture.world.stored.servers.at("shop-web-1");
  server.prepared = false;
  server.private_address.clear();
  const auto accepted = fixture.droplet("shop-web-1");
  fixture.world.cloud.droplets.erase(accepted.id);
  Options options;
  options.depth = Depth::cloud;
  options.clock = &fixture.rig.clock;
  std::string told;
  options.on_wait = [&](const std::string& text) { told = text; };
  const auto began = fixture.rig.clock.monotonic();
  auto seen =
      observe(fixture.client, fixture.rig.machines, fixture.world.stored, "shop", "nyc3", options);
  REQUIRE(seen);
  CHECK_FALSE(seen->servers.contains("shop-web-1"));
  CHECK(fixture.rig.clock.monotonic() - began >= options.grace);
  CHECK(told == "shop-web-1 was accepted and not seen yet: looking");
  // It is found at the third look.
  int looks = 0;
  fixture.rig.http.intercept = [&](const HttpRequest& request) {
    const bool is_look = request.url.ends_with("/v2/droplets/" + std::to_string(accepted.id));
    if (is_look && ++looks == 3) fixture.world.cloud.droplets[accepted.id] = accepted;
    return fixture.rig.http.pass(request);
  };
  seen =
      observe(fixture.client, fixture.rig.machines, fixture.world.stored, "shop", "nyc3", options);
  REQUIRE(seen);
  CHECK(seen->servers.at("shop-web-1").droplet.id == accepted.id);
  CHECK(looks == 3);
}

TEST_CASE("observe: machine images of the stack are seen, the newest first") {
  Fixture fixture;
  const auto add = [&](cloud::Id id, const std::string& name, cloud::UnixTime created) {
    cloud::Image image;
    image.id = id;
    image.name = name;
    image.region = "nyc3";
    image.created = created;
    fixture.world.cloud.images[id] = std::move(image);
  };
  // Neither their identifiers nor their names tell which is newer.
  add(7001, lockfile::snapshot_prefix("shop", "web") + "b", 1'800'000'100);
  add(7002, lockfile::snapshot_prefix("shop", "web") + "c", 1'800'000'300);
  add(7003, lockfile::snapshot_prefix("shop", "web") + "a", 1'800'000'200);
  add(7004, lockfile::snapshot_prefix("shop-eu", "web") + "d", 1'800'000'400);
  const auto seen = fixture.look(Depth::cloud);
  std::vector<std::string> ids;
  for (const auto& snapshot : seen.snapshots) ids.push_back(snapshot.id);
  CHECK(ids == std::vector<std::string>{"7002", "7003", "7001"});
  CHECK_FALSE(seen.disks_gigabytes.empty());
}

TEST_CASE("observe: a provider that does not answer is an error, never an empty list") {
  Fixture fixture;
  fixture.rig.fuse.set(1);
  (void)fixture.rig.fuse.spend();
  CHECK_FALSE(observe(fixture.client, fixture.rig.machines, fixture.world.stored, "shop", "nyc3",
                      {Depth::cloud, 1}));
}

}  // namespace
}  // namespace paas::observe
