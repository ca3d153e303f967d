// Tests of what faults do to requests, actions and droplets, in the pure core.
#include "cloud/fault.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "cloud/state_json.hpp"
#include "cloud/support/core_fixture.hpp"

using namespace paas::cloud;
using paas::cloud::testing::Core;
using paas::cloud::testing::Json;

namespace {

/// Adds a fault and gives its identifier.
Id add_fault(Core& core, const Json& wanted) {
  const auto answer = core.post("/paasctl/faults", wanted);
  INFO(answer.body.dump());
  REQUIRE(answer.status == 201);
  return answer.body["fault"]["id"].get<Id>();
}

Json fault_of(Core& core, Id id) {
  return core.get(fmt::format("/paasctl/faults/{}", id)).body["fault"];
}

void remove_fault(Core& core, Id id) {
  CHECK(core.remove(fmt::format("/paasctl/faults/{}", id)).status == 204);
}

std::string message_of(const testing::Exchange& answer) {
  return answer.body.value("message", std::string());
}

const Json one_droplet = {
    {"name", "web-1"}, {"region", "nyc3"}, {"size", "s-1vcpu-1gb"}, {"image", "debian-12-x64"}};

std::string status_of_droplet(Core& core, Id id) {
  const auto answer = core.get(fmt::format("/v2/droplets/{}", id));
  return answer.status == 200 ? answer.body["droplet"]["status"].get<std::string>()
                              : std::to_string(answer.status);
}

/// Which of the next `count` requests for the account are struck, as digits.
std::string pattern(Core& core, int count) {
  std::string struck;
  for (int number = 0; number < count; ++number) {
    struck += core.get("/v2/account").status == 200 ? '0' : '1';
  }
  return struck;
}

}  // namespace

TEST_CASE("fault: they need the cloud's token, and are outside of the API") {
  Core core;
  core.token = "wrong";
  CHECK(core.get("/paasctl/faults").status == 401);
  core.token = testing::test_token;
  CHECK(core.get("/paasctl/faults").body["faults"].empty());
  CHECK(core.get("/paasctl/faults/7").status == 404);
  CHECK(core.remove("/paasctl/faults/7").status == 404);
  CHECK(core.get("/paasctl/other").status == 404);
  // Neither the rate limit nor a fault of everything has an effect on them.
  core.state.settings.enforce_rate_limits = true;
  add_fault(core, {{"fault", "status"}, {"status", 500}});
  for (int count = 0; count < 300; ++count) REQUIRE(core.get("/paasctl/faults").status == 200);
  CHECK(core.get("/v2/account").status == 500);
}

TEST_CASE("fault: a wrong one is refused with what was meant") {
  Core core;
  const auto answer = core.post("/paasctl/faults", {{"fault", "cut"}, {"path", "/v2/droplet"}});
  CHECK(answer.status == 422);
  CHECK(message_of(answer) ==
        "--path: no operation has a path such as /v2/droplet; did you mean /v2/droplets?");
  CHECK(core.state.faults.empty());
}

TEST_CASE("fault: a status takes the place of the operation") {
  Core core;
  const auto id = add_fault(
      core, {{"fault", "status"}, {"status", 429}, {"retry-after", 7}, {"method", "POST"}});
  const auto answer = core.post("/v2/droplets", one_droplet);
  CHECK(answer.status == 429);
  CHECK(answer.body["id"] == "too_many_requests");
  CHECK(answer.headers.at("retry-after") == "7");
  CHECK(answer.headers.contains("ratelimit-remaining"));
  CHECK(core.state.droplets.empty());
  CHECK(core.get("/v2/account").status == 200);
  CHECK(fault_of(core, id)["hits"] == 1);
  CHECK(fault_of(core, id)["matched"] == 1);
}

