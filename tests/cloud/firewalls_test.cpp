// Tests of firewalls: whose rules a machine gets, and when it gets them.
#include <doctest/doctest.h>

#include <algorithm>

#include "cloud/support/core_fixture.hpp"

using namespace paas::cloud;
using paas::cloud::testing::Core;
using paas::cloud::testing::Json;

namespace {

Json from_anywhere(const std::string& ports) {
  return {
      {"protocol", "tcp"}, {"ports", ports}, {"sources", {{"addresses", {"0.0.0.0/0", "::/0"}}}}};
}

Json to_anywhere() {
  return {{"protocol", "tcp"}, {"ports", "0"}, {"destinations", {{"addresses", {"0.0.0.0/0"}}}}};
}

Json firewall(const std::string& name, const Json& tags) {
  return {{"name", name},
          {"inbound_rules", Json::array({from_anywhere("22")})},
          {"outbound_rules", Json::array({to_anywhere()})},
          {"tags", tags}};
}

std::string path_of(const Json& made) {
  return "/v2/firewalls/" + made["firewall"]["id"].get<std::string>();
}

void add_tags(Core& core, const std::vector<std::string>& names) {
  for (const auto& name : names) core.post("/v2/tags", {{"name", name}});
}

}  // namespace

TEST_CASE("cloud: a machine has its firewalls' rules from the first process on") {
  Core core;
  add_tags(core, {"web"});
  const auto made = core.post("/v2/firewalls", firewall("fw", {"web"}));
  REQUIRE(made.status == 202);
  CHECK(made.body["firewall"]["status"] == "succeeded");
  const auto path = path_of(made.body);
  core.post("/v2/droplets", {{"name", "a"},
                             {"region", "nyc3"},
                             {"size", "s-1vcpu-1gb"},
                             {"image", "debian-12-x64"},
                             {"tags", {"web"}}});
  const auto machine = core.asked<CreateMachine>();
  REQUIRE(machine.size() == 1);
  CHECK(machine[0].rules.filtered);
  REQUIRE(machine[0].rules.inbound.size() == 1);
  CHECK(machine[0].rules.inbound[0].first_port == 22);
  CHECK(machine[0].rules.inbound[0].last_port == 22);
  CHECK(machine[0].rules.outbound[0].first_port == 0);
  CHECK(core.asked<SetRules>().empty());
  const auto waiting = core.get(path).body["firewall"];
  CHECK(waiting["status"] == "waiting");
  CHECK(waiting["pending_changes"][0]["droplet_id"] == machine[0].droplet_id);
  CHECK(waiting["pending_changes"][0]["removing"] == false);
  core.settle();
  CHECK(core.get(path).body["firewall"]["status"] == "succeeded");
  CHECK(core.get(path).body["firewall"]["pending_changes"].empty());
}

TEST_CASE("cloud: a rule from a tag lets in its droplets' private and public addresses") {
  Core core;
  add_tags(core, {"db", "backend"});
  auto body = firewall("fw", {"db"});
  body["inbound_rules"] = {
      {{"protocol", "tcp"}, {"ports", "5432"}, {"sources", {{"tags", {"backend"}}}}}};
  core.post("/v2/firewalls", body);
  const auto db = core.boot_one("db-1", {{"tags", {"db"}}});
  CHECK(core.asked<CreateMachine>()[0].rules.inbound.empty());
  core.history.clear();

  const auto backend = core.boot_one("backend-1", {{"tags", {"backend"}}});
  const auto rules = core.asked<SetRules>();
  REQUIRE(rules.size() == 1);
  CHECK(rules[0].droplet_id == db);
  const auto& droplet = core.state.droplets.at(backend);
  REQUIRE(rules[0].rules.inbound.size() == 1);
  auto expected =
      std::vector<std::string>{droplet.public_address + "/32", droplet.private_address + "/32"};
  std::sort(expected.begin(), expected.end());
  CHECK(rules[0].rules.inbound[0].addresses == expected);

  core.history.clear();
  core.remove("/v2/droplets/" + std::to_string(backend));
  const auto after = core.asked<SetRules>();
  REQUIRE(after.size() == 1);
  CHECK(after[0].rules.inbound.empty());
  CHECK(after[0].rules.filtered);
}

TEST_CASE("cloud: only the droplets whose rules really changed are told") {
  Core core;
  add_tags(core, {"db", "backend", "other"});
  auto body = firewall("fw-db", {"db"});
  body["inbound_rules"][0]["sources"] = {{"tags", {"backend"}}};
  core.post("/v2/firewalls", body);
  core.post("/v2/firewalls", firewall("fw-other", {"other"}));
  core.boot({"db-1"}, {{"tags", {"db"}}});
  core.boot({"other-1", "other-2"}, {{"tags", {"other"}}});
  core.history.clear();
  core.boot({"backend-1"}, {{"tags", {"backend"}}});
  CHECK(core.asked<SetRules>().size() == 1);
  core.history.clear();
  core.boot({"plain"});
  add_tags(core, {"unrelated"});
  CHECK(core.asked<SetRules>().empty());
}

