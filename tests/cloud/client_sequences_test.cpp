// What Terraform's provider and doctl say to the API, request by request, as their library for Go
// (godo) puts it: what was applied reads the same afterwards, again and again, and can be
// destroyed.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "cloud/support/core_fixture.hpp"

using namespace paas::cloud;
using paas::cloud::testing::Core;
using paas::cloud::testing::Json;

namespace {

constexpr const char* sent_key =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl terraform";

/// The body of an answer that has to have this status.
Json expect(const testing::Exchange& exchange, int status) {
  REQUIRE_MESSAGE(exchange.status == status, exchange.body.dump());
  return exchange.body;
}

/// godo's struct has every member, so what is not set comes as null, false or an empty text.
Json droplet_request(const std::string& name) {
  return {{"name", name},          {"region", "nyc3"},
          {"size", "s-1vcpu-1gb"}, {"image", "debian-12-x64"},
          {"ssh_keys", nullptr},   {"backups", false},
          {"ipv6", false},         {"private_networking", false},
          {"monitoring", false},   {"tags", nullptr}};
}

/// A configuration for Terraform with a resource of each kind, and the paths to read them by.
class Terraform {
 public:
  void apply() {
    key =
        create("/v2/account/keys", {{"name", "deploy"}, {"public_key", sent_key}}, 201, "ssh_key");
    vpc = create("/v2/vpcs", {{"name", "net"}, {"region", "nyc3"}, {"ip_range", "10.20.0.0/24"}},
                 201, "vpc");
    expect(core.post("/v2/tags", {{"name", "web"}}), 201);
    paths.push_back("/v2/tags/web");
    volume = create("/v2/volumes",
                    {{"region", "nyc3"},
                     {"name", "data"},
                     {"description", ""},
                     {"size_gigabytes", 5},
                     {"snapshot_id", ""},
                     {"filesystem_type", "ext4"},
                     {"filesystem_label", ""},
                     {"tags", nullptr}},
                    201, "volume");
    auto request = droplet_request("web-1");
    request.update({{"ssh_keys", {key["fingerprint"]}},
                    {"ipv6", true},
                    {"monitoring", true},
                    {"tags", {"web"}},
                    {"volumes", Json::array({{{"id", volume["id"]}}})},
                    {"user_data", "#cloud-config\n"},
                    {"vpc_uuid", vpc["id"]},
                    {"with_droplet_agent", true},
                    {"backup_policy", nullptr}});
    droplet = create("/v2/droplets", request, 202, "droplet");
    await(paths.back(), "/droplet/status", "active");
    address = create("/v2/reserved_ips", {{"region", "nyc3"}}, 202, "reserved_ip", "ip");
    const auto assigned =
        core.post(paths.back() + "/actions", {{"type", "assign"}, {"droplet_id", droplet["id"]}});
    await(paths.back() + "/actions/" + expect(assigned, 201)["action"]["id"].dump(),
          "/action/status", "completed");
    firewall = create("/v2/firewalls", firewall_request("22"), 202, "firewall");
    core.settle();
  }

  /// "port_range" of Terraform may be "all", and an icmp rule has none.
  Json firewall_request(const std::string& port) const {
    const Json everybody = {{"addresses", {"0.0.0.0/0", "::/0"}}};
    return {
        {"name", "web"},
        {"inbound_rules",
         {{{"protocol", "tcp"}, {"ports", port}, {"sources", everybody}},
          {{"protocol", "icmp"}, {"sources", everybody}}}},
        {"outbound_rules", {{{"protocol", "tcp"}, {"ports", "all"}, {"destinations", everybody}}}},
        {"droplet_ids", {droplet["id"]}},
        {"tags", nullptr}};
  }

  /// What `plan` reads: each resource by itself.
  Json read() {
    auto all = Json::array();
    for (const auto& path : paths) all.push_back(expect(core.get(path), 200));
    return all;
  }
  Json read_droplet() { return expect(core.get(droplet_path()), 200)["droplet"]; }
  std::string droplet_path() const { return "/v2/droplets/" + droplet["id"].dump(); }