TEST_CASE("fault: a status can come after the operation, with a body of its own") {
  Core core;
  add_fault(core, {{"fault", "status"}, {"status", 500}, {"method", "POST"}, {"after", true}});
  CHECK(core.post("/v2/droplets", one_droplet).status == 500);
  CHECK(core.state.droplets.size() == 1);
  add_fault(core, {{"fault", "status"},
                   {"status", 200},
                   {"path", "/v2/droplets"},
                   {"method", "GET"},
                   {"body", R"({"droplets": [], "links": {}, "meta": {"total": 0}})"}});
  const auto list = core.get("/v2/droplets");
  CHECK(list.status == 200);
  CHECK(list.body["droplets"].empty());
}

TEST_CASE("fault: the nth request, a number of times") {
  Core core;
  const auto once = add_fault(core, {{"fault", "status"}, {"status", 503}, {"nth", 3}});
  CHECK(pattern(core, 6) == "001000");
  CHECK(fault_of(core, once)["state"] == "done");
  remove_fault(core, once);
  add_fault(core, {{"fault", "status"}, {"status", 503}, {"nth", 2}, {"times", 3}});
  CHECK(pattern(core, 6) == "011100");
}

TEST_CASE("fault: a share is the same requests with the same seed, and others with another one") {
  const auto with_seed = [](int seed) {
    Core core;
    // Another fault before it does not change which requests it strikes.
    if (seed == 7) add_fault(core, {{"fault", "cut"}, {"path", "/v2/tags"}});
    add_fault(core, {{"fault", "status"}, {"status", 500}, {"share", "25%"}, {"seed", seed}});
    return pattern(core, 400);
  };
  const auto first = with_seed(7);
  CHECK(first == with_seed(7));
  CHECK(first != with_seed(8));
  const auto struck = std::count(first.begin(), first.end(), '1');
  CHECK(struck > 60);
  CHECK(struck < 140);
}

TEST_CASE("fault: the first that strikes decides, and delays add up") {
  Core core;
  const auto slow = add_fault(core, {{"fault", "delay"}, {"time", "2s"}});
  const auto slower = add_fault(core, {{"fault", "delay"}, {"time", "500ms"}});
  const auto first = add_fault(core, {{"fault", "status"}, {"status", 502}, {"times", 1}});
  const auto second = add_fault(core, {{"fault", "status"}, {"status", 504}});
  Request request{"GET", "/v2/account", {}, "Bearer " + core.token, "", "http://x", "r"};
  const auto outcome = handle(core.state, request, core.surroundings);
  CHECK(outcome.answer.status == 502);
  CHECK(outcome.answer.delivery.delay == std::chrono::milliseconds(2500));
  CHECK(handle(core.state, request, core.surroundings).answer.status == 504);
  CHECK(fault_of(core, first)["hits"] == 1);
  CHECK(fault_of(core, second)["hits"] == 1);
  CHECK(fault_of(core, slow)["hits"] == 2);
  CHECK(fault_of(core, slower)["matched"] == 2);
}

TEST_CASE("fault: connections end before or after the operation took effect") {
  Core core;
  const auto deliver = [&](const std::string& method, const std::string& path,
                           const std::string& body) {
    Request request{method, path, {}, "Bearer " + core.token, body, "http://x", "r"};
    return handle(core.state, request, core.surroundings).answer.delivery.end;
  };
  const auto before = add_fault(core, {{"fault", "cut"}, {"path", "/v2/tags"}});
  CHECK(deliver("POST", "/v2/tags", R"({"name": "a"})") == Delivery::End::nothing);
  CHECK_FALSE(core.state.tags.contains("a"));
  remove_fault(core, before);
  const auto after = add_fault(core, {{"fault", "cut"}, {"path", "/v2/tags"}, {"after", true}});
  CHECK(deliver("POST", "/v2/tags", R"({"name": "a"})") == Delivery::End::nothing);
  CHECK(core.state.tags.contains("a"));
  remove_fault(core, after);
  add_fault(core, {{"fault", "half"}, {"path", "/v2/tags"}});
  CHECK(deliver("POST", "/v2/tags", R"({"name": "b"})") == Delivery::End::half);
  CHECK(core.state.tags.contains("b"));
  add_fault(core, {{"fault", "half"}, {"path", "/v2/tags/*"}});
  // There is no half of nothing.
  CHECK(deliver("DELETE", "/v2/tags/b", "") == Delivery::End::nothing);
  CHECK_FALSE(core.state.tags.contains("b"));
}