TEST_CASE("cloud: a droplet that loses its last firewall is not filtered, and shows as removing") {
  Core core;
  const auto id = core.boot_one("a");
  auto body = firewall("fw", Json::array());
  body["droplet_ids"] = {id};
  const auto path = path_of(core.post("/v2/firewalls", body).body);
  core.settle();
  core.history.clear();
  CHECK(core.send("DELETE", path + "/droplets", {{"droplet_ids", {id}}}).status == 204);
  REQUIRE(core.asked<SetRules>().size() == 1);
  CHECK_FALSE(core.asked<SetRules>()[0].rules.filtered);
  const auto pending = core.get(path).body["firewall"]["pending_changes"];
  REQUIRE(pending.size() == 1);
  CHECK(pending[0]["removing"] == true);
  core.settle();
  CHECK(core.get(path).body["firewall"]["pending_changes"].empty());
}

TEST_CASE("cloud: parts of a firewall are added and taken out") {
  Core core;
  add_tags(core, {"web", "db"});
  const auto id = core.boot_one("a", {{"tags", {"web"}}});
  const auto path = path_of(core.post("/v2/firewalls", firewall("fw", {"web"})).body);
  CHECK(core.post(path + "/tags", {{"tags", {"db"}}}).status == 204);
  CHECK(core.post(path + "/droplets", {{"droplet_ids", {id}}}).status == 204);
  CHECK(
      core.post(path + "/rules", {{"inbound_rules", Json::array({from_anywhere("80")})}}).status ==
      204);
  auto now = core.get(path).body["firewall"];
  CHECK(now["tags"] == Json({"web", "db"}));
  CHECK(now["droplet_ids"] == Json::array({id}));
  CHECK(now["inbound_rules"].size() == 2);
  CHECK(core.send("DELETE", path + "/tags", {{"tags", {"db"}}}).status == 204);
  CHECK(
      core.send("DELETE", path + "/rules", {{"inbound_rules", Json::array({from_anywhere("22")})}})
          .status == 204);
  now = core.get(path).body["firewall"];
  CHECK(now["tags"] == Json::array({"web"}));
  REQUIRE(now["inbound_rules"].size() == 1);
  CHECK(now["inbound_rules"][0]["ports"] == "80");
  CHECK(core.get("/v2/droplets/" + std::to_string(id) + "/firewalls").body["firewalls"].size() ==
        1);
}

TEST_CASE("cloud: PUT replaces all of a firewall") {
  Core core;
  add_tags(core, {"web"});
  const auto id = core.boot_one("a", {{"tags", {"web"}}});
  const auto path = path_of(core.post("/v2/firewalls", firewall("fw", {"web"})).body);
  core.settle();
  core.history.clear();
  CHECK(core.send("PUT", path, firewall("fw", {"web"})).status == 200);
  CHECK(core.asked<SetRules>().empty());
  CHECK(core.send("PUT", path, firewall("fw-2", Json::array())).status == 200);
  REQUIRE(core.asked<SetRules>().size() == 1);
  CHECK(core.asked<SetRules>()[0].droplet_id == id);
  CHECK(core.get(path).body["firewall"]["name"] == "fw-2");
}

TEST_CASE("cloud: deleting a firewall or a tag takes its rules from the machines") {
  Core core;
  add_tags(core, {"web"});
  core.boot_one("a", {{"tags", {"web"}}});
  const auto path = path_of(core.post("/v2/firewalls", firewall("fw", {"web"})).body);
  core.history.clear();
  core.remove("/v2/tags/web");
  REQUIRE(core.asked<SetRules>().size() == 1);
  CHECK_FALSE(core.asked<SetRules>()[0].rules.filtered);
  CHECK(core.get(path).body["firewall"]["tags"].empty());
  CHECK(core.remove(path).status == 204);
  CHECK(core.get(path).status == 404);
}

TEST_CASE("cloud: rules that could not be put in force show, and are asked for again") {
  Core core;
  add_tags(core, {"web"});
  core.boot_one("a", {{"tags", {"web"}}});
  const auto path = path_of(core.post("/v2/firewalls", firewall("fw", {"web"})).body);
  core.end_next("iptables-restore failed");
  for (int attempt = 0; attempt < 10; ++attempt) {
    CHECK(core.get(path).body["firewall"]["status"] == "failed");
    CHECK(core.get(path).body["firewall"]["pending_changes"].size() == 1);
    REQUIRE(core.waiting.size() == 1);
    CHECK(std::holds_alternative<SetRules>(core.waiting.front().kind));
    CHECK(core.waiting.front().delay.count() > 0);
    core.end_next("iptables-restore failed");
  }
  core.settle();
  CHECK(core.get(path).body["firewall"]["status"] == "succeeded");
  CHECK(core.get(path).body["firewall"]["pending_changes"].empty());
}