  /// An action on the droplet, waited for by its number.
  void act(const Json& request) {
    const auto action = expect(core.post(droplet_path() + "/actions", request), 201)["action"];
    await("/v2/actions/" + action["id"].dump(), "/action/status", "completed");
  }

  void await(const std::string& path, const char* member, const char* value) {
    core.settle();
    CHECK(expect(core.get(path), 200)[Json::json_pointer(member)] == value);
  }

  void destroy() {
    const auto of = [](const char* list, const Json& id) {
      return fmt::format("/v2/{}/{}", list, id.is_string() ? id.get<std::string>() : id.dump());
    };
    expect(core.remove(of("firewalls", firewall["id"])), 204);
    expect(core.post(of("reserved_ips", address["ip"]) + "/actions", {{"type", "unassign"}}), 201);
    core.settle();
    expect(core.remove(of("reserved_ips", address["ip"])), 204);
    await(droplet_path(), "/droplet/status", "off");
    const auto detached = core.post(of("volumes", volume["id"]) + "/actions",
                                    {{"type", "detach"}, {"droplet_id", droplet["id"]}});
    await("/v2/actions/" + expect(detached, 202)["action"]["id"].dump(), "/action/status",
          "completed");
    expect(core.remove(droplet_path()), 204);
    core.settle();
    expect(core.remove(of("volumes", volume["id"])), 204);
    expect(core.remove(of("vpcs", vpc["id"])), 204);
    expect(core.remove("/v2/tags/web"), 204);
    expect(core.remove(of("account/keys", key["id"])), 204);
    core.settle();
  }

  Core core;
  std::vector<std::string> paths;
  Json key, vpc, volume, droplet, address, firewall;

 private:
  Json create(const std::string& list, const Json& request, int status, const char* member,
              const char* id = "id") {
    auto made = expect(core.post(list, request), status)[member];
    const auto& found = made[id];
    paths.push_back(list + "/" + (found.is_string() ? found.get<std::string>() : found.dump()));
    return made;
  }
};

}  // namespace

TEST_CASE("cloud: what Terraform applies reads as it was asked for, and the same each time") {
  Terraform terraform;
  terraform.apply();
  const auto droplet = terraform.read_droplet();
  CHECK(droplet["name"] == "web-1");
  CHECK(droplet["image"]["slug"] == "debian-12-x64");
  CHECK(droplet["region"]["slug"] == "nyc3");
  CHECK(droplet["size"]["slug"] == "s-1vcpu-1gb");
  CHECK(droplet["size"]["price_hourly"].is_number());
  CHECK(droplet["vpc_uuid"] == terraform.vpc["id"]);
  CHECK(droplet["tags"] == Json{"web"});
  CHECK(droplet["volume_ids"] == Json{terraform.volume["id"]});
  CHECK(droplet["locked"] == false);
  const auto& features = droplet["features"];
  const auto has = [&](const char* name) {
    return std::count(features.begin(), features.end(), Json(name)) == 1;
  };
  CHECK(has("ipv6"));
  CHECK(has("monitoring"));
  CHECK(has("private_networking"));
  CHECK_FALSE(has("backups"));

  const auto firewall = terraform.core.get(terraform.paths.back()).body["firewall"];
  CHECK(firewall["status"] == "succeeded");
  CHECK(firewall["inbound_rules"][0]["ports"] == "22");
  // The API says "0" for "all", and for icmp, and the provider knows.
  CHECK(firewall["inbound_rules"][1]["ports"] == "0");
  CHECK(firewall["outbound_rules"][0]["ports"] == "0");
  CHECK(firewall["droplet_ids"] == Json{terraform.droplet["id"]});
  CHECK(terraform.core.get("/v2/tags/web").body["tag"]["resources"]["droplets"]["count"] == 1);

  const auto before = terraform.read();
  CHECK(terraform.read() == before);
}

