// Tests of tags, volumes, VPCs and reserved IPs.
#include <doctest/doctest.h>

#include "cloud/support/core_fixture.hpp"

using namespace paas::cloud;
using paas::cloud::testing::Core;
using paas::cloud::testing::Json;

namespace {

std::string add_volume(Core& core, const std::string& name, const Json& more = Json::object()) {
  Json body = {{"name", name}, {"region", "nyc3"}, {"size_gigabytes", 10}};
  body.update(more);
  const auto made = core.post("/v2/volumes", body);
  REQUIRE(made.status == 201);
  core.settle();
  return made.body["volume"]["id"].get<std::string>();
}

std::string path_of(Id id) { return "/v2/droplets/" + std::to_string(id); }

}  // namespace

TEST_CASE("cloud: tags count what has them") {
  Core core;
  CHECK(core.post("/v2/tags", {{"name", "web"}}).status == 201);
  CHECK(core.post("/v2/tags", {{"name", "web"}}).status == 201);
  CHECK(core.post("/v2/tags", {{"name", "no space"}}).status == 422);
  const auto id = core.boot_one("a");
  const auto volume = add_volume(core, "data");
  const Json resources = {{"resources",
                           {{{"resource_id", std::to_string(id)}, {"resource_type", "droplet"}},
                            {{"resource_id", volume}, {"resource_type", "volume"}}}}};
  CHECK(core.post("/v2/tags/web/resources", resources).status == 204);
  const auto tag = core.get("/v2/tags/web").body["tag"];
  CHECK(tag["resources"]["count"] == 2);
  CHECK(tag["resources"]["droplets"]["count"] == 1);
  CHECK(tag["resources"]["volumes"]["count"] == 1);
  CHECK(core.get("/v2/droplets?tag_name=web").body["droplets"].size() == 1);
  CHECK(core.send("DELETE", "/v2/tags/web/resources", resources).status == 204);
  CHECK(core.get("/v2/tags/web").body["tag"]["resources"]["count"] == 0);
  CHECK(core.remove("/v2/tags/web").status == 204);
  CHECK(core.get("/v2/tags/web").status == 404);
}

TEST_CASE("cloud: tagging tags all of the resources or none") {
  Core core;
  core.post("/v2/tags", {{"name", "web"}});
  const auto id = core.boot_one("a");
  const Json resources = {{"resources",
                           {{{"resource_id", std::to_string(id)}, {"resource_type", "droplet"}},
                            {{"resource_id", "4711"}, {"resource_type", "droplet"}}}}};
  CHECK(core.post("/v2/tags/web/resources", resources).status == 404);
  CHECK(core.get("/v2/tags/web").body["tag"]["resources"]["count"] == 0);
}

TEST_CASE("cloud: a volume's name is unique in its region") {
  Core core;
  add_volume(core, "data");
  CHECK(core.post("/v2/volumes", {{"name", "data"}, {"region", "nyc3"}, {"size_gigabytes", 1}})
            .status == 409);
  add_volume(core, "data", {{"region", "fra1"}});
  CHECK(core.get("/v2/volumes?name=data").body["volumes"].size() == 2);
  CHECK(core.get("/v2/volumes?name=data&region=fra1").body["volumes"].size() == 1);
  CHECK(core.get("/v2/volumes?region=ams3").body["volumes"].empty());
  CHECK(core.remove("/v2/volumes?name=data&region=fra1").status == 204);
  CHECK(core.get("/v2/volumes").body["volumes"].size() == 1);
}