TEST_CASE("fault: a new droplet is missing for some looks, from lists as well") {
  Core core;
  const auto fault = add_fault(core, {{"fault", "missing"}, {"looks", 3}, {"times", 1}});
  const auto id = core.boot_one("web-1", {{"tags", {"web"}}});
  CHECK(core.get("/v2/droplets?tag_name=web").body["droplets"].empty());
  CHECK(core.get(fmt::format("/v2/droplets/{}", id)).status == 404);
  CHECK(core.post(fmt::format("/v2/droplets/{}/actions", id), {{"type", "reboot"}}).status == 404);
  CHECK(status_of_droplet(core, id) == "active");
  CHECK(core.get("/v2/droplets?tag_name=web").body["droplets"].size() == 1);
  CHECK(fault_of(core, fault)["hits"] == 1);
  const auto other = core.boot_one("web-2");
  CHECK(status_of_droplet(core, other) == "active");
}

TEST_CASE("fault: a droplet that is missing is found when its fault is removed") {
  Core core;
  const auto fault = add_fault(core, {{"fault", "missing"}, {"looks", 100}});
  const auto id = core.boot_one("web-1");
  const auto path = fmt::format("/v2/droplets/{}", id);
  CHECK(core.get(path).status == 404);
  CHECK(core.remove(fmt::format("/paasctl/faults/{}", fault)).status == 204);
  CHECK(core.get(path).status == 200);
}

TEST_CASE("fault: a refused creation is no hit of a fault of droplets") {
  Core core;
  const auto id = add_fault(core, {{"fault", "stuck"}, {"times", 1}});
  CHECK(core.post("/v2/droplets", {{"name", "x"}}).status == 422);
  CHECK(fault_of(core, id)["hits"] == 0);
  CHECK(fault_of(core, id)["state"] == "active");
}

TEST_CASE("fault: a stuck droplet stays new until the fault is removed") {
  Core core;
  const auto fault = add_fault(core, {{"fault", "stuck"}, {"times", 1}});
  const auto id = core.boot_one("web-1", {{"tags", {"web"}}});
  CHECK(status_of_droplet(core, id) == "new");
  const auto view = core.get(fmt::format("/v2/droplets/{}", id)).body["droplet"];
  CHECK(view["locked"] == true);
  CHECK(view["networks"]["v4"].empty());
  CHECK(core.remove(fmt::format("/v2/droplets/{}", id)).status == 422);
  CHECK(core.boot_one("web-2") != 0);
  // It is stuck for the next process as well.
  core.state = *decode(encode(core.state));
  core.waiting.clear();
  for (const auto& effect : resume(core.state, core.surroundings)) core.waiting.push_back(effect);
  core.settle();
  CHECK(status_of_droplet(core, id) == "new");
  remove_fault(core, fault);
  core.settle();
  CHECK(status_of_droplet(core, id) == "active");
  CHECK(core.state.outstanding.empty());
}

TEST_CASE("fault: a stuck droplet can be deleted by its tag") {
  Core core;
  const auto fault = add_fault(core, {{"fault", "stuck"}});
  core.boot_one("web-1", {{"tags", {"web"}}});
  CHECK(core.remove("/v2/droplets?tag_name=web").status == 204);
  core.settle();
  CHECK(core.state.droplets.empty());
  CHECK(core.state.outstanding.empty());
  remove_fault(core, fault);
  CHECK(core.waiting.empty());
}