TEST_CASE("cloud: rules that failed follow the newer ones that are under way") {
  Core core;
  add_tags(core, {"web"});
  const auto id = core.boot_one("a", {{"tags", {"web"}}});
  const auto first = path_of(core.post("/v2/firewalls", firewall("fw", {"web"})).body);
  const auto second = path_of(core.post("/v2/firewalls", firewall("fw-2", {"web"})).body);
  REQUIRE(core.waiting.size() == 2);
  core.end_next("iptables-restore failed");
  CHECK(core.waiting.size() == 1);
  for (const auto& path : {first, second}) {
    const auto pending = core.get(path).body["firewall"]["pending_changes"];
    REQUIRE(pending.size() == 1);
    CHECK(pending[0]["droplet_id"] == id);
  }
  core.settle();
  for (const auto& path : {first, second}) {
    CHECK(core.get(path).body["firewall"]["status"] == "succeeded");
  }
}

TEST_CASE("cloud: rules of a droplet that is destroyed are nobody's failure") {
  Core core;
  add_tags(core, {"web"});
  const auto id = core.boot_one("a", {{"tags", {"web"}}});
  const auto path = path_of(core.post("/v2/firewalls", firewall("fw", {"web"})).body);
  core.end_next("iptables-restore failed");
  core.remove("/v2/droplets/" + std::to_string(id));
  CHECK(core.get(path).body["firewall"]["status"] == "succeeded");
  core.end_next("iptables-restore failed");
  CHECK(core.get(path).body["firewall"]["pending_changes"].empty());
  core.settle();
  CHECK(core.state.droplets.empty());
  CHECK(core.get(path).body["firewall"]["status"] == "succeeded");
}

TEST_CASE("cloud: a firewall that is not as it should be is refused") {
  Core core;
  add_tags(core, {"web", "b", "c", "d", "e", "f"});
  const auto refused = [&](const Json& change) {
    auto body = firewall("fw", {"web"});
    body.update(change);
    const auto answer = core.post("/v2/firewalls", body);
    CHECK_MESSAGE(answer.status == 422, change.dump());
    CHECK(core.state.firewalls.empty());
  };
  const auto rule = [](const Json& change) {
    auto changed = from_anywhere("22");
    changed.update(change);
    return Json{{"inbound_rules", Json::array({changed})}};
  };
  refused({{"name", "-"}});
  refused({{"name", "under_score"}});
  refused({{"tags", {"nothing"}}});
  refused({{"tags", {"web", "b", "c", "d", "e", "f"}}});
  refused({{"droplet_ids", {4711}}});
  refused({{"inbound_rules", Json::array()}, {"outbound_rules", Json::array()}});
  refused(rule({{"protocol", "sctp"}}));
  for (const auto* ports : {"", "x", "70000", "90-80", "1-2-3", "-1", "1-"}) {
    refused(rule({{"ports", ports}}));
  }
  refused(rule({{"sources", Json::object()}}));
  refused(rule({{"sources", {{"addresses", {"10.0.0.0/33"}}}}}));
  refused(rule({{"sources", {{"addresses", {"example.com"}}}}}));
  refused(rule({{"sources", {{"tags", {"nothing"}}}}}));
  refused(rule({{"sources", {{"load_balancer_uids", {"x"}}}}}));
  refused({{"inbound_rules", std::vector<Json>(51, from_anywhere("22"))}});
  REQUIRE(core.post("/v2/firewalls", firewall("fw", {"web"})).status == 202);
  CHECK(core.post("/v2/firewalls", firewall("fw", {"web"})).status == 409);
}

TEST_CASE("cloud: all ports and single addresses are brought into one form") {
  Core core;
  const auto id = core.boot_one("a");
  auto body = firewall("fw", Json::array());
  body["droplet_ids"] = {id};
  body["inbound_rules"] = {
      {{"protocol", "tcp"},
       {"ports", "all"},
       {"sources", {{"addresses", {"10.0.0.1", "fd00::1"}}}}},
      {{"protocol", "icmp"}, {"sources", {{"addresses", {"10.0.0.0/8"}}}}},
      {{"protocol", "udp"}, {"ports", "8000-9000"}, {"sources", {{"droplet_ids", {id}}}}}};
  const auto made = core.post("/v2/firewalls", body);
  REQUIRE(made.status == 202);
  CHECK(made.body["firewall"]["inbound_rules"][0]["ports"] == "0");
  CHECK(made.body["firewall"]["inbound_rules"][1]["ports"] == "0");
  const auto rules = core.asked<SetRules>().at(0).rules.inbound;
  CHECK(rules[0].addresses == std::vector<std::string>{"10.0.0.1/32", "fd00::1/128"});
  CHECK(rules[2].first_port == 8000);
  CHECK(rules[2].last_port == 9000);
}