TEST_CASE("cloud: a volume that is not as it should be is refused") {
  Core core;
  for (const Json& change :
       std::vector<Json>{{{"name", "Data"}},
                         {{"name", "9data"}},
                         {{"name", ""}},
                         {{"size_gigabytes", 0}},
                         {{"size_gigabytes", 20'000}},
                         {{"size_gigabytes", "1"}},
                         {{"region", "moon1"}},
                         {{"filesystem_type", "ntfs"}},
                         {{"filesystem_type", "xfs"}, {"filesystem_label", "thirteen-long"}}}) {
    Json body = {{"name", "data"}, {"region", "nyc3"}, {"size_gigabytes", 1}};
    body.update(change);
    CHECK_MESSAGE(core.post("/v2/volumes", body).status == 422, change.dump());
  }
}

TEST_CASE("cloud: a volume is attached to one droplet and cannot go while it is") {
  Core core;
  const auto volume = add_volume(core, "data");
  const auto path = "/v2/volumes/" + volume;
  const auto ids = core.boot({"a", "b"});
  const auto attach = core.post(path + "/actions",
                                {{"type", "attach"}, {"droplet_id", ids[0]}, {"region", "nyc3"}});
  CHECK(attach.status == 202);
  CHECK(core.get(path_of(ids[0])).body["droplet"]["locked"] == true);
  CHECK(core.post(path + "/actions", {{"type", "detach"}, {"droplet_id", ids[0]}}).status == 422);
  core.settle();
  CHECK(core.get(path_of(ids[0])).body["droplet"]["volume_ids"] == Json::array({volume}));
  CHECK(core.get(path).body["volume"]["droplet_ids"] == Json::array({ids[0]}));
  const auto stolen = core.post(path + "/actions", {{"type", "attach"}, {"droplet_id", ids[1]}});
  CHECK(stolen.status == 422);
  CHECK(stolen.body["message"] == "This volume is already attached");
  CHECK(core.remove(path).status == 409);
  CHECK(core.post("/v2/volumes/actions", {{"type", "detach"},
                                          {"volume_name", "data"},
                                          {"region", "nyc3"},
                                          {"droplet_id", ids[0]}})
            .status == 202);
  core.settle();
  CHECK(core.get(path).body["volume"]["droplet_ids"].empty());
  CHECK(
      core.post(path + "/actions", {{"type", "detach"}, {"droplet_id", ids[0]}}).body["message"] ==
      "Attachment not found");
  CHECK(core.remove(path).status == 204);
  CHECK(core.get(path).status == 404);
}

TEST_CASE("cloud: a volume only grows") {
  Core core;
  const auto path = "/v2/volumes/" + add_volume(core, "data");
  CHECK(core.post(path + "/actions", {{"type", "resize"}, {"size_gigabytes", 5}}).status == 422);
  const auto action = core.post(path + "/actions", {{"type", "resize"}, {"size_gigabytes", 20}});
  CHECK(action.status == 202);
  core.settle();
  CHECK(core.get(path).body["volume"]["size_gigabytes"] == 20);
  const auto id = action.body["action"]["id"].dump();
  CHECK(core.get(path + "/actions/" + id).body["action"]["status"] == "completed");
}

TEST_CASE("cloud: a volume is attached after it and the machine were made") {
  Core core;
  core.boot_one("first");
  core.history.clear();
  const auto volume =
      core.post("/v2/volumes", {{"name", "data"}, {"region", "nyc3"}, {"size_gigabytes", 1}});
  core.post("/v2/droplets", {{"name", "db"},
                             {"region", "nyc3"},
                             {"size", "s-1vcpu-1gb"},
                             {"image", "debian-12-x64"},
                             {"volumes", {volume.body["volume"]["id"]}}});
  REQUIRE(core.history.size() == 3);
  CHECK(core.history[2].after == std::vector<std::int64_t>{core.history[0].id, core.history[1].id});
}

TEST_CASE("cloud: a default network whose range was taken gets another one") {
  Core core;
  const nlohmann::json web = {
      {"name", "web"}, {"region", "nyc3"}, {"size", "s-1vcpu-1gb"}, {"image", "debian-12-x64"}};
  core.post("/v2/droplets", web);
  core.end_next("the range overlaps this machine's route");
  core.end_next("network not found");
  core.settle();
  REQUIRE(core.state.droplets.empty());
  const auto first = core.asked<CreateNetwork>();
  REQUIRE(first.size() == 1);
  core.history.clear();
  core.post("/v2/droplets", web);
  // Asked for and not yet refused: it stays.
  core.post("/v2/droplets", web);
  core.settle();
  const auto second = core.asked<CreateNetwork>();
  REQUIRE(second.size() == 1);
  CHECK(second[0].vpc_id == first[0].vpc_id);
  CHECK(second[0].ip_range != first[0].ip_range);
  CHECK(core.state.vpcs.at(second[0].vpc_id).ip_range == second[0].ip_range);
  CHECK(core.state.droplets.size() == 2);
}

TEST_CASE("cloud: destroying a droplet frees its volume only when the machine let it go") {
  Core core;
  const auto volume = add_volume(core, "data");
  const auto id = core.boot_one("db", {{"volumes", {volume}}});
  core.history.clear();
  CHECK(core.remove(path_of(id)).status == 204);
  // A volume that is in use cannot be detached, so that is not even tried.
  REQUIRE(core.history.size() == 1);
  CHECK(std::holds_alternative<DestroyMachine>(core.history[0].kind));
  CHECK(core.remove("/v2/volumes/" + volume).status == 409);
  core.settle();
  CHECK(core.state.actions.rbegin()->second.type == "destroy");
  CHECK(core.state.actions.rbegin()->second.status == ActionStatus::completed);
  CHECK(core.remove("/v2/volumes/" + volume).status == 204);
}

TEST_CASE("cloud: a volume is free after its machine is gone, even when detaching failed") {
  Core core;
  const auto volume = add_volume(core, "data");
  const auto id = core.boot_one("db", {{"volumes", {volume}}});
  core.remove(path_of(id));
  core.end_next("device busy");
  core.settle();
  CHECK(core.get("/v2/volumes/" + volume).body["volume"]["droplet_ids"].empty());
}

TEST_CASE("cloud: VPCs get ranges that overlap with no other and no route") {
  Core core;
  std::vector<std::string> ranges;
  for (const auto* name : {"a", "b", "c"}) {
    const auto vpc = core.post("/v2/vpcs", {{"name", name}, {"region", "nyc3"}}).body["vpc"];
    ranges.push_back(vpc["ip_range"].get<std::string>());
    core.surroundings.host_ranges = {"10.64.0.0/11", "0.0.0.0/0"};
  }
  CHECK(ranges[0] != ranges[1]);
  CHECK(ranges[1] != ranges[2]);
  CHECK(ranges[2].rfind("10.", 0) == 0);
  const auto make = [&](const std::string& range) {
    return core.post("/v2/vpcs", {{"name", "own"}, {"region", "nyc3"}, {"ip_range", range}}).status;
  };
  CHECK(make(ranges[0]) == 422);
  CHECK(make("10.64.0.0/16") == 422);
  CHECK(make("10.0.0.0/8") == 422);
  CHECK(make("8.8.8.0/24") == 422);
  CHECK(make("10.0.0.0/30") == 422);
  CHECK(make("10.0.0.0") == 422);
  CHECK(make("nonsense/20") == 422);
  CHECK(make("10.1.0.0/20") == 201);
}

TEST_CASE("cloud: a region's default VPC is made when a droplet needs it, and stays") {
  Core core;
  CHECK(core.get("/v2/vpcs").body["vpcs"].empty());
  core.boot({"a", "b"});
  const auto vpcs = core.get("/v2/vpcs").body["vpcs"];
  REQUIRE(vpcs.size() == 1);
  CHECK(vpcs[0]["default"] == true);
  CHECK(vpcs[0]["name"] == "default-nyc3");
  const auto path = "/v2/vpcs/" + vpcs[0]["id"].get<std::string>();
  CHECK(core.get(path + "/members").body["members"].size() == 2);
  CHECK(core.get(path + "/members?resource_type=volume").body["members"].empty());
  CHECK(core.remove(path).status == 403);
}

TEST_CASE("cloud: a VPC goes when the last machine has left it") {
  Core core;
  const auto vpc = core.post("/v2/vpcs", {{"name", "mine"}, {"region", "nyc3"}}).body["vpc"];
  const auto path = "/v2/vpcs/" + vpc["id"].get<std::string>();
  const auto id = core.boot_one("a", {{"vpc_uuid", vpc["id"]}});
  CHECK(core.remove(path).status == 403);
  core.remove(path_of(id));
  CHECK(core.remove(path).status == 403);
  core.settle();
  CHECK(core.remove(path).status == 204);
  CHECK(core.get(path).status == 404);
  const auto range = vpc["ip_range"].get<std::string>();
  const Json again = {{"name", "mine"}, {"region", "nyc3"}, {"ip_range", range}};
  CHECK(core.post("/v2/vpcs", again).status == 422);
  core.settle();
  CHECK(core.post("/v2/vpcs", again).status == 201);
}

TEST_CASE("cloud: a network that could not be made is asked for again") {
  Core core;
  const auto vpc = core.post("/v2/vpcs", {{"name", "mine"}, {"region", "nyc3"}}).body["vpc"];
  core.end_next("range in use");
  core.history.clear();
  core.boot_one("a", {{"vpc_uuid", vpc["id"]}});
  CHECK(core.asked<CreateNetwork>().size() == 1);
}

TEST_CASE("cloud: VPCs are renamed by PUT and PATCH") {
  Core core;
  const auto vpc = core.post("/v2/vpcs", {{"name", "mine"}, {"region", "nyc3"}}).body["vpc"];
  const auto path = "/v2/vpcs/" + vpc["id"].get<std::string>();
  CHECK(core.send("PATCH", path, {{"description", "text"}}).body["vpc"]["name"] == "mine");
  CHECK(core.send("PUT", path, {{"name", "other"}}).body["vpc"]["description"] == "text");
  CHECK(core.send("PUT", path, {{"description", "x"}}).status == 422);
  core.post("/v2/vpcs", {{"name", "mine"}, {"region", "nyc3"}});
  CHECK(core.send("PATCH", path, {{"name", "mine"}}).status == 422);
}

TEST_CASE("cloud: a reserved IP is made with its droplet and moves to another") {
  Core core;
  const auto ids = core.boot({"lb-1", "lb-2"});
  const auto made = core.post("/v2/reserved_ips", {{"droplet_id", ids[0]}});
  REQUIRE(made.status == 202);
  const auto address = made.body["reserved_ip"]["ip"].get<std::string>();
  CHECK(made.body["reserved_ip"]["locked"] == true);
  CHECK(made.body["links"]["actions"][0]["rel"] == "assign_ip");
  CHECK(core.post("/v2/reserved_ips/" + address + "/actions", {{"type", "unassign"}}).status ==
        422);
  core.settle();
  const auto path = "/v2/reserved_ips/" + address;
  CHECK(core.get(path).body["reserved_ip"]["droplet"]["id"] == ids[0]);
  CHECK(core.get(path_of(ids[0])).body["droplet"]["networks"]["v4"].size() == 3);
  CHECK(core.post("/v2/reserved_ips", {{"droplet_id", ids[0]}}).status == 422);
  core.history.clear();
  const auto moved = core.post(path + "/actions", {{"type", "assign"}, {"droplet_id", ids[1]}});
  CHECK(moved.status == 201);
  core.settle();
  REQUIRE(core.history.size() == 2);
  CHECK(std::holds_alternative<UnassignAddress>(core.history[0].kind));
  CHECK(core.get(path).body["reserved_ip"]["droplet"]["id"] == ids[1]);
  CHECK(core.get(path + "/actions").body["actions"].size() == 2);
  CHECK(core.post(path + "/actions", {{"type", "unassign"}}).status == 201);
  core.settle();
  CHECK(core.get(path).body["reserved_ip"]["droplet"].is_null());
  CHECK(core.remove(path).status == 204);
  CHECK(core.get(path).status == 404);
}

TEST_CASE("cloud: reserved IPs answer under their old name as well, floating IPs") {
  Core core;
  const auto ids = core.boot({"lb-1"});
  const auto made = core.post("/v2/floating_ips", {{"droplet_id", ids[0]}});
  REQUIRE(made.status == 202);
  CHECK_FALSE(made.body.contains("reserved_ip"));
  const auto address = made.body["floating_ip"]["ip"].get<std::string>();
  core.settle();
  CHECK(core.get("/v2/reserved_ips/" + address).body["reserved_ip"]["droplet"]["id"] == ids[0]);
  CHECK(core.get("/v2/floating_ips").body["floating_ips"][0]["ip"] == address);
  CHECK(core.get("/v2/floating_ips").body["meta"]["total"] == 1);
  const auto path = "/v2/floating_ips/" + address;
  CHECK(core.get(path + "/actions").body["actions"][0]["resource_type"] == "floating_ip");
  const auto freed = core.post(path + "/actions", {{"type", "unassign"}});
  CHECK(freed.status == 201);
  CHECK(freed.body["action"]["resource_type"] == "floating_ip");
  CHECK(core.post(path + "/actions", {{"type", "unassign"}}).body["id"] == "unprocessable_entity");
  core.settle();
  CHECK(core.remove(path).status == 204);
  CHECK(core.get("/v2/reserved_ips").body["meta"]["total"] == 0);
}

TEST_CASE("cloud: a reserved IP outlives its droplet") {
  Core core;
  const auto id = core.boot_one("lb-1");
  const auto address = core.post("/v2/reserved_ips", {{"droplet_id", id}})
                           .body["reserved_ip"]["ip"]
                           .get<std::string>();
  core.settle();
  core.history.clear();
  core.remove(path_of(id));
  CHECK(core.asked<UnassignAddress>().size() == 1);
  core.settle();
  CHECK(core.get("/v2/reserved_ips/" + address).body["reserved_ip"]["droplet"].is_null());
  CHECK(core.post("/v2/reserved_ips", {{"region", "moon1"}}).status == 422);
  CHECK(core.post("/v2/reserved_ips", Json::object()).status == 422);
  CHECK(core.post("/v2/reserved_ips", {{"region", "nyc3"}}).status == 202);
}
