// Random requests and completions must never bring the state into disorder.
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "cloud/state_json.hpp"
#include "cloud/support/core_fixture.hpp"
#include "cloud/support/invariants.hpp"

using namespace paas::cloud;
using paas::cloud::testing::Core;
using paas::cloud::testing::Json;

namespace {

class RandomClient {
 public:
  RandomClient(Core& core, unsigned seed) : core_(core), random_(seed) {}

  void step() {
    const auto what = below(26);
    if (what < 6 && !core_.waiting.empty()) {
      core_.end_next(below(10) == 0 ? "failed at random" : "");
      return;
    }
    const auto before = core_.state;
    const auto answer = request(what);
    INFO(answer.status, " ", answer.body.dump());
    CHECK(answer.status != 500);
    // What is refused leaves no trace, but for what faults count.
    if (answer.status >= 400) {
      CHECK((encode(without_counts(core_.state)) == encode(without_counts(before))));
    }
  }

 private:
  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }

  template <typename Map>
  std::string any(const Map& map) {
    if (map.empty() || below(12) == 0) return "4711";
    auto entry = map.begin();
    std::advance(entry, below(static_cast<int>(map.size())));
    if constexpr (std::is_same_v<typename Map::key_type, std::string>) {
      return entry->first;
    } else {
      return std::to_string(entry->first);
    }
  }

  std::string tag() { return std::string(1, static_cast<char>('a' + below(4))); }
  Id droplet() { return std::stoll(any(core_.state.droplets)); }

  Json rule(const char* side) {
    Json peers = Json::object();
    if (below(2) == 0) peers["addresses"] = {"10.0.0.0/8"};
    if (below(2) == 0) peers["tags"] = {tag()};
    if (below(3) == 0) peers["droplet_ids"] = {droplet()};
    return {{"protocol", "tcp"}, {"ports", std::to_string(1 + below(3))}, {side, peers}};
  }

  Json firewall() {
    return {{"name", "fw-" + std::to_string(below(5))},
            {"inbound_rules", {rule("sources")}},
            {"outbound_rules", {rule("destinations")}},
            {"tags", {tag()}}};
  }

  /// One that lets requests have the answers that they deserve.
  Json fault() {
    const auto kinds = std::vector<std::string>{"missing", "action-error", "stuck",  "kill",
                                                "reboot",  "freeze",       "unplug", "fill-disk"};
    const auto kind = kinds[static_cast<std::size_t>(below(8))];
    if (kind == "missing" || kind == "action-error" || kind == "stuck") {
      return {{"fault", kind}, {"times", 1 + below(3)}};
    }
    return {{"fault", kind}, {"droplet", any(core_.state.droplets)}};
  }

  static State without_counts(State state) {
    for (auto& [id, rule] : state.faults) rule.matched = rule.hits = 0;
    for (auto& [id, droplet] : state.droplets) droplet.hidden_looks = 0;
    return state;
  }

  testing::Exchange request(int what);

  Core& core_;
  std::mt19937 random_;
};

