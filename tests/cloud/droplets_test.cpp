// Tests of droplets and what can be done to them.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "cloud/state_json.hpp"
#include "cloud/support/core_fixture.hpp"

using namespace paas::cloud;
using paas::cloud::testing::Core;
using paas::cloud::testing::Json;

namespace {

Json request_for(const std::string& name) {
  return {{"name", name},
          {"region", "nyc3"},
          {"size", "s-1vcpu-1gb"},
          {"image", "debian-12-x64"},
          {"user_data", "#cloud-config\n"},
          {"tags", {"web"}}};
}

std::string path_of(Id id) { return "/v2/droplets/" + std::to_string(id); }

std::string status_of(Core& core, Id id) {
  return core.get(path_of(id)).body["droplet"]["status"].get<std::string>();
}

}  // namespace

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

TEST_CASE("cloud: names are not unique, and are searched exactly") {
  Core core;
  core.boot({"web", "web", "web-2"});
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

TEST_CASE("cloud: a busy droplet takes no second event") {
  Core core;
  const auto made = core.post("/v2/droplets", request_for("web-1"));
  const auto id = made.body["droplet"]["id"].get<Id>();
  const auto answer = core.post(path_of(id) + "/actions", {{"type", "reboot"}});
  CHECK(answer.status == 422);
  CHECK(answer.body["message"] == "Droplet already has a pending event.");
  CHECK(core.remove(path_of(id)).status == 422);
  core.settle();
  CHECK(core.post(path_of(id) + "/actions", {{"type", "reboot"}}).status == 201);
}

TEST_CASE("cloud: power goes off and on") {
  Core core;
  const auto id = core.boot_one("web-1");
  const auto act = [&](const std::string& type) {
    const auto answer = core.post(path_of(id) + "/actions", {{"type", type}});
    core.settle();
    return answer;
  };
  CHECK(act("power_on").status == 422);
  CHECK(act("shutdown").status == 201);
  CHECK(status_of(core, id) == "off");
  const auto again = act("power_off");
  CHECK(again.status == 422);
  CHECK(again.body["message"] == "Droplet is already powered off.");
  CHECK(act("power_on").status == 201);
  CHECK(status_of(core, id) == "active");
  CHECK(act("power_off").status == 201);
  CHECK(status_of(core, id) == "off");
  CHECK(act("power_cycle").status == 201);
  CHECK(status_of(core, id) == "active");
  CHECK(act("dance").status == 422);
  const auto actions = core.get(path_of(id) + "/actions").body["actions"];
  CHECK(actions.size() == 5);
  // The newest first, as DigitalOcean lists them.
  CHECK(actions.front()["type"] == "power_cycle");
  CHECK(actions.back()["type"] == "create");
}

TEST_CASE("cloud: an action is in progress until its effect has ended, and says when that was") {
  Core core;
  const auto id = core.boot_one("web-1");
  for (const auto* type :
       {"reboot", "power_cycle", "snapshot", "shutdown", "power_on", "rebuild"}) {
    CAPTURE(type);
    Json body = {{"type", type}};
    if (std::string(type) == "rebuild") body["image"] = "debian-12-x64";
    const auto started = core.post(path_of(id) + "/actions", body).body["action"];
    CHECK(started["status"] == "in-progress");
    CHECK(started["completed_at"].is_null());
    CHECK(started["resource_id"] == id);
    const auto path = "/actions/" + started["id"].dump();
    for (const auto& place : {"/v2" + path, path_of(id) + path}) {
      CHECK(core.get(place).body["action"] == started);
    }
    CHECK(core.get(path_of(id)).body["droplet"]["locked"] == true);
    core.settle();
    const auto ended = core.get("/v2" + path).body["action"];
    CHECK(ended["status"] == "completed");
    CHECK(ended["completed_at"].is_string());
    CHECK(core.get(path_of(id)).body["droplet"]["locked"] == false);
  }
}

TEST_CASE("cloud: an action whose effect fails is errored and leaves the droplet unlocked") {
  Core core;
  const auto id = core.boot_one("web-1");
  const auto action = core.post(path_of(id) + "/actions", {{"type", "power_off"}}).body["action"];
  core.end_next("no such container");
  CHECK(core.get("/v2/actions/" + action["id"].dump()).body["action"]["status"] == "errored");
  CHECK(status_of(core, id) == "active");
  CHECK(core.get(path_of(id)).body["droplet"]["locked"] == false);
}

TEST_CASE("cloud: a droplet whose machine cannot be made is gone, and so is its action") {
  Core core;
  const auto made = core.post("/v2/droplets", request_for("web-1"));
  core.end_next();
  core.end_next("no space left on device");
  CHECK(core.get(path_of(made.body["droplet"]["id"].get<Id>())).status == 404);
  const auto action = made.body["links"]["actions"][0]["id"].dump();
  CHECK(core.get("/v2/actions/" + action).body["action"]["status"] == "errored");
  CHECK(core.asked<DestroyMachine>().size() == 1);
  core.settle();
  CHECK(core.state.droplets.empty());
}

TEST_CASE("cloud: destroying is tried again when the world fails") {
  Core core;
  const auto id = core.boot_one("web-1");
  core.history.clear();
  core.remove(path_of(id));
  CHECK(core.get(path_of(id)).status == 404);
  core.end_next("engine is gone");
  const auto again = core.asked<DestroyMachine>();
  CHECK(again.size() == 2);
  CHECK(core.history.back().repeated);
  core.settle();
  CHECK(core.state.droplets.empty());
}

TEST_CASE("cloud: a machine that cannot be removed is never forgotten") {
  Core core;
  const auto volume =
      core.post("/v2/volumes", {{"name", "data"}, {"region", "nyc3"}, {"size_gigabytes", 1}});
  const auto volume_id = volume.body["volume"]["id"].get<std::string>();
  const auto id = core.boot_one("db-1", {{"volumes", {volume_id}}});
  const auto address = core.state.droplets.at(id).public_address;
  core.remove(path_of(id));
  auto previous = std::chrono::milliseconds(0);
  for (int attempt = 0; attempt < 20; ++attempt) {
    core.end_next("device or resource busy");
    REQUIRE(core.waiting.size() == 1);
    CHECK(std::holds_alternative<DestroyMachine>(core.waiting.front().kind));
    const auto delay = core.waiting.front().delay;
    CHECK((delay > previous || delay == std::chrono::minutes(1)));
    previous = delay;
  }
  CHECK(core.remove("/v2/volumes/" + volume_id).status == 409);
  for (int other = 0; other < 30; ++other) {
    CHECK(new_public_address(core.state).value_or("") != address);
  }
  core.settle();
  CHECK(core.state.droplets.empty());
  CHECK(core.remove("/v2/volumes/" + volume_id).status == 204);
  // What failed first and succeeded then has succeeded.
  CHECK(core.state.actions.rbegin()->second.type == "destroy");
  CHECK(core.state.actions.rbegin()->second.status == ActionStatus::completed);
}

TEST_CASE("cloud: a new process removes at once what the last one was refused") {
  Core core;
  const auto id = core.boot_one("db-1");
  core.remove(path_of(id));
  core.end_next("device or resource busy");
  CHECK(core.state.outstanding.begin()->second.effect.delay.count() > 0);
  auto state = *decode(encode(core.state));
  const auto effects = resume(state, core.surroundings);
  REQUIRE(effects.size() == 1);
  CHECK(effects[0].delay.count() == 0);
}

TEST_CASE("cloud: rebuilding detaches volumes when the old machine is gone") {
  Core core;
  const auto volume =
      core.post("/v2/volumes", {{"name", "data"}, {"region", "nyc3"}, {"size_gigabytes", 1}});
  const auto id = core.boot_one("db-1", {{"volumes", {volume.body["volume"]["id"]}}});
  core.history.clear();
  core.post(path_of(id) + "/actions", {{"type", "rebuild"}, {"image", "debian-12-x64"}});
  REQUIRE(core.history.size() == 4);
  CHECK(std::holds_alternative<DestroyMachine>(core.history[0].kind));
  CHECK(std::holds_alternative<DetachVolume>(core.history[1].kind));
  CHECK(core.history[1].after == std::vector<Id>{core.history[0].id});
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

TEST_CASE("cloud: deleting by tag takes all that have it, and never all without one") {
  Core core;
  core.boot({"a", "b"}, {{"tags", {"old"}}});
  core.boot({"c"});
  CHECK(core.remove("/v2/droplets").status == 422);
  CHECK(core.remove("/v2/droplets?tag_name=").status == 422);
  CHECK(core.remove("/v2/droplets?tag_name=old").status == 204);
  core.settle();
  CHECK(core.get("/v2/droplets").body["droplets"].size() == 1);
}

TEST_CASE("cloud: a snapshot appears when it is made, and new droplets are made from it") {
  Core core;
  const auto id = core.boot_one("builder");
  const auto act = core.post(path_of(id) + "/actions", {{"type", "snapshot"}, {"name", "golden"}});
  CHECK(act.status == 201);
  CHECK(core.get("/v2/snapshots?resource_type=droplet").body["snapshots"].empty());
  core.settle();
  const auto snapshots = core.get("/v2/snapshots?resource_type=droplet").body["snapshots"];
  REQUIRE(snapshots.size() == 1);
  CHECK(snapshots[0]["name"] == "golden");
  CHECK(snapshots[0]["id"].is_string());
  CHECK(snapshots[0]["size_gigabytes"] == 1.5);
  CHECK(core.get("/v2/snapshots?resource_type=volume").body["snapshots"].empty());
  CHECK(core.get(path_of(id) + "/snapshots").body["snapshots"][0]["id"].is_number());
  CHECK(core.get("/v2/images?private=true").body["images"].size() == 1);

  const auto image_id = core.state.images.begin()->first;
  core.history.clear();
  const auto copy = core.boot_one("copy", {{"image", image_id}});
  CHECK(core.asked<CreateMachine>()[0].machine_image ==
        core.state.images.begin()->second.machine_image);

  // Its layers stay as long as a droplet stands on them.
  CHECK(core.remove("/v2/images/" + std::to_string(image_id)).status == 204);
  CHECK(core.get("/v2/images/" + std::to_string(image_id)).status == 404);
  CHECK(core.asked<RemoveMachineImage>().empty());
  CHECK(core.get(path_of(copy)).body["droplet"]["image"]["id"] == image_id);
  core.remove(path_of(copy));
  core.settle();
  CHECK(core.asked<RemoveMachineImage>().size() == 1);
  CHECK(core.state.images.empty());
}

TEST_CASE("cloud: a snapshot that fails leaves no image") {
  Core core;
  const auto id = core.boot_one("builder");
  core.post(path_of(id) + "/actions", {{"type", "snapshot"}, {"name", "golden"}});
  core.end_next("disk full");
  CHECK(core.state.images.empty());
}

TEST_CASE("cloud: rebuilding keeps addresses and volumes") {
  Core core;
  const auto volume =
      core.post("/v2/volumes", {{"name", "data"}, {"region", "nyc3"}, {"size_gigabytes", 1}});
  const auto volume_id = volume.body["volume"]["id"].get<std::string>();
  const auto id = core.boot_one("db-1", {{"volumes", {volume_id}}});
  const auto before = core.get(path_of(id)).body["droplet"];
  REQUIRE(before["volume_ids"] == Json::array({volume_id}));
  CHECK(core.post(path_of(id) + "/actions", {{"type", "rebuild"}, {"image", "debian-12-x64"}})
            .status == 201);
  core.settle();
  CHECK(core.get(path_of(id)).body["droplet"] == before);
}

TEST_CASE("cloud: a droplet destroyed in the middle of a rebuild goes with its last machine") {
  Core core;
  const auto id = core.boot_one("web-1", {{"tags", {"web"}}});
  core.post(path_of(id) + "/actions", {{"type", "rebuild"}, {"image", "debian-12-x64"}});
  core.remove("/v2/droplets?tag_name=web");
  core.end_next();
  CHECK(core.state.droplets.contains(id));
  core.settle();
  CHECK(core.state.droplets.empty());
}

TEST_CASE("cloud: a machine that ends by itself is off until it comes back") {
  Core core;
  const auto id = core.boot_one("web-1");
  CHECK(machine_changed(core.state, id, false));
  CHECK(status_of(core, id) == "off");
  CHECK_FALSE(machine_changed(core.state, id, false));
  CHECK(machine_changed(core.state, id, true));
  // What is told during an event counts when it is told again.
  core.post(path_of(id) + "/actions", {{"type", "snapshot"}, {"name", "golden"}});
  CHECK_FALSE(machine_changed(core.state, id, false));
  core.settle();
  CHECK(status_of(core, id) == "active");
  CHECK(machine_changed(core.state, id, false));
  CHECK(status_of(core, id) == "off");
  CHECK(machine_changed(core.state, id, true));
  CHECK(status_of(core, id) == "active");
  CHECK_FALSE(machine_changed(core.state, 4711, true));
}

TEST_CASE("cloud: renaming and resizing are records") {
  Core core;
  const auto id = core.boot_one("web-1");
  CHECK(core.post(path_of(id) + "/actions", {{"type", "rename"}, {"name", "web-9"}}).status == 201);
  CHECK(core.get(path_of(id)).body["droplet"]["name"] == "web-9");
  CHECK(core.post(path_of(id) + "/actions", {{"type", "resize"}, {"size", "s-2vcpu-4gb"}}).status ==
        422);
  core.post(path_of(id) + "/actions", {{"type", "power_off"}});
  core.settle();
  CHECK(core.post(path_of(id) + "/actions", {{"type", "resize"}, {"size", "s-2vcpu-4gb"}}).status ==
        201);
  CHECK(core.get(path_of(id)).body["droplet"]["memory"] == 4096);
}

TEST_CASE("cloud: what was outstanding is asked for again by the next process") {
  Core core;
  const auto id = core.boot_one("web-1");
  core.post("/v2/droplets", request_for("web-2"));
  const auto outstanding = core.state.outstanding.size();
  const auto again = resume(core.state, core.surroundings);
  REQUIRE(again.size() == outstanding + 1);
  CHECK(again[0].repeated);
  const auto* rules = std::get_if<SetRules>(&again.back().kind);
  REQUIRE(rules != nullptr);
  CHECK(rules->droplet_id == id);
}
