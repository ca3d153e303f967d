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
      rig.http, rig.clock, {"http://127.0.0.1:4000", Secret("dop_v1_test"), {}, [] {
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