testing::Exchange RandomClient::request(int what) {
  auto& state = core_.state;
  const auto action_types =
      std::vector<std::string>{"reboot",   "power_off", "power_on", "shutdown", "power_cycle",
                               "snapshot", "rebuild",   "rename",   "nonsense"};
  switch (what) {
    case 6:
    case 7:
    case 8:
      return core_.post(
          "/v2/droplets",
          {{"name", "d" + std::to_string(below(5))},
           {"region", below(4) == 0 ? "fra1" : "nyc3"},
           {"size", "s-1vcpu-1gb"},
           {"image", below(3) == 0 && !state.images.empty() ? Json(state.images.begin()->first)
                                                            : Json("debian-12-x64")},
           {"tags", {tag()}},
           {"volumes", below(3) == 0 ? Json({any(state.volumes)}) : Json::array()}});
    case 9:
      return core_.remove("/v2/droplets/" + any(state.droplets));
    case 10:
      return below(3) == 0 ? core_.remove("/v2/droplets?tag_name=" + tag())
                           : core_.get("/v2/droplets?tag_name=" + tag());
    case 11:
    case 12:
      return core_.post(
          "/v2/droplets/" + any(state.droplets) + "/actions",
          {{"type", action_types[static_cast<std::size_t>(below(9))]}, {"name", "renamed"}});
    case 13:
      return core_.post("/v2/volumes", {{"name", "v" + std::to_string(below(6))},
                                        {"region", below(4) == 0 ? "fra1" : "nyc3"},
                                        {"size_gigabytes", 1 + below(5)}});
    case 14:
      return core_.post("/v2/volumes/" + any(state.volumes) + "/actions",
                        {{"type", below(2) == 0 ? "attach" : "detach"}, {"droplet_id", droplet()}});
    case 15:
      return core_.remove("/v2/volumes/" + any(state.volumes));
    case 16:
      return core_.post("/v2/firewalls", firewall());
    case 17:
      return core_.send("PUT", "/v2/firewalls/" + any(state.firewalls), firewall());
    case 18:
      return below(2) == 0 ? core_.remove("/v2/firewalls/" + any(state.firewalls))
                           : core_.remove("/v2/images/" + any(state.images));
    case 19:
      return below(3) == 0 ? core_.remove("/v2/tags/" + tag())
                           : core_.post("/v2/tags", {{"name", tag()}});
    case 20:
      return core_.post("/v2/vpcs",
                        {{"name", "vpc-" + std::to_string(below(4))}, {"region", "nyc3"}});
    case 21:
      return core_.remove("/v2/vpcs/" + any(state.vpcs));
    case 22:
      return below(2) == 0 ? core_.post("/v2/reserved_ips", {{"droplet_id", droplet()}})
                           : core_.remove("/v2/reserved_ips/" + any(state.reserved_ips));
    case 23:
      return core_.post("/paasctl/faults", fault());
    case 24:
      return core_.remove("/paasctl/faults/" + any(state.faults));
    default:
      return core_.post(
          "/v2/reserved_ips/" + any(state.reserved_ips) + "/actions",
          {{"type", below(2) == 0 ? "assign" : "unassign"}, {"droplet_id", droplet()}});
  }
}

}  // namespace

TEST_CASE("cloud: whatever is asked in whatever order, the state stays sound") {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    Core core;
    RandomClient client(core, seed);
    for (int step = 0; step < 150; ++step) {
      client.step();
      CHECK(testing::disorder_in(core.state) == std::vector<std::string>());
    }
    const auto text = encode(core.state);
    const auto again = decode(text);
    REQUIRE(again);
    CHECK((encode(*again) == text));
    // Something may be held back by a fault.
    core.remove("/paasctl/faults");
    core.settle();
    CHECK(core.state.outstanding.empty());
    CHECK(core.state.faults.empty());
    for (const auto& [id, droplet] : core.state.droplets) {
      CHECK_FALSE(droplet.leaving);
      CHECK(droplet.pending_action == 0);
    }
  }
}

TEST_CASE("cloud: the same requests give the same state") {
  const auto play = [] {
    Core core;
    RandomClient client(core, 7);
    for (int step = 0; step < 200; ++step) client.step();
    return encode(core.state);
  };
  CHECK((play() == play()));
}

TEST_CASE("cloud: user data that droplets share is written once, and an older state is read") {
  Core core;
  const auto ids = core.boot({"a", "b"}, {{"user_data", "#cloud-config of two\n"}});
  core.boot_one("c", {{"user_data", "#cloud-config of one\n"}});
  const auto text = encode(core.state);
  auto json = Json::parse(text);
  CHECK(json["user_data"] == Json{"#cloud-config of two\n", "#cloud-config of one\n"});
  const auto again = decode(text);
  REQUIRE(again);
  CHECK((encode(*again) == text));
  CHECK(again->droplets.at(ids[1]).user_data == "#cloud-config of two\n");

  json.erase("user_data");
  for (auto& droplet : json["droplets"]) droplet["user_data"] = "its own";
  const auto older = decode(json.dump());
  REQUIRE(older);
  CHECK(older->droplets.at(ids[0]).user_data == "its own");
  json["droplets"][0]["user_data"] = 7;
  CHECK_FALSE(decode(json.dump()));
}

TEST_CASE("cloud: a state of another version, or none, is refused") {
  CHECK_FALSE(decode(""));
  CHECK_FALSE(decode("[]"));
  CHECK_FALSE(decode(R"({"version": 2})"));
  CHECK_FALSE(decode(R"({"version": 1, "settings": 7})"));
  auto json = Json::parse(encode(State()));
  CHECK(decode(json.dump()));
  json["outstanding"] = {
      {{"effect", {{"id", 1}, {"order_key", "x"}, {"kind", "dance"}, {"details", {}}}}}};
  CHECK_FALSE(decode(json.dump()));
}
