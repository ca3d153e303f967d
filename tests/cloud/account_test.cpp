// Tests of the account, its keys, regions, sizes and images.
#include <doctest/doctest.h>

#include "cloud/support/core_fixture.hpp"

using paas::cloud::testing::Core;
using paas::cloud::testing::Json;

namespace {

const std::string public_key =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl test";

}  // namespace

TEST_CASE("cloud: the account has the droplet limit") {
  Core core;
  core.state.settings.droplet_limit = 25;
  const auto answer = core.get("/v2/account");
  CHECK(answer.status == 200);
  CHECK(answer.body["account"]["droplet_limit"] == 25);
  CHECK(answer.body["account"]["status"] == "active");
}

TEST_CASE("cloud: a key is found by its number and by its fingerprint") {
  Core core;
  const auto made = core.post("/v2/account/keys", {{"name", "mine"}, {"public_key", public_key}});
  REQUIRE(made.status == 201);
  const auto& key = made.body["ssh_key"];
  // As ssh-keygen -E md5 -lf prints it for this key.
  CHECK(key["fingerprint"] == "65:96:2d:fc:e8:d5:a9:11:64:0c:0f:ea:00:6e:5b:bd");
  CHECK(core.get("/v2/account/keys/" + key["id"].dump()).body["ssh_key"] == key);
  CHECK(core.get("/v2/account/keys/" + key["fingerprint"].get<std::string>()).body["ssh_key"] ==
        key);
  CHECK(core.get("/v2/account/keys").body["ssh_keys"].size() == 1);
  CHECK(core.send("PUT", "/v2/account/keys/" + key["id"].dump(), {{"name", "other"}})
            .body["ssh_key"]["name"] == "other");
  CHECK(core.remove("/v2/account/keys/" + key["id"].dump()).status == 204);
  CHECK(core.get("/v2/account/keys/" + key["id"].dump()).status == 404);
}

TEST_CASE("cloud: a key can be registered once, and only when it is one") {
  Core core;
  REQUIRE(core.post("/v2/account/keys", {{"name", "a"}, {"public_key", public_key}}).status == 201);
  const auto again = core.post("/v2/account/keys", {{"name", "b"}, {"public_key", public_key}});
  CHECK(again.status == 422);
  CHECK(again.body["message"] == "SSH Key is already in use on your account");
  for (const auto* text : {"", "ssh-ed25519", "ssh-ed25519 !!!", "ssh-rsa AAAAC3NzaC1lZDI1NTE5"}) {
    CHECK(core.post("/v2/account/keys", {{"name", "c"}, {"public_key", text}}).status == 422);
  }
  CHECK(core.post("/v2/account/keys", {{"public_key", public_key}}).status == 422);
}

TEST_CASE("cloud: sizes have prices and say where they are available") {
  Core core;
  const auto answer = core.get("/v2/sizes?per_page=200");
  for (const auto& size : answer.body["sizes"]) {
    CHECK(size["price_monthly"].get<double>() > 0);
    CHECK(size["memory"].get<int>() % 8 == 0);
    CHECK_FALSE(size["regions"].empty());
  }
  CHECK(core.get("/v2/regions").body["regions"].size() > 5);
}

TEST_CASE("cloud: the distribution is found by slug and by number, and is not the account's") {
  Core core;
  const auto by_slug = core.get("/v2/images/debian-12-x64");
  REQUIRE(by_slug.status == 200);
  const auto id = by_slug.body["image"]["id"].dump();
  CHECK(core.get("/v2/images/" + id).body == by_slug.body);
  CHECK(core.get("/v2/images?type=distribution").body["images"].size() == 1);
  CHECK(core.get("/v2/images?type=application").body["images"].empty());
  CHECK(core.get("/v2/images?private=true").body["images"].empty());
  CHECK(core.remove("/v2/images/" + id).status == 403);
  CHECK(core.get("/v2/images/ubuntu-24-04-x64").status == 404);
}