TEST_CASE("fault: an action errors, and leaves everything as it was") {
  Core core;
  const auto id = core.boot_one("web-1");
  const auto path = fmt::format("/v2/droplets/{}/actions", id);
  const auto fault = add_fault(core, {{"fault", "action-error"}});
  for (const auto& body : {Json{{"type", "power_off"}}, Json{{"type", "snapshot"}},
                           Json{{"type", "rename"}, {"name", "other"}},
                           Json{{"type", "rebuild"}, {"image", "debian-12-x64"}}}) {
    INFO(body.dump());
    const auto answer = core.post(path, body);
    REQUIRE(answer.status == 201);
    core.settle();
    const auto action = answer.body["action"]["id"].get<Id>();
    CHECK(core.get(fmt::format("/v2/actions/{}", action)).body["action"]["status"] == "errored");
    const auto droplet = core.get(fmt::format("/v2/droplets/{}", id)).body["droplet"];
    CHECK(droplet["name"] == "web-1");
    CHECK(droplet["status"] == "active");
    CHECK(droplet["locked"] == false);
  }
  CHECK(core.state.images.empty());
  CHECK(fault_of(core, fault)["hits"] == 4);
}

TEST_CASE("fault: only actions of one type error") {
  Core core;
  const auto id = core.boot_one("web-1");
  core.post("/v2/volumes", {{"name", "data"}, {"region", "nyc3"}, {"size_gigabytes", 1}});
  core.settle();
  const auto volume = core.state.volumes.begin()->first;
  const auto fault = add_fault(core, {{"fault", "action-error"}, {"action", "attach_volume"}});
  core.post(fmt::format("/v2/droplets/{}/actions", id), {{"type", "reboot"}});
  core.settle();
  CHECK(fault_of(core, fault)["matched"] == 0);
  const auto attach = [&] {
    core.post(fmt::format("/v2/volumes/{}/actions", volume),
              {{"type", "attach"}, {"droplet_id", id}});
    core.settle();
    return core.state.volumes.at(volume).droplet_id;
  };
  CHECK(attach() == 0);
  remove_fault(core, fault);
  CHECK(attach() == id);
}

TEST_CASE("fault: a droplet whose create errors is not found") {
  Core core;
  add_fault(core, {{"fault", "action-error"}, {"action", "create"}});
  const auto id = core.boot_one("web-1");
  REQUIRE(id != 0);
  CHECK(core.get(fmt::format("/v2/droplets/{}", id)).status == 404);
  CHECK(core.state.droplets.empty());
}

TEST_CASE("fault: a size is sold out where it is, and the lists say so") {
  Core core;
  const auto fault =
      add_fault(core, {{"fault", "sold-out"}, {"size", "s-1vcpu-1gb"}, {"region", "nyc3"}});
  const auto answer = core.post("/v2/droplets", one_droplet);
  CHECK(answer.status == 422);
  CHECK(answer.body["id"] == "unprocessable_entity");
  CHECK(message_of(answer) == "Size is not available in this region.");
  auto elsewhere = one_droplet;
  elsewhere["region"] = "fra1";
  CHECK(core.post("/v2/droplets", elsewhere).status == 202);
  auto larger = one_droplet;
  larger["size"] = "s-2vcpu-4gb";
  CHECK(core.post("/v2/droplets", larger).status == 202);
  const auto find = [&](const char* list, const char* slug) {
    const auto body = core.get(fmt::format("/v2/{}?per_page=200", list)).body;
    for (const auto& each : body[list]) {
      if (each["slug"] == slug) return each;
    }
    return Json();
  };
  const auto has = [](const Json& list, const char* text) {
    return std::find(list.begin(), list.end(), text) != list.end();
  };
  CHECK_FALSE(has(find("sizes", "s-1vcpu-1gb")["regions"], "nyc3"));
  CHECK(has(find("sizes", "s-1vcpu-1gb")["regions"], "fra1"));
  CHECK(find("sizes", "s-1vcpu-1gb")["available"] == true);
  CHECK_FALSE(has(find("regions", "nyc3")["sizes"], "s-1vcpu-1gb"));
  remove_fault(core, fault);
  add_fault(core, {{"fault", "sold-out"}, {"region", "nyc3"}});
  CHECK(find("regions", "nyc3")["available"] == false);
  CHECK(core.post("/v2/droplets", larger).status == 422);
  add_fault(core, {{"fault", "sold-out"}, {"size", "c-2"}});
  CHECK(find("sizes", "c-2")["available"] == false);
}

