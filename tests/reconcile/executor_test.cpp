// The executor against the local cloud's core and servers in memory: from nothing to a stack and
// back, and what a run leaves that was cut off or that failed.
#include "reconcile/executor.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "reconcile/support/small_stack.hpp"

namespace paas::reconcile::testing {
namespace {

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
    require_down(rig, plan::Volumes::keep);
  }
  CHECK(droplet_names(world).empty());
  CHECK(world.cloud.firewalls.empty());
  CHECK(world.cloud.reserved_ips.empty());
  CHECK(world.cloud.keys.empty());
  REQUIRE(world.cloud.volumes.size() == 1);
  const auto volume = world.cloud.volumes.begin()->first;
  Rig again(world, small);
  require_up(again);
  check_only_the_stack(world, small, 4);
  CHECK(world.cloud.volumes.begin()->first == volume);
  require_down(again, plan::Volumes::destroy);
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

TEST_CASE("reconcile: a configuration of HAProxy that cannot be read is not edited") {
  World world;
  Rig rig(world, small);
  require_up(rig);
  const auto& balancer = world.insides.machines.at("shop-lb-1").balancer;
  const auto before = balancer->configuration;
  world.stored.services.at("web").count = 3;
  Rig second(world, small);
  second.machines.unreadable = true;
  const auto outcome = second.up();
  REQUIRE(outcome);
  REQUIRE(outcome->failures.size() == 1);
  CHECK(outcome->failures[0].step.id == "add_to_rotation/shop-web-3");
  CHECK(describe(outcome->failures[0].error).find("input/output error") != std::string::npos);
  CHECK(balancer->configuration == before);
  // The next run finds it in rotation and writes that down.
  Rig third(world, small);
  require_up(third);
  check_only_the_stack(world, small, 5);
}

TEST_CASE("reconcile: what somebody changes meanwhile in HAProxy's configuration is not lost") {
  World world;
  Rig rig(world, small);
  require_up(rig);
  world.stored.services.at("web").count = 3;
  Rig second(world, small);
  second.machines.edited_by_hand = "# a note\n";
  auto plan = second.plan();
  REQUIRE(plan);
  require_up(second);
  const auto& text = world.insides.machines.at("shop-lb-1").balancer->configuration;
  CHECK(text.find("# a note\n") != std::string::npos);
  CHECK(text.find("server shop-web-3.r1") != std::string::npos);
}

TEST_CASE("case 33: a container that does not start leaves the old one in place") {
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

TEST_CASE("case 33: a database that does not start again gets its old container back") {
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
  require_down(rig, plan::Volumes::keep);
  CHECK(droplet_names(world).empty());
  // Each of the four once, when the list lacked it.
  CHECK(rig.http.single_looks == 4);
}

TEST_CASE("reconcile: one list tells which of the droplets that are powered on run by now") {
  World world;
  Rig rig(world, small);
  require_up(rig);
  for (auto& [id, droplet] : world.cloud.droplets) droplet.status = cloud::DropletStatus::off;
  // One has lost its tags, so no list has it.
  world.cloud.droplets.rbegin()->second.tags.clear();
  rig.http.changes.clear();
  rig.http.single_looks = 0;
  const auto plan = rig.plan();
  REQUIRE(plan);
  const auto looks_of_plan = rig.http.single_looks;
  rig.http.single_looks = 0;
  require_up(rig);
  const auto looks = rig.http.single_looks - looks_of_plan;
  CHECK(std::count_if(rig.http.changes.begin(), rig.http.changes.end(),
                      [](const auto& change) { return change.ends_with("/actions"); }) == 4);
  for (const auto& [id, droplet] : world.cloud.droplets) {
    CHECK(droplet.status == cloud::DropletStatus::active);
  }
  // That one alone: before it gets its tags back, and around its action.
  CHECK(looks == 3);
}

TEST_CASE("reconcile: a POST that took effect without an answer makes no second droplet") {
  World world;
  Rig rig(world, small);
  rig.http.cut_next = "POST /v2/droplets";
  require_up(rig);
  CHECK(std::count(rig.http.changes.begin(), rig.http.changes.end(), "POST /v2/droplets") == 3);
  check_only_the_stack(world, small, 4);
}

TEST_CASE("case 22: an interrupted run starts no more steps") {
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

}  // namespace
}  // namespace paas::reconcile::testing
