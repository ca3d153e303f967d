// Tests of how droplets are created.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "cloud/state_json.hpp"
#include "cloud/support/core_fixture.hpp"
#include "cloud/support/droplet_requests.hpp"

using namespace paas::cloud;
using namespace paas::cloud::testing;

TEST_CASE("cloud: a droplet is new and locked until its machine runs") {
  Core core;
  const auto made = core.post("/v2/droplets", request_for("web-1"));
  REQUIRE(made.status == 202);
  const auto& droplet = made.body["droplet"];
  CHECK(droplet["status"] == "new");
  CHECK(droplet["locked"] == true);
  CHECK(droplet["networks"]["v4"].empty());
  CHECK(made.body["links"]["actions"][0]["rel"] == "create");
  const auto action = made.body["links"]["actions"][0]["id"].dump();
  CHECK(core.get("/v2/actions/" + action).body["action"]["status"] == "in-progress");
  CHECK(core.get("/v2/tags/web").status == 200);

  core.settle();
  const auto now = core.get(path_of(droplet["id"].get<Id>())).body["droplet"];
  CHECK(now["status"] == "active");
  CHECK(now["locked"] == false);
  REQUIRE(now["networks"]["v4"].size() == 2);
  CHECK(now["networks"]["v4"][0]["type"] == "public");
  CHECK(now["networks"]["v4"][0]["gateway"] == "198.18.16.1");
  CHECK(now["networks"]["v4"][0]["netmask"] == "255.255.240.0");
  CHECK(now["networks"]["v4"][1]["type"] == "private");
  CHECK(core.get("/v2/actions/" + action).body["action"]["status"] == "completed");
}

TEST_CASE("cloud: a droplet is active before its networks are shown, and locked until then") {
  Core core;
  const auto id = core.post("/v2/droplets", request_for("web-1")).body["droplet"]["id"].get<Id>();
  core.end_next();  // Its network.
  core.end_next();  // Its machine.
  const auto early = core.get(path_of(id)).body["droplet"];
  CHECK(early["status"] == "active");
  CHECK(early["locked"] == true);
  CHECK(early["networks"]["v4"].empty());
  CHECK(core.post(path_of(id) + "/actions", {{"type", "reboot"}}).status == 422);
  core.settle();
  const auto late = core.get(path_of(id)).body["droplet"];
  CHECK(late["locked"] == false);
  CHECK(late["networks"]["v4"].size() == 2);
}

TEST_CASE("cloud: a machine is asked for with everything it needs, after its network") {
  Core core;
  core.post("/v2/droplets", request_for("web-1"));
  const auto network = core.asked<CreateNetwork>();
  const auto machine = core.asked<CreateMachine>();
  REQUIRE(network.size() == 1);
  REQUIRE(machine.size() == 1);
  CHECK(machine[0].machine_image == "node:full");
  CHECK(machine[0].user_data == "#cloud-config\n");
  CHECK(machine[0].vpc_id == network[0].vpc_id);
  CHECK_FALSE(machine[0].rules.filtered);
  REQUIRE(std::holds_alternative<CreateNetwork>(core.history[0].kind));
  REQUIRE(std::holds_alternative<CreateMachine>(core.history[1].kind));
  CHECK(core.history[1].after == std::vector<std::int64_t>{core.history[0].id});
}

