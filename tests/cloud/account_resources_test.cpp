// Tests of domains with their records, of projects, and of the registry.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/text.hpp"
#include "cloud/state_json.hpp"
#include "cloud/support/core_fixture.hpp"

using namespace paas::cloud;
using paas::cloud::testing::Core;
using paas::cloud::testing::Json;

namespace {

std::string said(const testing::Exchange& answer) {
  return fmt::format("{} {}", answer.status, answer.body.value("message", std::string()));
}

}  // namespace

TEST_CASE("cloud: a domain begins with its own records") {
  Core core;
  const auto made =
      core.post("/v2/domains", {{"name", "Example.com"}, {"ip_address", "192.0.2.7"}});
  CHECK(made.status == 201);
  CHECK(made.body["domain"]["name"] == "example.com");
  const auto records = core.get("/v2/domains/example.com/records").body;
  CHECK(records["meta"]["total"] == 5);
  std::vector<std::string> types;
  for (const auto& record : records["domain_records"]) types.push_back(record["type"]);
  CHECK(types == std::vector<std::string>{"SOA", "NS", "NS", "NS", "A"});
  const auto zone = core.get("/v2/domains/example.com").body["domain"]["zone_file"];
  CHECK(zone.get<std::string>().find("example.com. 1800 IN A 192.0.2.7\n") != std::string::npos);
  CHECK(said(core.post("/v2/domains", {{"name", "example.com"}})) == "422 Name already exists");
  for (const auto* name : {"", "example", "-a.com", "a..com", "a b.com"}) {
    CHECK(core.post("/v2/domains", {{"name", name}}).status == 422);
  }
  CHECK(core.remove("/v2/domains/example.com").status == 204);
  CHECK(core.get("/v2/domains/example.com").status == 404);
  CHECK(core.remove("/v2/domains/example.com").status == 404);
}

TEST_CASE("cloud: records are held to what their type needs") {
  Core core;
  core.post("/v2/domains", {{"name", "example.com"}});
  const auto path = std::string("/v2/domains/example.com/records");
  const auto add = [&](const Json& body) { return said(core.post(path, body)); };
  CHECK(add({{"type", "A"}, {"name", "www"}, {"data", "192.0.2.1"}}).starts_with("201"));
  CHECK(add({{"type", "A"}, {"name", "www"}, {"data", "www"}}) ==
        "422 IP address did not match IPv4 format");
  CHECK(add({{"type", "A"}, {"data", "192.0.2.1"}}) == "422 Name can't be blank");
  CHECK(add({{"type", "A"}, {"name", "x"}}) == "422 Data can't be blank");
  CHECK(add({{"type", "A"}, {"name", "x"}, {"data", "192.0.2.1"}, {"ttl", 29}}) ==
        "422 TTL must be greater than or equal to 30");
  CHECK(add({{"type", "CNAME"}, {"name", "blog"}, {"data", "example.net"}}) ==
        "422 Data needs to end with a dot (.)");
  CHECK(add({{"type", "CNAME"}, {"name", "www"}, {"data", "@"}}) ==
        "422 CNAME records cannot share a name with other records");
  CHECK(add({{"type", "MX"}, {"name", "@"}, {"data", "mail.example.com."}}) ==
        "422 Priority can't be blank");
  CHECK(add({{"type", "SRV"}, {"name", "_x._tcp"}, {"data", "@"}, {"priority", 1}, {"port", 7}}) ==
        "422 Weight can't be blank");
  CHECK(add({{"type", "CAA"}, {"name", "@"}, {"data", "ca.org."}, {"flags", 0}, {"tag", "x"}}) ==
        "422 Tag must be issue, issuewild or iodef");
  CHECK(add({{"type", "PTR"}, {"name", "@"}, {"data", "x."}}) ==
        "422 Type is not included in the list");
  CHECK(core.post("/v2/domains/example.net/records", Json::object()).status == 404);
}

TEST_CASE("cloud: records are found, changed and removed") {
  Core core;
  core.post("/v2/domains", {{"name", "example.com"}});
  const auto path = std::string("/v2/domains/example.com/records");
  const auto made = core.post(
      path, {{"type", "MX"}, {"name", "@"}, {"data", "mail.example.com."}, {"priority", 10}});
  REQUIRE(made.status == 201);
  const auto one = fmt::format("{}/{}", path, made.body["domain_record"]["id"].get<Id>());
  CHECK(made.body["domain_record"]["port"].is_null());
  CHECK(core.get(path + "?type=MX").body["meta"]["total"] == 1);
  CHECK(core.get(path + "?name=example.com&type=NS").body["meta"]["total"] == 3);
  CHECK(core.send("PATCH", one, {{"type", "MX"}, {"priority", 20}}).status == 200);
  CHECK(core.get(one).body["domain_record"]["priority"] == 20);
  CHECK(core.get(one).body["domain_record"]["data"] == "mail.example.com.");
  CHECK(said(core.send("PUT", one, {{"type", "TXT"}})) == "422 Type cannot be changed");
  CHECK(said(core.send("PUT", one, {{"type", "MX"}, {"priority", -1}})).starts_with("422"));
  CHECK(core.remove(one).status == 204);
  CHECK(core.get(one).status == 404);
  const auto soa = core.get(path + "?type=SOA").body["domain_records"][0]["id"].get<Id>();
  CHECK(core.remove(fmt::format("{}/{}", path, soa)).status == 422);
}