TEST_CASE("cloud: what Terraform changes is changed, and nothing else") {
  Terraform terraform;
  terraform.apply();
  auto& core = terraform.core;
  auto expected = terraform.read_droplet();

  // Another size: the droplet is off meanwhile.
  terraform.act({{"type", "power_off"}});
  CHECK(terraform.read_droplet()["status"] == "off");
  // One that is off already says so, in words that the provider looks for.
  const auto again = core.post(terraform.droplet_path() + "/actions", {{"type", "power_off"}});
  CHECK(again.body["message"] == "Droplet is already powered off.");
  terraform.act({{"type", "resize"}, {"size", "s-2vcpu-2gb"}, {"disk", true}});
  terraform.act({{"type", "power_on"}});
  terraform.act({{"type", "rename"}, {"name", "web-2"}});
  terraform.act({{"type", "enable_backups"}});
  auto changed = terraform.read_droplet();
  CHECK(changed["size_slug"] == "s-2vcpu-2gb");
  CHECK(changed["name"] == "web-2");
  CHECK(changed["features"].back() == "backups");
  terraform.act({{"type", "disable_backups"}});
  changed = terraform.read_droplet();
  for (const auto* member : {"size", "size_slug", "name", "memory", "vcpus", "disk", "disk_info"}) {
    changed.erase(member);
    expected.erase(member);
  }
  CHECK(changed == expected);

  // Tags: the new one is made and given, the old one is taken away and stays in the account.
  const Json resources = {
      {"resources", Json::array({{{"resource_id", terraform.droplet["id"].dump()},
                                  {"resource_type", "droplet"}}})}};
  expect(core.post("/v2/tags", {{"name", "blue"}}), 201);
  expect(core.post("/v2/tags/blue/resources", resources), 204);
  expect(core.send("DELETE", "/v2/tags/web/resources", resources), 204);
  CHECK(terraform.read_droplet()["tags"] == Json{"blue"});

  // A firewall is replaced as a whole.
  const auto path = terraform.paths.back();
  const auto put = core.send("PUT", path, terraform.firewall_request("8000-9000"));
  CHECK(expect(put, 200)["firewall"]["inbound_rules"][0]["ports"] == "8000-9000");
  core.settle();
  CHECK(core.get(path).body["firewall"]["status"] == "succeeded");
  const auto renamed = core.send("PUT", "/v2/vpcs/" + terraform.vpc["id"].get<std::string>(),
                                 {{"name", "network"}, {"description", "ours"}});
  CHECK(expect(renamed, 200)["vpc"]["ip_range"] == "10.20.0.0/24");
  const auto key_path = "/v2/account/keys/" + terraform.key["id"].dump();
  CHECK(expect(core.send("PUT", key_path, {{"name", "deploy-2"}}), 200)["ssh_key"]["fingerprint"] ==
        terraform.key["fingerprint"]);
}

TEST_CASE("cloud: what Terraform destroys is gone") {
  Terraform terraform;
  terraform.apply();
  // graceful_shutdown, and once more: of what is off already it is no error.
  terraform.act({{"type", "shutdown"}});
  terraform.act({{"type", "shutdown"}});
  terraform.destroy();
  for (const auto& path : terraform.paths) {
    CAPTURE(path);
    CHECK(terraform.core.get(path).status == 404);
  }
}