TEST_CASE("cloud: tags apply a while after the droplet was created, whether or not it has booted") {
  Core core;
  const auto tagged = [&] { return core.get("/v2/droplets?tag_name=web").body["droplets"].size(); };
  const auto made = core.post("/v2/droplets", request_for("web-1")).body["droplet"];
  const auto path = path_of(made["id"].get<Id>());
  CHECK(made["tags"].empty());
  // The tag is there, so that a firewall can name it; nothing has it yet.
  CHECK(core.get("/v2/tags/web").body["tag"]["resources"]["count"] == 0);
  const auto firewall = core.post(
      "/v2/firewalls",
      {{"name", "fw"},
       {"tags", {"web"}},
       {"inbound_rules",
        {{{"protocol", "tcp"}, {"ports", "22"}, {"sources", {{"addresses", {"0.0.0.0/0"}}}}}}}});
  REQUIRE(firewall.status == 202);
  CHECK(core.get("/v2/droplets").body["droplets"].size() == 1);
  CHECK(tagged() == 0);
  CHECK(core.get(path + "/firewalls").body["firewalls"].empty());
  // Deleting by the tag finds nothing either.
  CHECK(core.remove("/v2/droplets?tag_name=web").status == 204);
  CHECK(core.get(path).status == 200);

  core.end_next();  // Its network.
  core.end_next();  // Its machine.
  CHECK(status_of(core, made["id"].get<Id>()) == "active");
  CHECK(tagged() == 0);
  core.settle();
  CHECK(tagged() == 1);
  CHECK(core.get(path).body["droplet"]["tags"] == Json{"web"});
  CHECK(core.get(path + "/firewalls").body["firewalls"].size() == 1);
}

TEST_CASE("cloud: a tag that is deleted before it applies does not come back") {
  Core core;
  const auto made = core.post("/v2/droplets", request_for("web-1")).body["droplet"];
  CHECK(core.remove("/v2/tags/web").status == 204);
  core.settle();
  CHECK(core.get(path_of(made["id"].get<Id>())).body["droplet"]["tags"].empty());
  CHECK(core.get("/v2/tags/web").status == 404);
}

TEST_CASE("cloud: a tag that is taken from a droplet before it applies does not come back") {
  Core core;
  const auto id = core.post("/v2/droplets", request_for("web-1")).body["droplet"]["id"].get<Id>();
  const Json resources = {
      {"resources", {{{"resource_id", std::to_string(id)}, {"resource_type", "droplet"}}}}};
  CHECK(core.send("DELETE", "/v2/tags/web/resources", resources).status == 204);
  core.settle();
  CHECK(core.get(path_of(id)).body["droplet"]["tags"].empty());
}

TEST_CASE("cloud: machines in one network are made side by side") {
  Core core;
  core.boot_one("first");
  core.history.clear();
  auto request = request_for("a");
  request.erase("tags");
  core.post("/v2/droplets", request);
  core.post("/v2/droplets", request);
  REQUIRE(core.history.size() == 2);
  CHECK(core.history[0].after.empty());
  CHECK(core.history[1].after.empty());
  CHECK(core.history[0].order_key != core.history[1].order_key);
}

TEST_CASE("cloud: several droplets are made by one request, each with its own addresses") {
  Core core;
  const auto ids = core.boot({"a", "b", "c"});
  CHECK(ids.size() == 3);
  std::set<std::string> addresses;
  for (const auto& [id, droplet] : core.state.droplets) {
    addresses.insert(droplet.public_address);
    addresses.insert(droplet.private_address);
  }
  CHECK(addresses.size() == 6);
}

TEST_CASE("cloud: names are not unique, and are searched whole, in whichever case") {
  Core core;
  core.boot({"web", "Web", "web-2"});
  CHECK(core.get("/v2/droplets?name=web").body["droplets"].size() == 2);
  CHECK(core.get("/v2/droplets?name=we").body["droplets"].empty());
  CHECK(core.get("/v2/droplets?name=web&tag_name=x").status == 422);
}