TEST_CASE("cloud: what is put nowhere is in the default project") {
  Core core;
  const auto usual = core.get("/v2/projects/default").body["project"];
  CHECK(usual["is_default"] == true);
  CHECK(Core().get("/v2/projects/default").body["project"]["id"] == usual["id"]);
  const auto id = core.boot_one("web-1");
  const auto urn = fmt::format("do:droplet:{}", id);
  CHECK(core.get("/v2/projects/default/resources").body["resources"][0]["urn"] == urn);
  const auto made = core.post("/v2/projects", {{"name", "shop"}, {"purpose", "Web Application"}});
  REQUIRE(made.status == 201);
  const auto path = "/v2/projects/" + made.body["project"]["id"].get<std::string>();
  CHECK(core.get(path + "/resources").body["resources"].empty());
  const auto assign = [&] {
    return core.post(path + "/resources", {{"resources", {urn, "do:droplet:7"}}}).body["resources"];
  };
  const auto assigned = assign();
  CHECK(assigned[0]["status"] == "assigned");
  CHECK(assigned[1]["status"] == "not_found");
  CHECK(assign()[0]["status"] == "already_assigned");
  CHECK(core.get("/v2/projects/default/resources").body["resources"].empty());
  const auto again = decode(encode(core.state));
  REQUIRE(again);
  CHECK(encode(*again) == encode(core.state));
  const auto kept = core.remove(path);
  CHECK(said(kept).starts_with("412 cannot delete a project with resources"));
  CHECK(kept.body["id"] == "precondition_failed");
  core.remove(fmt::format("/v2/droplets/{}", id));
  core.settle();
  CHECK(core.remove(path).status == 204);
}

TEST_CASE("cloud: projects have names of their own, and one of them is the default") {
  Core core;
  const Json shop = {{"name", "shop"}, {"purpose", "x"}};
  const auto id = core.post("/v2/projects", shop).body["project"]["id"].get<std::string>();
  CHECK(core.post("/v2/projects", shop).status == 409);
  CHECK(core.post("/v2/projects", {{"name", "other"}}).status == 422);
  CHECK(core.post("/v2/projects", {{"name", "o"}, {"purpose", "x"}, {"environment", "Test"}})
            .status == 422);
  CHECK(core.get("/v2/projects").body["meta"]["total"] == 2);
  CHECK(said(core.remove("/v2/projects/default")) == "412 cannot delete the default project");
  CHECK(core.send("PATCH", "/v2/projects/default", {{"is_default", false}}).status == 422);
  CHECK(core.send("PATCH", "/v2/projects/" + id, {{"is_default", true}}).status == 200);
  CHECK(core.get("/v2/projects/default").body["project"]["id"] == id);
  CHECK(core.get("/v2/projects/nothing").status == 404);
}

TEST_CASE("cloud: a registry has credentials that are not the API's token") {
  Core core;
  CHECK(core.get("/v2/registry").status == 412);
  CHECK(core.get("/v2/registry/docker-credentials").status == 412);
  const Json body = {{"name", "shop"}, {"subscription_tier_slug", "basic"}};
  CHECK(core.post("/v2/registry", body).status == 201);
  CHECK(core.post("/v2/registry", body).status == 409);
  CHECK(said(core.post("/v2/registries", {{"name", "b"}, {"subscription_tier_slug", "basic"}})) ==
        "412 registry already exists");
  CHECK(core.get("/v2/registry").body["registry"]["name"] == "shop");
  for (const auto* path : {"/v2/registry", "/v2/registries/shop"}) {
    const auto answer =
        core.get(std::string(path) + "/docker-credentials?expiry_seconds=3600&read_write=true");
    REQUIRE(answer.status == 200);
    const auto login = paas::text::base64_decode(
        answer.body["auths"]["registry.digitalocean.com"]["auth"].get<std::string>());
    REQUIRE(login);
    CHECK(login->find(testing::test_token) == std::string::npos);
    CHECK(login->find(':') != std::string::npos);
  }
  CHECK(core.get("/v2/registry/docker-credentials?expiry_seconds=-1").status == 422);
  CHECK(core.get("/v2/registries/other").status == 404);
  CHECK(core.remove("/v2/registry").status == 204);
  CHECK(core.remove("/v2/registry").status == 412);
}
