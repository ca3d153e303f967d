// What a run must survive, by the numbers of tests/SURVIVAL.md: those that need the world to be in
// a state of its own, or one operation to go wrong.
#include <doctest/doctest.h>

#include <algorithm>

#include "crash/support/campaign.hpp"
#include "haproxy/configuration.hpp"

namespace paas::crash {
namespace {

/// The faults at each operation whose text begins so.
void meet(const std::string& scenario, const std::vector<FaultKind>& kinds,
          const std::string& beginning, std::uint64_t seed = first_seed()) {
  const Stage stage(*find_scenario(scenario), seed);
  std::vector<Point> points;
  for (const auto kind : kinds) {
    for (std::size_t i = 0; i < stage.operations().size(); ++i) {
      const auto& operation = stage.operations()[i];
      if (!operation.text.starts_with(beginning) || !applies(kind, operation)) continue;
      points.push_back(
          {scenario, {Mishap::Kind::fault, kind}, stage.seed(), static_cast<int>(i) + 1});
    }
  }
  REQUIRE_FALSE(points.empty());
  // Few are all tried.
  constexpr std::size_t few = 30;
  attempt_all(stage, points, points.size() > few ? stride(6) : 1, "faults");
}

/// The small stack, up and at rest.
World up_world() { return beginning_of(*find_scenario("scale-up"), first_seed()); }
Command up_again() { return find_scenario("up")->command; }
const Expected& small_expected() { return find_scenario("up")->expected; }

/// Somebody's request, past any run.
cloud::Answer by_hand(World& world, const std::string& method, const std::string& path,
                      const std::string& body = "") {
  cloud::Request request;
  request.method = method;
  request.path = path;
  request.body = body;
  request.authorization = "Bearer " + world.provider.state.settings.token;
  auto answer =
      world.provider.handle(request, world.time, [](const cloud::Effect&) { return Fate::done; });
  REQUIRE_MESSAGE(answer.status < 300, answer.body);
  world.provider.settle(world.time);
  return answer;
}

cloud::Id id_of(const World& world, const std::string& name) {
  for (const auto& [id, droplet] : world.provider.state.droplets) {
    if (droplet.name == name) return id;
  }
  FAIL("no droplet ", name);
  return 0;
}

void require_success(const End& end) {
  for (const auto& error : end.errors) FAIL_CHECK(describe(error));
  REQUIRE(end.succeeded());
}

/// The next run makes of the world what the stack file says, and the one after it changes nothing.
void check_mended(World& world, const Expected& expected) {
  require_success(run(world, up_again()));
  world.provider.settle(world.time);
  for (const auto& difference : differences(world, expected)) FAIL_CHECK(difference);
  CHECK(run(world, up_again()).effects == 0);
  for (const auto& violation : world.ledger.violations()) FAIL_CHECK(violation);
}

TEST_CASE("case 1: killed after the intent and before the POST, a run makes nothing twice") {
  meet("up", {FaultKind::killed_before}, "POST ");
}
TEST_CASE("case 2: killed after the POST and before its answer, a run finds what it made") {
  meet("up", {FaultKind::killed_after}, "POST ");
}
TEST_CASE("crash: an action that a stopped run asked for is waited for and not asked for again") {
  // Actions take long and the next run comes at once.
  constexpr std::uint64_t seed = 8;
  meet("up", {FaultKind::killed_after}, "POST /v2/reserved_ips", seed);
  meet("up", {FaultKind::killed_after}, "POST /v2/volumes/", seed);
  meet("up-larger", {FaultKind::killed_after}, "POST /v2/volumes/", seed);
  meet("replace-db", {FaultKind::killed_after}, "POST /v2/volumes/", seed);
  meet("replace-lb", {FaultKind::killed_after}, "POST /v2/reserved_ips/", seed);
  meet("destroy", {FaultKind::killed_after}, "", seed);
}
TEST_CASE("case 3: a POST that times out, is cut off or meets a 5xx is never repeated blindly") {
  meet("up",
       {FaultKind::timeout_before, FaultKind::timeout_after, FaultKind::reset_before,
        FaultKind::reset_after, FaultKind::error_500, FaultKind::error_503_after},
       "POST ");
}
TEST_CASE("case 4: a 429 is waited out, with retry-after and without") {
  meet("scale-up", {FaultKind::limit_plain, FaultKind::limit_waiting}, "");
}
TEST_CASE("case 5: 401 and 403 in the middle end the run, and the next one goes on") {
  meet("scale-up", {FaultKind::refused_401, FaultKind::refused_403}, "");
}
TEST_CASE("case 6: what was accepted and is not found yet is not made again") {
  meet("replace-db", {FaultKind::lost_404}, "GET ");
}
TEST_CASE("case 7: an action that ends errored ends its step, and the next run goes on") {
  meet("replace-db", {FaultKind::effect_fails}, "");
}
TEST_CASE("case 8: a droplet that is stuck in new is waited for by the next run as well") {
  meet("up", {FaultKind::effect_stuck}, "create-machine ");
}
TEST_CASE("case 9: a droplet with a pending event is waited for") {
  meet("replace-db", {FaultKind::busy_422}, "");
  meet("destroy", {FaultKind::busy_422}, "DELETE ");
}
TEST_CASE("case 10: sold out and the droplet limit are told, and what is there goes on") {
  meet("scale-up", {FaultKind::sold_out, FaultKind::droplet_limit}, "POST /v2/droplets");
}
TEST_CASE("case 13: HTML or half an answer with 200 is no answer") {
  meet("scale-up", {FaultKind::html_200, FaultKind::half_answer}, "");
}
TEST_CASE("case 14: an empty list where the lockfile knows more makes nothing anew") {
  meet("up-change", {FaultKind::empty_list}, "GET ");
}

TEST_CASE("case 15: a droplet that was deleted by hand is replaced under a new name") {
  auto world = up_world();
  by_hand(world, "DELETE", "/v2/droplets/" + std::to_string(id_of(world, "shop-web-1")));
  check_mended(world, small_expected());
  CHECK(id_of(world, "shop-web-3") != 0);
}

TEST_CASE("case 16: a rebuilt droplet ends the run, and when it is deleted there is a new one") {
  auto world = up_world();
  const auto id = std::to_string(id_of(world, "shop-web-1"));
  by_hand(world, "POST", "/v2/droplets/" + id + "/actions",
          R"({"type": "rebuild", "image": "debian-12-x64"})");
  // It begins anew, with the host key of its user data.
  world.insides.machines.erase("shop-web-1");
  world.host_keys.erase("shop-web-1");
  const auto stopped = run(world, up_again());
  REQUIRE(stopped.errors.size() == 1);
  CHECK(stopped.errors.front().kind == ErrorKind::unauthorised);
  CHECK(stopped.effects == 0);
  by_hand(world, "DELETE", "/v2/droplets/" + id);
  check_mended(world, small_expected());
}

TEST_CASE("case 17: a lockfile that cannot be written ends the run, and what was made is found") {
  meet("up", {FaultKind::disk_full, FaultKind::flush_fails}, "write paas.lock");
}

TEST_CASE(
    "case 19: an older lockfile is refused by what servers run, and accepted with new passwords") {
  const auto& scenario = *find_scenario("rotate");
  World world(pace_of(first_seed()));
  require_success(run(world, scenario.again));
  const auto older = world.disk;
  require_success(run(world, scenario.command));
  // Another machine, which has seen none of it: its disk is as before the rotation.
  world.disk = older;
  const auto refused = run(world, scenario.again);
  REQUIRE(refused.errors.size() == 1);
  CHECK(refused.errors.front().kind == ErrorKind::invalid);
  CHECK(refused.errors.front().message.find("runs release 2 of web") != std::string::npos);
  CHECK(refused.changes.empty());
  require_success(run(world, {Verb::accept, scenario.again.yaml}));
  require_success(run(world, scenario.again));
  world.provider.settle(world.time);
  for (const auto& difference : differences(world, scenario.expected)) FAIL_CHECK(difference);
  CHECK(run(world, scenario.again).effects == 0);
}

TEST_CASE("case 20: a run does nothing while another one holds the guard") {
  auto world = up_world();
  world.disk.guards.insert("/home/user/shop/paas.lock.guard");
  const auto second = run(world, find_scenario("scale-up")->command);
  REQUIRE(second.errors.size() == 1);
  CHECK(second.errors.front().kind == ErrorKind::guard_held);
  CHECK(second.changes.empty());
  CHECK(second.effects == 0);
}

TEST_CASE("case 23: a clock that jumps changes nothing about how long a run waits") {
  for (const auto jump :
       {Milliseconds(std::chrono::hours(-30)), Milliseconds(std::chrono::hours(30))}) {
    World world(pace_of(first_seed()));
    require_success(run(world, up_again(), {0, std::nullopt, 1, jump}));
    check_mended(world, small_expected());
  }
}

TEST_CASE("case 24: SSH that is refused after the droplet is active is waited for") {
  auto pace = pace_of(first_seed());
  pace.boot = Milliseconds(150'000);
  World world(pace);
  require_success(run(world, up_again()));
  check_mended(world, small_expected());
}
TEST_CASE("case 25: a changed host key ends the run") {
  meet("scale-up", {FaultKind::key_changed}, "");
}
TEST_CASE("case 26: SSH that is dropped inside a command leaves nothing half done") {
  meet("up", {FaultKind::ssh_dropped}, "");
}
TEST_CASE("case 27: a server whose cloud-init failed is prepared by the next run") {
  meet("up", {FaultKind::cloud_init_failed}, "cloud-init ");
}
TEST_CASE("crash: rules wait for a server that lost its power before its first container") {
  meet("up-grow", {FaultKind::server_killed}, "start shop-next-1");
}
TEST_CASE("case 29: a server whose disk is full is told, and the next run goes on") {
  meet("up-change", {FaultKind::server_full}, "");
}
TEST_CASE("case 30: an engine that does not answer is unknown, and no server without containers") {
  meet("up-change", {FaultKind::docker_down}, "");
}

TEST_CASE("case 32: a container whose name is taken by what does not run makes room for it") {
  const auto& scenario = *find_scenario("up-change");
  auto world = beginning_of(scenario, first_seed());
  for (const auto* server : {"shop-web-1", "shop-web-2"}) {
    auto& containers = world.insides.machines.at(server).containers;
    auto stale = containers.front();
    stale.name = "shop-web-2";
    stale.release = 2;
    stale.slot = 1;
    stale.state = "exited";
    containers.push_back(stale);
  }
  require_success(run(world, scenario.command));
  for (const auto& difference : differences(world, scenario.expected)) FAIL_CHECK(difference);
}

TEST_CASE("case 34: a configuration that HAProxy refuses is not installed") {
  meet("up-grow", {FaultKind::config_refused}, "install ");
}
TEST_CASE("case 35: a reload that did not take over is noticed and made again") {
  meet("up-grow", {FaultKind::reload_lost}, "install ");
}

/// HAProxy begins anew with what is on its disk.
void restart_haproxy(World& world) {
  for (auto& [name, machine] : world.insides.machines) {
    if (!machine.balancer || !machine.balancer->running) continue;
    auto& balancer = *machine.balancer;
    balancer.known.clear();
    for (const auto& backend : haproxy::servers_of(balancer.configuration)) {
      for (const auto& server : backend.servers) {
        balancer.known[backend.name].insert(server.name);
        world.insides.addresses[backend.name][server.name] =
            server.address + ":" + std::to_string(server.port);
      }
    }
    balancer.in_rotation = balancer.known;
    balancer.mark = haproxy::mark_of(balancer.configuration);
  }
}

TEST_CASE(
    "case 37: HAProxy that was restarted by hand has who serves, wherever a run was stopped") {
  for (const auto* name : {"scale-up", "scale-down"}) {
    const Stage stage(*find_scenario(name), first_seed(), restart_haproxy);
    std::vector<Point> points;
    for (int k = 1; k <= stage.effects(); ++k) {
      points.push_back({name, {Mishap::Kind::stop}, stage.seed(), k});
    }
    attempt_all(stage, points, stride(6), "stops with a restart of HAProxy");
  }
}

TEST_CASE(
    "case 42: a database that is replaced again while its details are pushed is the one known") {
  const auto replaced_again = [](World& world) {
    const auto lockfile = read_lockfile(world);
    REQUIRE(lockfile);
    for (const auto& [name, server] : lockfile->servers) {
      if (server.service != "db" || server.leaving) continue;
      (void)run(world, {Verb::replace, up_again().yaml, name}, {40});
    }
  };
  const Stage stage(*find_scenario("replace-db"), first_seed(), replaced_again);
  std::vector<Point> points;
  for (int k = 1; k <= stage.effects(); ++k) {
    points.push_back({"replace-db", {Mishap::Kind::stop}, stage.seed(), k});
  }
  attempt_all(stage, points, stride(6), "stops with another replacement");
}

TEST_CASE("case 43: a dependent that is offline at the push gets the details later") {
  meet("replace-db", {FaultKind::server_gone}, "look shop-web-1");
}

TEST_CASE("case 47: a volume that is attached elsewhere is not taken from there") {
  auto world = up_world();
  auto& state = world.provider.state;
  by_hand(
      world, "POST", "/v2/droplets",
      R"({"name": "theirs", "region": "nyc3", "size": "s-1vcpu-1gb", "image": "debian-12-x64"})");
  const auto theirs = id_of(world, "theirs");
  const auto volume = state.volumes.begin()->first;
  const auto attach = [&](const std::string& type, cloud::Id droplet) {
    by_hand(world, "POST", "/v2/volumes/" + volume + "/actions",
            R"({"region": "nyc3", "type": ")" + type + R"(", "droplet_id": )" +
                std::to_string(droplet) + "}");
  };
  attach("detach", id_of(world, "shop-db-1"));
  attach("attach", theirs);
  const auto refused = run(world, find_scenario("replace-db")->command);
  REQUIRE_FALSE(refused.errors.empty());
  CHECK(describe(refused.errors.front()).find("is not a server that leaves") != std::string::npos);
  CHECK(state.volumes.at(volume).droplet_id == theirs);
  attach("detach", theirs);
  by_hand(world, "DELETE", "/v2/droplets/" + std::to_string(theirs));
  check_mended(world, small_expected());
}

}  // namespace
}  // namespace paas::crash
