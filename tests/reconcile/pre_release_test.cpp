// Hooks that run before a new release, on servers in memory.
#include <doctest/doctest.h>

#include <algorithm>

#include "plan/take_back.hpp"
#include "plan/wanted.hpp"
#include "reconcile/support/rig.hpp"
#include "reconcile/support/small_stack.hpp"

namespace paas::reconcile::testing {
namespace {

const std::string next_release = with(std::string(small), "port: 8000", "port: 8080");
const std::string hook_text = "#!/bin/sh\nmigrate\n";
constexpr const char* hook_container = "shop-web-pre-release";

void give_hook(Rig& rig, const std::string& text = hook_text) {
  rig.options.pre_release = {{"web", text}};
  rig.world.insides.hooked = {"web"};
}

/// Of a run that comes so far as to have one.
Outcome end_of(Rig& rig) {
  auto outcome = rig.up();
  REQUIRE(outcome);
  return std::move(*outcome);
}

const Error& only_error(const Outcome& outcome) {
  REQUIRE(outcome.failures.size() == 1);
  REQUIRE(outcome.failures.front().step.id == "run_pre_release/web");
  return outcome.failures.front().error;
}

bool has_told(const Rig& rig, const std::string& stage) {
  return std::any_of(rig.events.begin(), rig.events.end(),
                     [&](const Event& event) { return event.text == stage; });
}

std::vector<std::string> containers_on(const World& world, const std::string& server) {
  std::vector<std::string> names;
  for (const auto& container : world.insides.machines.at(server).containers) {
    names.push_back(container.name);
  }
  return names;
}

/// The stack is up, and so is its first release, which had a hook.
struct Released {
  Released() {
    Rig rig(world, small);
    give_hook(rig);
    require_up(rig);
  }
  void check_nothing_left() {
    for (const auto& [server, tasks] : world.insides.tasks) CHECK(tasks.empty());
    CHECK(world.insides.unprepared == std::vector<std::string>{});
  }
  World world;
};

TEST_CASE_FIXTURE(Released, "pre-release: the hook runs once for each release, before it starts") {
  CHECK(world.insides.hooks_run == std::vector<std::string>{"pre-release web 1"});
  Rig rig(world, next_release);
  give_hook(rig);
  rig.options.who = "anna@laptop";
  rig.machines.hook_lasts = 3;
  require_up(rig);
  CHECK(world.insides.hooks_run ==
        std::vector<std::string>{"pre-release web 1", "pre-release web 2"});
  check_nothing_left();
  REQUIRE(rig.machines.hooks.size() == 1);
  const auto& hook = rig.machines.hooks.front();
  CHECK(hook.name == hook_container);
  const auto has = [&](const std::string& variable) {
    const auto& all = hook.environment;
    return std::find(all.begin(), all.end(), variable) != all.end();
  };
  CHECK(has("PAAS_STACK=shop"));
  CHECK(has("PAAS_SERVICE=web"));
  CHECK(has("PAAS_SERVER=shop-web-1"));
  CHECK(has("PAAS_RELEASE=2"));
  CHECK(has("PAAS_BY=anna@laptop"));
  CHECK(has("PORT=8080"));
  CHECK(has("DB_HOST=" + world.stored.servers.at("shop-db-1").private_address));
  CHECK_FALSE(rig.machines.files.contains("/etc/paas/pre-release.web"));
  CHECK(rig.plan()->empty());
}

TEST_CASE_FIXTURE(Released, "pre-release: the hook is on the server as a program") {
  Rig rig(world, next_release);
  give_hook(rig);
  rig.machines.interrupted_at = hook_container;
  end_of(rig);
  const auto& [text, mode] = rig.machines.files.at("/etc/paas/pre-release.web");
  CHECK(text == hook_text);
  CHECK(mode == 0755);
}

TEST_CASE_FIXTURE(Released, "pre-release: what its hook fails for is started nowhere") {
  {
    Rig rig(world, next_release);
    give_hook(rig);
    rig.machines.hook_status = 3;
    const auto outcome = end_of(rig);
    CHECK(describe(only_error(outcome)) ==
          "the hook ended with status 3; its last lines:\nits last words");
    CHECK_FALSE(rig.machines.files.contains("/etc/paas/pre-release.web"));
    const auto back = plan::releases_to_take_back(outcome.lockfile, {outcome.failures[0].step});
    REQUIRE(back == std::map<std::string, int>{{"web", 1}});
    plan::note_failed(back, world.stored);
  }
  for (const auto* server : {"shop-web-1", "shop-web-2"}) {
    CHECK(containers_on(world, server) == std::vector<std::string>{"shop-web-1"});
    CHECK(world.stored.servers.at(server).release == 1);
  }
  check_nothing_left();
  Rig back(world, next_release);
  give_hook(back);
  back.releases = {{"web", 1}};
  REQUIRE(back.plan());
  CHECK(step_ids(*back.plan()) == "");
  // The next try has another number, and a hook of its own.
  Rig again(world, next_release);
  give_hook(again);
  require_up(again);
  CHECK(world.insides.hooks_run.back() == "pre-release web 3");
  check_nothing_left();
}

TEST_CASE_FIXTURE(Released, "pre-release: a hook that takes too long is ended") {
  auto hasty = with(next_release, "services:", "timeouts: {pre_release: 90s}\nservices:");
  Rig rig(world, hasty);
  give_hook(rig);
  rig.machines.hook_lasts = 100'000;
  const auto began = rig.clock.monotonic();
  const auto outcome = end_of(rig);
  CHECK(only_error(outcome).kind == ErrorKind::timed_out);
  CHECK(only_error(outcome).message ==
        "the hook took longer than 1m30s; its last lines:\nits last words");
  CHECK(rig.clock.monotonic() - began < std::chrono::seconds(180));
  check_nothing_left();
}

/// An interrupted run has begun the second release's hook.
struct Interrupted : Released {
  Interrupted() {
    Rig rig(world, next_release);
    give_hook(rig);
    rig.machines.interrupted_at = hook_container;
    REQUIRE(end_of(rig).interrupted);
    REQUIRE(task().state == "running");
  }
  Task& task() { return world.insides.tasks.at("shop-web-1").at(hook_container); }
};

TEST_CASE_FIXTURE(Interrupted, "pre-release: a hook that an interrupted run began is waited for") {
  bool is_running = true;
  SUBCASE("it runs") {}
  SUBCASE("it has ended") {
    is_running = false;
    task().state = "exited";
    world.insides.hooks_run.emplace_back("pre-release web 2");
  }
  Rig rig(world, next_release);
  give_hook(rig);
  rig.machines.hook_lasts = is_running ? 1 : 0;
  require_up(rig);
  CHECK(has_told(rig, "begun by an earlier run"));
  CHECK(rig.machines.hooks.empty());
  CHECK(world.insides.hooks_run.size() == 2);
  check_nothing_left();
}

TEST_CASE_FIXTURE(Interrupted, "pre-release: any other hook of an interrupted run makes room") {
  std::string text = hook_text;
  auto yaml = next_release;
  SUBCASE("it failed") {
    task().state = "exited";
    task().exit_code = 1;
  }
  SUBCASE("it was never started") { task().state = "created"; }
  Rig rig(world, yaml);
  give_hook(rig, text);
  require_up(rig);
  CHECK(has_told(rig, "removed shop-web-pre-release of an earlier run"));
  CHECK(rig.machines.hooks.size() == 1);
  CHECK(world.insides.hooks_run.size() == 2);
  check_nothing_left();
}

TEST_CASE_FIXTURE(Interrupted, "pre-release: another hook that runs is let come to its end") {
  std::string text = hook_text;
  auto yaml = next_release;
  auto ended = std::vector<std::string>{"pre-release web 1", "pre-release web 2"};
  SUBCASE("of another text") {
    text = "#!/bin/sh\nmigrate --all\n";
    ended.emplace_back("pre-release web 2");
  }
  SUBCASE("of another release") {
    yaml = with(yaml, "port: 8080", "port: 8090");
    ended.emplace_back("pre-release web 3");
  }
  SUBCASE("but no longer than any may last") {
    yaml = with(with(yaml, "port: 8080", "port: 8090"),
                "services:", "timeouts: {pre_release: 90s}\nservices:");
    ended = {"pre-release web 1"};
  }
  Rig rig(world, yaml);
  give_hook(rig, text);
  rig.machines.hook_lasts = ended.size() == 1 ? 100'000 : 3;
  const auto outcome = end_of(rig);
  CHECK(has_told(rig, "waiting for shop-web-pre-release of an earlier run"));
  CHECK(has_told(rig, "removed shop-web-pre-release of an earlier run"));
  CHECK(rig.machines.hooks.size() == 1);
  CHECK(world.insides.hooks_run == ended);
  CHECK(outcome.failures.empty() == (ended.size() != 1));
  check_nothing_left();
}

TEST_CASE_FIXTURE(Released, "pre-release: a hook behind a connection that broke goes on") {
  {
    Rig rig(world, next_release);
    give_hook(rig);
    rig.machines.lost_at = hook_container;
    const auto outcome = end_of(rig);
    CHECK(only_error(outcome).kind == ErrorKind::unreachable);
    CHECK(only_error(outcome).hint == "the hook may go on; the next run waits for it");
    CHECK(is_undecided(outcome.failures.front()));
    CHECK_FALSE(
        is_undecided({outcome.failures.front().step, make_error(ErrorKind::failed, "it ended")}));
    CHECK(world.stored.services.at("web").hook_server == "shop-web-1");
  }
  SUBCASE("on the server that it is on") {
    // It is no longer the first that would be given the release.
    world.stored.services.at("web").hook_server = "shop-web-2";
    world.insides.tasks["shop-web-2"].swap(world.insides.tasks["shop-web-1"]);
  }
  SUBCASE("on the first") {}
  Rig rig(world, next_release);
  give_hook(rig);
  require_up(rig);
  CHECK(has_told(rig, "begun by an earlier run"));
  CHECK(world.insides.hooks_run.size() == 2);
  CHECK(world.stored.services.at("web").hook_server.empty());
  check_nothing_left();
}

TEST_CASE_FIXTURE(Released, "pre-release: no hook runs for more servers, nor on the way back") {
  Rig rig(world, small);
  give_hook(rig);
  world.stored.services.at("web").count = 3;
  require_up(rig);
  CHECK(world.insides.machines.contains("shop-web-3"));
  CHECK(rig.machines.hooks.empty());
  {
    Rig next(world, next_release);
    give_hook(next);
    require_up(next);
  }
  world.stored.services.at("web").pinned = 1;
  Rig back(world, next_release);
  give_hook(back);
  require_up(back);
  CHECK(back.machines.hooks.empty());
  world.stored.services.at("web").pinned = 0;
  Rig forth(world, next_release);
  give_hook(forth);
  require_up(forth);
  CHECK(world.stored.servers.at("shop-web-1").release == 2);
  CHECK(forth.machines.hooks.empty());
}

TEST_CASE("pre-release: wherever a run is killed, no release starts without its hook") {
  int killed = 0;
  for (int effects = 1;; ++effects) {
    CAPTURE(effects);
    Released up;
    {
      Rig rig(up.world, next_release);
      give_hook(rig);
      rig.fuse.set(effects);
      rig.up();
      if (!rig.fuse.blown()) break;
    }
    Rig rig(up.world, next_release);
    give_hook(rig);
    require_up(rig);
    CHECK(up.world.insides.hooks_run.back() == "pre-release web 2");
    up.check_nothing_left();
    CHECK(rig.plan()->empty());
    ++killed;
  }
  CHECK(killed > 20);
}

}  // namespace
}  // namespace paas::reconcile::testing