TEST_CASE("cloud: a droplet that cannot be made as asked is refused and changes nothing") {
  Core core;
  const auto refused = [&](const Json& change, const std::string& message) {
    auto body = request_for("web-1");
    body.update(change);
    const auto next_id = core.state.next_id;
    const auto answer = core.post("/v2/droplets", body);
    CHECK(answer.status == 422);
    CHECK(answer.body["id"] == "unprocessable_entity");
    CHECK_MESSAGE(answer.body["message"] == message, change.dump());
    CHECK(core.state.next_id == next_id);
    CHECK(core.state.tags.empty());
  };
  refused({{"name", ""}}, "Name can't be blank");
  refused({{"name", "a_b"}},
          "Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)");
  refused({{"name", "a-"}}, "Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)");
  refused({{"name", 7}}, "name must be a string");
  refused({{"size", "huge"}}, "You specified an invalid size for Droplet creation.");
  refused({{"region", "moon1"}}, "You specified an invalid region for Droplet creation.");
  refused({{"image", "windows"}}, "You specified an invalid image for Droplet creation.");
  refused({{"image", 4711}}, "You specified an invalid image for Droplet creation.");
  refused({{"ssh_keys", {4711}}}, "4711 are invalid key identifiers for Droplet creation.");
  refused({{"volumes", {"nothing"}}}, "volume not found: nothing");
  refused({{"vpc_uuid", "nothing"}}, "You specified an invalid VPC for Droplet creation.");
  refused({{"user_data", std::string(64 * 1024 + 1, 'a')}},
          "User data is too long (maximum is 64 KiB)");
  refused({{"names", {"a"}}}, "Only one of name and names can be given.");
  const auto many = [](int count) {
    auto names = Json::array();
    for (int number = 1; number <= count; ++number) names.push_back(fmt::format("a-{}", number));
    return names;
  };
  refused({{"name", nullptr}, {"names", many(11)}}, "Only 10 Droplets can be created at once.");
  refused({{"name", nullptr}, {"names", Json::array()}}, "Name can't be blank");
  core.state.settings.droplet_limit = 0;
  refused(Json::object(), "creating this/these droplet(s) will exceed your droplet limit");
}

TEST_CASE("cloud: a droplet's number may come as text") {
  Core core;
  const auto id = core.boot({"web-1"})[0];
  CHECK(core.post("/v2/reserved_ips", {{"droplet_id", "web-1"}}).status == 422);
  CHECK(core.post("/v2/reserved_ips", {{"droplet_id", std::to_string(id)}}).status == 202);
}

TEST_CASE("cloud: an image's number may come as text") {
  Core core;
  const auto id = core.get("/v2/images/debian-12-x64").body["image"]["id"].get<std::int64_t>();
  auto body = request_for("web-1");
  body["image"] = std::to_string(id);
  const auto made = core.post("/v2/droplets", body);
  REQUIRE(made.status == 202);
  CHECK(made.body["droplet"]["image"]["id"] == id);
}

TEST_CASE("cloud: user data of exactly 64 KiB is taken") {
  Core core;
  auto body = request_for("web-1");
  body["user_data"] = std::string(64 * 1024, 'a');
  CHECK(core.post("/v2/droplets", body).status == 202);
}

TEST_CASE("cloud: a small network gives no more droplets than it has addresses") {
  Core core;
  const auto vpc =
      core.post("/v2/vpcs", {{"name", "small"}, {"region", "nyc3"}, {"ip_range", "10.1.0.0/28"}});
  const Json place = {{"vpc_uuid", vpc.body["vpc"]["id"]}};
  CHECK(core.boot({"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}, place).size() == 10);
  CHECK(core.boot({"k", "l", "m"}, place).size() == 3);
  CHECK(core.boot({"n"}, place).empty());
  const auto gone = core.get("/v2/droplets?name=c").body["droplets"][0]["id"].get<Id>();
  CHECK(core.remove(path_of(gone)).status == 204);
  CHECK(core.boot({"n"}, place).empty());  // The machine is still there.
  core.settle();
  CHECK(core.boot({"n"}, place).size() == 1);
}

TEST_CASE("cloud: a default network that is full gives no more droplets") {
  Core core;
  core.boot({"a"});
  core.state.vpcs.begin()->second.ip_range = "10.1.0.0/29";
  CHECK(core.boot({"b", "c", "d", "e"}).size() == 4);
  CHECK(core.boot({"f"}).empty());
}

TEST_CASE("cloud: keys of a new droplet are numbers and strings, however deep anything else is") {
  Core core;
  Request request;
  request.method = "POST";
  request.path = "/v2/droplets";
  request.authorization = "Bearer " + core.token;
  constexpr std::size_t depth = 500'000;
  request.body = R"({"name": "a", "region": "nyc3", "size": "s-1vcpu-1gb", )"
                 R"("image": "debian-12-x64", "ssh_keys": [)" +
                 std::string(depth, '[') + std::string(depth, ']') + "]}";
  REQUIRE(request.body.size() <= max_body_bytes);
  CHECK(handle(core.state, request, core.surroundings).answer.status == 422);
}
