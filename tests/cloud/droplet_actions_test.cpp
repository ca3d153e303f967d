// Tests of what can be done to droplets, and of what follows from it.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "cloud/state_json.hpp"
#include "cloud/support/core_fixture.hpp"
#include "cloud/support/droplet_requests.hpp"

using namespace paas::cloud;
using namespace paas::cloud::testing;

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
  core.end_next("engine is gone");
  CHECK(core.get(path_of(id)).status == 200);
  const auto again = core.asked<DestroyMachine>();
  CHECK(again.size() == 2);
  CHECK(core.history.back().repeated);
  core.settle();
  CHECK(core.state.droplets.empty());
}

TEST_CASE("cloud: a droplet that is destroyed is shown, and locked, until its machine is gone") {
  Core core;
  const auto id = core.boot_one("web-1", {{"tags", {"web"}}});
  CHECK(core.remove(path_of(id)).status == 204);
  const auto leaving = core.get("/v2/droplets?tag_name=web").body["droplets"];
  REQUIRE(leaving.size() == 1);
  CHECK(leaving[0]["locked"] == true);
  CHECK(core.get(path_of(id)).status == 200);
  CHECK(core.remove(path_of(id)).status == 422);
  CHECK(core.post(path_of(id) + "/actions", {{"type", "reboot"}}).status == 422);
  CHECK(core.get("/v2/vpcs/" + core.state.droplets.at(id).vpc_id + "/members")
            .body["members"]
            .size() == 1);
  core.settle();
  CHECK(core.get("/v2/droplets?tag_name=web").body["droplets"].empty());
  CHECK(core.get(path_of(id)).status == 404);
  CHECK(core.remove(path_of(id)).status == 404);
}

TEST_CASE("cloud: a droplet is rebuilt from an image whose number comes as text") {
  Core core;
  const auto id = core.boot_one("web-1");
  const auto image = core.get("/v2/images/debian-12-x64").body["image"]["id"].dump();
  CHECK(core.post(path_of(id) + "/actions", {{"type", "rebuild"}, {"image", image}}).status == 201);
  core.settle();
  CHECK(core.post(path_of(id) + "/actions", {{"type", "rebuild"}, {"image", "4711"}}).status ==
        422);
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
  const Json too_long = {{"type", "rename"}, {"name", std::string(256, 'a')}};
  CHECK(core.post(path_of(id) + "/actions", too_long).status == 422);
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