TEST_CASE("fault: the account may have no more droplets") {
  Core core;
  core.boot_one("web-1");
  const auto fault = add_fault(core, {{"fault", "droplet-limit"}, {"limit", 2}});
  CHECK(core.get("/v2/account").body["account"]["droplet_limit"] == 2);
  CHECK(core.boot({"web-2", "web-3"}).empty());
  CHECK(core.boot_one("web-2") != 0);
  const auto answer = core.post("/v2/droplets", one_droplet);
  CHECK(answer.status == 422);
  CHECK(message_of(answer) == "creating this/these droplet(s) will exceed your droplet limit");
  remove_fault(core, fault);
  CHECK(core.boot_one("web-4") != 0);
}

TEST_CASE("fault: a machine that is killed is off, one that is rebooted is not") {
  Core core;
  const auto id = core.boot_one("web-1");
  const auto reboot = add_fault(core, {{"fault", "reboot"}, {"droplet", "web-1"}});
  CHECK(fault_of(core, reboot)["state"] == "pending");
  core.settle();
  CHECK(fault_of(core, reboot)["state"] == "done");
  CHECK(status_of_droplet(core, id) == "active");
  const auto kill = add_fault(core, {{"fault", "kill"}, {"droplet", std::to_string(id)}});
  core.settle();
  CHECK(fault_of(core, kill)["target"] == "web-1");
  CHECK(fault_of(core, kill)["hits"] == 1);
  CHECK(status_of_droplet(core, id) == "off");
  const auto again = core.post("/paasctl/faults", {{"fault", "kill"}, {"droplet", "web-1"}});
  CHECK(again.status == 422);
  CHECK(message_of(again) == "web-1 does not run");
  CHECK(core.asked<DisturbMachine>().size() == 2);
}

TEST_CASE("fault: a frozen machine thaws when the fault is removed") {
  Core core;
  core.boot_one("web-1");
  const auto id = add_fault(core, {{"fault", "freeze"}, {"droplet", "web-1"}});
  core.settle();
  CHECK(fault_of(core, id)["state"] == "active");
  CHECK(core.post("/paasctl/faults", {{"fault", "freeze"}, {"droplet", "web-1"}}).status == 409);
  // It is frozen again by the next process.
  core.state = *decode(encode(core.state));
  for (const auto& effect : resume(core.state, core.surroundings)) core.waiting.push_back(effect);
  CHECK(fault_of(core, id)["state"] == "pending");
  core.settle();
  CHECK(fault_of(core, id)["state"] == "active");
  remove_fault(core, id);
  CHECK(fault_of(core, id)["state"] == "leaving");
  CHECK(core.asked<DisturbMachine>().back().what == Disturbance::thaw);
  core.settle();
  CHECK(core.state.faults.empty());
}

TEST_CASE("fault: what the world cannot do is told, and can be removed") {
  Core core;
  core.boot_one("web-1");
  const auto id = add_fault(core, {{"fault", "fill-disk"}, {"droplet", "web-1"}});
  core.end_next("no such thing");
  CHECK(fault_of(core, id)["state"] == "failed");
  CHECK(fault_of(core, id)["error"] == "no such thing");
  CHECK(fault_of(core, id)["hits"] == 0);
  remove_fault(core, id);
  core.settle();
  CHECK(core.state.faults.empty());
}

