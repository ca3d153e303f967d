// The executor against the local cloud's core and servers in memory: from nothing to a stack and
// back, and what a run leaves that was killed, cut off or that failed.
#include "reconcile/executor.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "haproxy/configuration.hpp"
#include "reconcile/support/rig.hpp"

namespace paas::reconcile::testing {
namespace {

constexpr std::string_view small = R"(stack: shop
region: nyc3
ssh: {from: [0.0.0.0/0]}
images: {web: {pull: "example/web:1"}, postgres: {pull: "example/postgres:16"}}
services:
  web: {type: web, image: web, port: 8000, scale: {min: 2, max: 3}, links: [db]}
  db:
    type: db
    image: postgres
    port: 5432
    scheme: postgresql
    volume: {size: 10GiB, mount: /var/lib/postgresql}
    credentials: {user: app, database: app, env: {POSTGRES_PASSWORD: "{password}"}}
lb: {listen: [80], rules: [{to: web}]}
)";

std::string with(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

std::vector<std::string> droplet_names(const World& world) {
  std::vector<std::string> names;
  for (const auto& [id, droplet] : world.cloud.droplets) {
    if (!droplet.leaving) names.push_back(droplet.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string all_of(const std::vector<Failure>& failures) {
  std::string text;
  for (const auto& failure : failures)
    text += failure.step.id + ": " + describe(failure.error) + "\n";
  return text;
}

void require_up(Rig& rig) {
  const auto outcome = rig.up();
  REQUIRE_MESSAGE(outcome, (outcome ? "" : describe(outcome.error())));
  REQUIRE_MESSAGE(outcome->failures.empty(), all_of(outcome->failures));
  REQUIRE(outcome->skipped == 0);
}

std::string step_ids(const plan::Plan& plan) {
  std::string text;
  for (const auto& step : plan.steps) text += step.id + ": " + step.cause + "\n";
  return text;
}

/// Exactly the stack is there: what the lockfile says, each once, and nothing is left to do.
void check_only_the_stack(World& world, std::string_view yaml, std::size_t servers) {
  Rig rig(world, yaml);
  const auto next = rig.plan();
  REQUIRE(next);
  CHECK(step_ids(*next) == "");
  std::vector<std::string> known;
  for (const auto& [name, server] : world.stored.servers) known.push_back(name);
  CHECK(droplet_names(world) == known);
  CHECK(known.size() == servers);
  CHECK(world.cloud.volumes.size() == 1);
  CHECK(world.cloud.firewalls.size() == 3);
  CHECK(world.cloud.reserved_ips.size() == 1);
  CHECK(world.cloud.keys.size() == 1);
  CHECK(std::count_if(world.cloud.vpcs.begin(), world.cloud.vpcs.end(),
                      [](const auto& entry) { return !entry.second.is_default; }) == 1);
  CHECK(rig.http.changes.empty());
  // HAProxy knows the same servers after it was started again.
  const auto& balancer = *world.insides.machines.at("shop-lb-1").balancer;
  std::map<std::string, std::set<std::string>> written;
  for (const auto& backend : haproxy::servers_of(balancer.configuration)) {
    for (const auto& server : backend.servers) written[backend.name].insert(server.name);
  }
  CHECK(written == balancer.known);
  CHECK(written == balancer.in_rotation);
  CHECK(balancer.mark == haproxy::mark_of(balancer.configuration));
}

TEST_CASE("reconcile: up from nothing makes exactly the stack, and a second time does nothing") {
  World world;
  Rig rig(world, small);
  require_up(rig);
  CHECK(droplet_names(world) ==
        std::vector<std::string>{"shop-db-1", "shop-lb-1", "shop-web-1", "shop-web-2"});
  CHECK(world.insides.reloads == 1);
  const auto& web = world.insides.machines.at("shop-web-1").containers;
  REQUIRE(web.size() == 1);
  CHECK(web.front().environment.at("DB_HOST") ==
        world.stored.servers.at("shop-db-1").private_address);
  CHECK(world.stored.servers.at("shop-web-1").host_key == "ssh-ed25519 second-of-shop-web-1");
  CHECK(world.stored.servers.at("shop-web-1").first_host_key.empty());
  check_only_the_stack(world, small, 4);
}

TEST_CASE("reconcile: the host key of the user data lives only until cloud-init is done") {
  World world;
  Rig rig(world, small);
  require_up(rig);
  std::vector<std::string> stages;
  for (const auto& event : rig.events) {
    if (event.kind == EventKind::stage && event.step.id == "prepare_server/shop-web-1") {
      stages.push_back(event.text);
    }
  }
  CHECK(stages == std::vector<std::string>{"SSH", "cloud-init", "host key", "Docker"});
}

TEST_CASE("reconcile: a host key that may be in use is accepted until another one is") {
  bool killed = true;
  for (int effects = 1; killed; ++effects) {
    CAPTURE(effects);
    World world;
    Rig rig(world, small);
    require_up(rig);
    // A run was killed after the server had gone over to its second key.
    auto& server = world.stored.servers.at("shop-web-1");
    server.prepared = false;
    server.host_key = "ssh-ed25519 first;ssh-ed25519 between";
    Rig next(world, small);
    next.fuse.set(effects);
    (void)next.up();
    killed = next.fuse.blown();
    const auto& keys = world.stored.servers.at("shop-web-1").host_key;
    const bool rotated = keys == "ssh-ed25519 second-of-shop-web-1";
    CHECK_MESSAGE((rotated || keys.find("ssh-ed25519 between") != std::string::npos), keys);
    CHECK((killed || rotated));
    REQUIRE(effects < 50);
  }
}

TEST_CASE("reconcile: steps side by side come to the same end") {
  World world;
  Rig rig(world, small);
  rig.options.parallelism = 8;
  require_up(rig);
  check_only_the_stack(world, small, 4);
}

TEST_CASE("reconcile: down leaves nothing but the volume, and up takes it again") {
  World world;
  {
    Rig rig(world, small);
    require_up(rig);
    const auto outcome = rig.down(plan::Volumes::keep);
    REQUIRE(outcome);
    REQUIRE_MESSAGE(outcome->failures.empty(), all_of(outcome->failures));
  }
  CHECK(droplet_names(world).empty());
  CHECK(world.cloud.firewalls.empty());
  CHECK(world.cloud.reserved_ips.empty());
  CHECK(world.cloud.keys.empty());
  CHECK(world.cloud.tags.empty());
  REQUIRE(world.cloud.volumes.size() == 1);
  const auto volume = world.cloud.volumes.begin()->first;
  Rig again(world, small);
  require_up(again);
  check_only_the_stack(world, small, 4);
  CHECK(world.cloud.volumes.begin()->first == volume);
  const auto outcome = again.down(plan::Volumes::destroy);
  REQUIRE(outcome);
  CHECK_MESSAGE(outcome->failures.empty(), all_of(outcome->failures));
  CHECK(world.cloud.volumes.empty());
}

TEST_CASE("reconcile: scaling changes HAProxy without a reload and leaves other containers alone") {
  World world;
  Rig rig(world, small);
  require_up(rig);
  world.stored.services.at("web").count = 3;
  require_up(rig);
  CHECK(world.insides.machines.at("shop-lb-1").balancer->in_rotation.at("web").size() == 3);
  check_only_the_stack(world, small, 5);
  world.stored.services.at("web").count = 2;
  require_up(rig);
  CHECK(world.insides.machines.at("shop-lb-1").balancer->known.at("web").size() == 2);
  check_only_the_stack(world, small, 4);
  CHECK(world.insides.reloads == 1);
  CHECK(world.stored.services.at("web").releases.size() == 1);
}

TEST_CASE("reconcile: a container that does not start leaves the old one in place") {
  World world;
  Rig rig(world, small);
  require_up(rig);
  const auto changed = with(std::string(small), "port: 8000", "port: 8080");
  Rig second(world, changed);
  second.machines.broken = {"web"};
  const auto outcome = second.up();
  REQUIRE(outcome);
  // Both servers of the service failed, and both are told.
  REQUIRE(outcome->failures.size() == 2);
  CHECK(outcome->skipped > 0);
  CHECK(describe(outcome->failures[0].error).find("its last words") != std::string::npos);
  for (const auto* name : {"shop-web-1", "shop-web-2"}) {
    const auto& containers = world.insides.machines.at(name).containers;
    REQUIRE(containers.size() == 1);
    CHECK(containers.front().name == "shop-web-1");
    CHECK(containers.front().state == "running");
  }
  const auto& rotation = world.insides.machines.at("shop-lb-1").balancer->in_rotation.at("web");
  CHECK(rotation == std::set<std::string>{"shop-web-1.r1", "shop-web-2.r1"});
  Rig third(world, changed);
  require_up(third);
  check_only_the_stack(world, changed, 4);
}

TEST_CASE("reconcile: a database that does not start again gets its old container back") {
  World world;
  Rig rig(world, small);
  require_up(rig);
  Rig second(world, with(std::string(small), "port: 5432", "port: 5433"));
  second.machines.broken = {"db"};
  const auto outcome = second.up();
  REQUIRE(outcome);
  REQUIRE(outcome->failures.size() == 1);
  CHECK(outcome->failures[0].step.id == "start_container/shop-db-1");
  const auto& containers = world.insides.machines.at("shop-db-1").containers;
  REQUIRE(containers.size() == 1);
  CHECK(containers.front().name == "shop-db-1");
  CHECK(containers.front().state == "running");
  // Those that depend on it were not touched.
  CHECK(world.insides.machines.at("shop-web-1").containers.front().release == 1);
}

TEST_CASE("reconcile: a container that an interrupted run left makes room for another one") {
  World world;
  Rig rig(world, small);
  require_up(rig);
  Rig second(world, with(std::string(small), "port: 8000", "port: 8080"));
  second.machines.interrupted_at = "shop-web-2";
  REQUIRE(second.up()->interrupted);
  auto& containers = world.insides.machines.at("shop-web-1").containers;
  REQUIRE(containers.size() == 2);
  CHECK(world.stored.servers.at("shop-web-1").release == 1);
  const auto changed = with(std::string(small), "port: 8000", "port: 8090");
  SUBCASE("it runs") {}
  SUBCASE("it ends and is started again and again") { containers.back().state = "restarting"; }
  SUBCASE("it is paused") { containers.back().state = "paused"; }
  Rig third(world, changed);
  require_up(third);
  check_only_the_stack(world, changed, 4);
}

TEST_CASE("reconcile: a change goes on from wherever another one was killed") {
  World whole;
  Rig rig(whole, small);
  require_up(rig);
  const auto before = whole;
  const auto changed = with(with(std::string(small), "port: 8000", "port: 8080"), "listen: [80]",
                            "listen: [80, 81]");
  Rig measured(whole, changed);
  require_up(measured);
  const int effects = measured.fuse.spent();
  REQUIRE(effects > 20);
  for (int kill = 1; kill < effects; ++kill) {
    CAPTURE(kill);
    for (const auto& next : {changed, with(changed, "port: 8080", "port: 8090")}) {
      auto world = before;
      Rig killed(world, changed);
      killed.fuse.set(kill);
      (void)killed.up();
      REQUIRE(killed.fuse.blown());
      Rig fresh(world, next);
      require_up(fresh);
      check_only_the_stack(world, next, 4);
    }
  }
}

/// Every backend that HAProxy's rules lead to has a server in rotation.
void check_rules_are_served(World& world) {
  const auto& balancer = *world.insides.machines.at("shop-lb-1").balancer;
  if (balancer.mark != haproxy::mark_of(balancer.configuration)) return;  // It did not reload yet.
  for (const auto& target : haproxy::rule_targets_of(balancer.configuration)) {
    CAPTURE(target);
    CHECK_FALSE(balancer.in_rotation.at(target).empty());
  }
}

TEST_CASE("reconcile: a rule is not live before its service, wherever the run is killed") {
  World before;
  Rig rig(before, small);
  require_up(rig);
  const auto added = with(with(std::string(small), "  db:\n",
                               "  next: {type: web, image: web, port: 8000, links: [db]}\n  db:\n"),
                          "rules: [{to: web}]", "rules: [{path: /web, to: web}, {to: next}]");
  auto whole = before;
  Rig measured(whole, added);
  require_up(measured);
  CHECK(whole.insides.reloads == before.insides.reloads + 2);
  for (int kill = 1; kill < measured.fuse.spent(); ++kill) {
    CAPTURE(kill);
    auto world = before;
    Rig killed(world, added);
    killed.fuse.set(kill);
    (void)killed.up();
    REQUIRE(killed.fuse.blown());
    check_rules_are_served(world);
    Rig failing(world, added);
    failing.machines.unhealthy = {"shop-next-1"};
    const bool is_to_start = !world.insides.machines.contains("shop-next-1") ||
                             world.insides.machines.at("shop-next-1").containers.empty();
    if (is_to_start) {
      CHECK_FALSE(failing.up()->failures.empty());
      check_rules_are_served(world);
    }
    Rig fresh(world, added);
    require_up(fresh);
    const auto& balancer = *world.insides.machines.at("shop-lb-1").balancer;
    CHECK(haproxy::rule_targets_of(balancer.configuration) == std::set<std::string>{"next", "web"});
    check_rules_are_served(world);
    CHECK(Rig(world, added).plan()->steps.empty());
  }
}

TEST_CASE("reconcile: scaling goes on from wherever it was killed") {
  for (const int count : {3, 2}) {
    CAPTURE(count);
    World before;
    Rig rig(before, small);
    require_up(rig);
    if (count == 2) {
      before.stored.services.at("web").count = 3;
      require_up(rig);
    }
    before.stored.services.at("web").count = count;
    auto whole = before;
    Rig measured(whole, small);
    require_up(measured);
    for (int kill = 1; kill < measured.fuse.spent(); ++kill) {
      CAPTURE(kill);
      auto world = before;
      Rig killed(world, small);
      killed.fuse.set(kill);
      (void)killed.up();
      REQUIRE(killed.fuse.blown());
      Rig fresh(world, small);
      require_up(fresh);
      check_only_the_stack(world, small, count == 3 ? 5 : 4);
    }
  }
}

TEST_CASE("reconcile: a database whose start was interrupted is waited for by the next run") {
  World world;
  Rig rig(world, small);
  rig.machines.interrupted_at = "shop-db-1";
  REQUIRE(rig.up()->interrupted);
  REQUIRE(world.insides.machines.at("shop-db-1").containers.size() == 1);
  Rig second(world, small);
  second.machines.unhealthy = {"shop-db-1"};
  const auto outcome = second.up();
  REQUIRE(outcome);
  REQUIRE(outcome->failures.size() == 1);
  CHECK(outcome->failures[0].step.id == "start_container/shop-db-1");
  CHECK(world.insides.machines.at("shop-web-1").containers.empty());
  Rig third(world, small);
  require_up(third);
  check_only_the_stack(world, small, 4);
}

TEST_CASE("reconcile: a tag that moved upstream makes no server differ from the others") {
  World world;
  Rig rig(world, small);
  require_up(rig);
  world.stored.services.at("web").count = 3;
  Rig second(world, small);
  second.machines.moved = true;
  const auto outcome = second.up();
  REQUIRE(outcome);
  REQUIRE(outcome->failures.size() == 1);
  CHECK(outcome->failures[0].step.id == "send_image/shop-web-3");
  CHECK(outcome->failures[0].error.message.find("another image now") != std::string::npos);
  CHECK(world.insides.machines.at("shop-web-3").containers.empty());
}

TEST_CASE("reconcile: where nobody runs the old image, a tag that moved makes a new release") {
  World world;
  Rig rig(world, small);
  require_up(rig);
  std::erase_if(world.cloud.droplets,
                [](const auto& entry) { return entry.second.name == "shop-db-1"; });
  for (auto& [id, volume] : world.cloud.volumes) volume.droplet_id = 0;
  Rig second(world, small);
  second.machines.moved = true;
  require_up(second);
  const auto& containers = world.insides.machines.at("shop-db-2").containers;
  REQUIRE(containers.size() == 1);
  CHECK(containers.front().image_digest == "sha256:newer-digest-of-example/postgres:16");
  CHECK(world.stored.services.at("db").releases.back().number == 2);
}

TEST_CASE("reconcile: one list tells which of the droplets are still being destroyed") {
  World world;
  Rig rig(world, small);
  require_up(rig);
  rig.http.looks_at_leaving = 6;
  rig.http.single_looks = 0;
  const auto outcome = rig.down(plan::Volumes::keep);
  REQUIRE(outcome);
  REQUIRE_MESSAGE(outcome->failures.empty(), all_of(outcome->failures));
  CHECK(droplet_names(world).empty());
  // Each of the four once, when the list lacked it.
  CHECK(rig.http.single_looks == 4);
}

TEST_CASE("reconcile: a POST that took effect without an answer makes no second droplet") {
  World world;
  Rig rig(world, small);
  rig.http.cut_next = "POST /v2/droplets";
  require_up(rig);
  CHECK(std::count(rig.http.changes.begin(), rig.http.changes.end(), "POST /v2/droplets") == 3);
  check_only_the_stack(world, small, 4);
}

TEST_CASE("reconcile: an interrupted run starts no more steps") {
  World world;
  Rig rig(world, small);
  int done = 0;
  rig.options.on_event = [&](const Event& event) { done += event.kind == EventKind::done; };
  rig.options.interrupted = [&] { return done == 3; };
  const auto outcome = rig.up();
  REQUIRE(outcome);
  CHECK(outcome->interrupted);
  CHECK(outcome->done == 3);
  CHECK(outcome->failures.empty());
  CHECK(outcome->skipped > 10);
  rig.options.interrupted = {};
  require_up(rig);
  check_only_the_stack(world, small, 4);
}

TEST_CASE("reconcile: up goes on from wherever an earlier one was killed") {
  World whole;
  Rig measured(whole, small);
  require_up(measured);
  const int effects = measured.fuse.spent();
  REQUIRE(effects > 50);
  for (int kill = 1; kill < effects; ++kill) {
    CAPTURE(kill);
    World world;
    Rig killed(world, small);
    killed.fuse.set(kill);
    (void)killed.up();
    REQUIRE(killed.fuse.blown());
    Rig fresh(world, small);
    require_up(fresh);
    check_only_the_stack(world, small, 4);
  }
}

TEST_CASE("reconcile: down after an up that was killed leaves nothing") {
  World whole;
  Rig measured(whole, small);
  require_up(measured);
  const int effects = measured.fuse.spent();
  for (int kill = 1; kill < effects; ++kill) {
    CAPTURE(kill);
    World world;
    Rig killed(world, small);
    killed.fuse.set(kill);
    (void)killed.up();
    Rig fresh(world, small);
    const auto outcome = fresh.down(plan::Volumes::destroy);
    REQUIRE(outcome);
    REQUIRE_MESSAGE(outcome->failures.empty(), all_of(outcome->failures));
    CHECK(droplet_names(world).empty());
    CHECK(world.cloud.volumes.empty());
    CHECK(world.cloud.firewalls.empty());
    CHECK(world.cloud.reserved_ips.empty());
    CHECK(world.cloud.keys.empty());
    CHECK(world.cloud.tags.empty());
  }
}

TEST_CASE("reconcile: down goes on from wherever an earlier one was killed") {
  World whole;
  Rig measured(whole, small);
  require_up(measured);
  const auto up_effects = measured.fuse.spent();
  REQUIRE(measured.down(plan::Volumes::destroy));
  const int effects = measured.fuse.spent() - up_effects;
  for (int kill = 1; kill < effects; ++kill) {
    CAPTURE(kill);
    World world;
    Rig before(world, small);
    require_up(before);
    Rig killed(world, small);
    killed.fuse.set(kill);
    (void)killed.down(plan::Volumes::destroy);
    Rig fresh(world, small);
    const auto outcome = fresh.down(plan::Volumes::destroy);
    REQUIRE(outcome);
    REQUIRE_MESSAGE(outcome->failures.empty(), all_of(outcome->failures));
    CHECK(droplet_names(world).empty());
    CHECK(world.cloud.volumes.empty());
    CHECK(world.cloud.firewalls.empty());
    CHECK(world.cloud.reserved_ips.empty());
    CHECK(world.cloud.tags.empty());
  }
}

}  // namespace
}  // namespace paas::reconcile::testing