TEST_CASE("cloud: a volume is named by its identifier or its name when a droplet is created") {
  Core core;
  const auto volume_of = [&](const char* name) {
    return expect(
        core.post("/v2/volumes", {{"name", name}, {"region", "nyc3"}, {"size_gigabytes", 1}}),
        201)["volume"]["id"];
  };
  const auto created = [&](const Json& volumes) {
    auto request = droplet_request("web-1");
    request["volumes"] = volumes;
    return core.post("/v2/droplets", request);
  };
  const auto ids = Json::array({volume_of("one"), volume_of("two"), volume_of("three")});
  const Json forms = {Json::array({ids[0]}), Json::array({{{"id", ids[1]}}}),
                      Json::array({{{"name", "three"}}})};
  for (std::size_t form = 0; form < forms.size(); ++form) {
    const auto made = expect(created(forms[form]), 202)["droplet"]["id"];
    core.settle();
    CHECK(core.get("/v2/droplets/" + made.dump()).body["droplet"]["volume_ids"] == Json{ids[form]});
  }
  CHECK(created(Json::array({{{"name", "four"}}})).body["message"] == "volume not found: four");
  CHECK(created(Json::array({Json::object()})).status == 422);
  CHECK(created(Json::array({ids[0], Json{{"id", ids[1]}}})).status == 422);
}

TEST_CASE("cloud: doctl creates, waits by the address that it was given, lists and deletes") {
  Core core;
  const auto account = expect(core.get("/v2/account"), 200)["account"];
  for (const auto* member : {"email", "droplet_limit", "email_verified", "uuid", "status"}) {
    CHECK(account.contains(member));
  }
  // `compute droplet create ... --wait`
  auto request = droplet_request("box");
  request["tags"] = {"doctl"};
  const auto made = expect(core.post("/v2/droplets", request), 202);
  const auto action = made["links"]["actions"][0];
  CHECK(action["rel"] == "create");
  const auto href = action["href"].get<std::string>();
  const auto path = href.substr(href.find("/v2/"));
  CHECK(core.get(path).body["action"]["status"] == "in-progress");
  core.settle();
  CHECK(core.get(path).body["action"]["status"] == "completed");
  const auto box = expect(core.get("/v2/droplets/" + made["droplet"]["id"].dump()), 200)["droplet"];
  CHECK(box["networks"]["v4"].size() == 2);
  CHECK(core.get("/v2/droplets/" + box["id"].dump() + "/actions?page=1&per_page=200")
            .body["actions"]
            .size() == 1);

  // `compute droplet list`: the first page says which is the last, and the others are fetched side
  // by side.
  core.state.settings.droplet_limit = 1000;
  for (int batch = 0; batch < 21; ++batch) {
    auto names = Json::array();
    for (int number = 0; number < 10; ++number)
      names.push_back(fmt::format("n-{}-{}", batch, number));
    auto many = droplet_request("");
    many.erase("name");
    many["names"] = names;
    CHECK(expect(core.post("/v2/droplets", many), 202)["droplets"].size() == 10);
  }
  core.settle();
  const auto first = expect(core.get("/v2/droplets?page=1&per_page=200"), 200);
  CHECK(first["droplets"].size() == 200);
  CHECK(first["links"]["pages"]["last"].get<std::string>().find("page=2") != std::string::npos);
  CHECK_FALSE(first["links"]["pages"].contains("prev"));
  const auto second = expect(core.get("/v2/droplets?page=2&per_page=200"), 200);
  CHECK(second["droplets"].size() == 11);
  CHECK_FALSE(second["links"]["pages"].contains("last"));
  CHECK(
      expect(core.get("/v2/droplets?page=1&per_page=200&tag_name=doctl"), 200)["droplets"].size() ==
      1);
  for (const auto* list : {"/v2/actions", "/v2/images", "/v2/regions", "/v2/sizes", "/v2/snapshots",
                           "/v2/volumes", "/v2/vpcs", "/v2/firewalls", "/v2/reserved_ips",
                           "/v2/account/keys", "/v2/tags", "/v2/domains", "/v2/projects"}) {
    CAPTURE(list);
    CHECK(core.get(std::string(list) + "?page=1&per_page=200").status == 200);
  }

  // `compute droplet delete`, by number and by tag.
  expect(core.remove("/v2/droplets?tag_name=doctl"), 204);
  core.settle();
  CHECK(core.get("/v2/droplets/" + box["id"].dump()).status == 404);
  expect(core.remove("/v2/droplets/" + second["droplets"][0]["id"].dump()), 204);
}
