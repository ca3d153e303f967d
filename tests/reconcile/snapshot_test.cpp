// Machine images: a builder droplet never outlives the next run, wherever its own was killed.
#include "reconcile/snapshot.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "lockfile/names.hpp"
#include "reconcile/support/rig.hpp"

namespace paas::reconcile::testing {
namespace {

constexpr std::string_view stack = R"(stack: shop
region: nyc3
ssh: {from: [0.0.0.0/0]}
images: {web: {pull: "example/web:1"}}
services:
  web: {type: web, image: web, port: 8000}
)";

void check_no_builder(const World& world) {
  for (const auto& [id, droplet] : world.cloud.droplets)
    CHECK_MESSAGE(droplet.leaving, droplet.name);
  CHECK(world.stored.temporary.empty());
}

TEST_CASE("snapshot: the builder is destroyed when the machine image is taken") {
  World world;
  Rig rig(world, stack);
  const auto snapshot = rig.save_snapshot("web");
  REQUIRE_MESSAGE(snapshot, (snapshot ? "" : describe(snapshot.error())));
  CHECK(snapshot->name.starts_with("shop.web.image-"));
  CHECK(world.cloud.images.contains(std::stoll(snapshot->id)));
  check_no_builder(world);
}

TEST_CASE("snapshot: the builder lies in the stack's network where there is one") {
  World world;
  Rig rig(world, stack);
  std::string network;
  rig.http.intercept = [&](const HttpRequest& request) {
    if (request.method == "POST" && request.url.ends_with("/v2/droplets")) {
      network = nlohmann::json::parse(request.body).value("vpc_uuid", "");
    }
    return rig.http.pass(request);
  };
  REQUIRE(rig.save_snapshot("web"));
  CHECK(network.empty());
  REQUIRE(rig.up());
  REQUIRE(world.stored.vpc);
  REQUIRE(rig.save_snapshot("web"));
  CHECK(network == world.stored.vpc->id);
  CHECK(world.stored.temporary.empty());
}

TEST_CASE("case 6: a builder that was accepted and is not found yet is waited for and destroyed") {
  World world;
  Rig rig(world, stack);
  const auto name = lockfile::builder_name("shop", "web", "00ff");
  HttpRequest creation;
  creation.method = "POST";
  creation.url = "http://127.0.0.1:4000/v2/droplets";
  creation.body =
      nlohmann::json{
          {"name", name}, {"region", "nyc3"}, {"size", "s-1vcpu-1gb"}, {"image", "debian-12-x64"}}
          .dump();
  REQUIRE(rig.http.send(creation)->status == 202);
  world.stored.temporary[name] = {name, std::to_string(world.cloud.droplets.begin()->first)};
  int looks = 0;
  rig.http.intercept = [&](const HttpRequest& request) -> Result<HttpResponse> {
    if (request.method == "GET") ++looks;
    if (looks < 3) return HttpResponse{404, {}, R"({"id": "not_found", "message": "no"})"};
    return rig.http.pass(request);
  };
  REQUIRE(rig.remove_builders());
  check_no_builder(world);
}

TEST_CASE("snapshot: the next run destroys the builder of one that was killed anywhere") {
  World whole;
  Rig measured(whole, stack);
  REQUIRE(measured.save_snapshot("web"));
  const int effects = measured.fuse.spent();
  REQUIRE(effects > 8);
  for (int kill = 1; kill < effects; ++kill) {
    CAPTURE(kill);
    World world;
    Rig killed(world, stack);
    killed.fuse.set(kill);
    (void)killed.save_snapshot("web");
    REQUIRE(killed.fuse.blown());
    Rig fresh(world, stack);
    const auto removed = fresh.remove_builders();
    REQUIRE_MESSAGE(removed, (removed ? "" : describe(removed.error())));
    check_no_builder(world);
  }
}

TEST_CASE("snapshot: a builder whose creation was not answered is found and destroyed at once") {
  World world;
  Rig rig(world, stack);
  rig.http.cut_next = "POST /v2/droplets";
  const auto snapshot = rig.save_snapshot("web");
  REQUIRE_FALSE(snapshot);
  CHECK(snapshot.error().kind == ErrorKind::unreachable);
  REQUIRE(rig.http.changes.size() == 3);
  CHECK(rig.http.changes[1] == "POST /v2/droplets");
  CHECK(rig.http.changes[2].starts_with("DELETE /v2/droplets/"));
  check_no_builder(world);
}

TEST_CASE("snapshot: nothing is looked for when the builder was refused") {
  World world;
  world.cloud.settings.droplet_limit = 0;
  Rig rig(world, stack);
  REQUIRE_FALSE(rig.save_snapshot("web"));
  CHECK(world.stored.temporary.empty());
  CHECK(rig.clock.monotonic() < rig.options.timeouts.grace);
}

}  // namespace
}  // namespace paas::reconcile::testing