TEST_CASE("fault: a machine that starts is not frozen, and its disk is full again") {
  Core core;
  const auto id = core.boot_one("web-1");
  const auto frozen = add_fault(core, {{"fault", "freeze"}, {"droplet", "web-1"}});
  const auto full = add_fault(core, {{"fault", "fill-disk"}, {"droplet", "web-1"}});
  core.settle();
  core.post(fmt::format("/v2/droplets/{}/actions", id), {{"type", "power_cycle"}});
  core.settle();
  CHECK_FALSE(core.state.faults.contains(frozen));
  CHECK(fault_of(core, full)["state"] == "active");
  CHECK(core.asked<DisturbMachine>().size() == 3);
  CHECK(core.asked<DisturbMachine>().back().what == Disturbance::fill_disk);
}

TEST_CASE("fault: a machine without its cable keeps its firewall for later") {
  Core core;
  const auto id = core.boot_one("web-1", {{"tags", {"web"}}});
  core.post(
      "/v2/firewalls",
      {{"name", "fw"},
       {"tags", {"web"}},
       {"inbound_rules",
        {{{"protocol", "tcp"}, {"ports", "22"}, {"sources", {{"addresses", {"0.0.0.0/0"}}}}}}},
       {"outbound_rules", Json::array()}});
  core.settle();
  const auto fault = add_fault(core, {{"fault", "unplug"}, {"droplet", "web-1"}});
  // The world refuses at first, and is asked again.
  core.end_next("iptables is busy");
  CHECK(fault_of(core, fault)["state"] == "pending");
  core.settle();
  CHECK(fault_of(core, fault)["state"] == "active");
  CHECK(core.asked<SetRules>().back().rules.unplugged);
  // Also after a rebuild.
  core.post(fmt::format("/v2/droplets/{}/actions", id),
            {{"type", "rebuild"}, {"image", "debian-12-x64"}});
  CHECK(core.asked<CreateMachine>().back().rules.unplugged);
  core.settle();
  remove_fault(core, fault);
  core.settle();
  CHECK(core.state.faults.empty());
  const auto rules = core.asked<SetRules>().back().rules;
  CHECK_FALSE(rules.unplugged);
  CHECK(rules.inbound.size() == 1);
}

TEST_CASE("fault: a machine is found by name, and goes with its faults") {
  Core core;
  const auto id = core.boot_one("web-1");
  const auto unknown = core.post("/paasctl/faults", {{"fault", "freeze"}, {"droplet", "wep-1"}});
  CHECK(unknown.status == 404);
  CHECK(message_of(unknown) == "there is no droplet \"wep-1\"; did you mean web-1?");
  add_fault(core, {{"fault", "freeze"}, {"droplet", "web-1"}});
  core.settle();
  core.remove(fmt::format("/v2/droplets/{}", id));
  core.settle();
  CHECK(core.state.faults.empty());
  core.boot({"twin", "twin"});
  const auto twice = core.post("/paasctl/faults", {{"fault", "freeze"}, {"droplet", "twin"}});
  CHECK(twice.status == 422);
  CHECK(message_of(twice).starts_with("2 droplets have the name twin"));
}

TEST_CASE("fault: all are removed at once, and all are kept with the state") {
  Core core;
  core.boot_one("web-1");
  add_fault(core, {{"fault", "status"}, {"status", 418}, {"body", "teapot"}, {"share", "10%"}});
  add_fault(core, {{"fault", "unplug"}, {"droplet", "web-1"}});
  add_fault(core, {{"fault", "stuck"}});
  core.boot_one("web-2");
  const auto text = encode(core.state);
  const auto again = decode(text);
  REQUIRE(again);
  CHECK(again->faults == core.state.faults);
  CHECK(encode(*again) == text);
  CHECK(core.remove("/paasctl/faults").status == 204);
  core.settle();
  CHECK(core.state.faults.empty());
  CHECK(core.state.outstanding.empty());
  CHECK(status_of_droplet(core, core.state.droplets.rbegin()->first) == "active");
}
