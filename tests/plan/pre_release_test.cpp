// Hooks that run before a new release: when they are planned, where, and what waits for them.
#include "plan/pre_release.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/text.hpp"
#include "plan/support/situations.hpp"

namespace paas::plan::testing {
namespace {

void give_hooks(World& world) {
  world.input.pre_release = {{"frontend", "digest"}, {"backend", "digest"}};
}

/// "frontend on zipkick-frontend-1" of each step that runs a hook.
std::vector<std::string> hooks_of(const Plan& plan) {
  std::vector<std::string> hooks;
  for (const auto& step : plan.steps) {
    if (step.kind != StepKind::run_pre_release) continue;
    hooks.push_back(step.service + " on " + step.server);
  }
  return hooks;
}

/// The stack is up at a release that was made before there were hooks.
struct Hooked {
  Hooked() {
    world.up();
    give_hooks(world);
    REQUIRE(world.plan().empty());
  }
  /// The next version of the frontend, and its hook, have gone out.
  void release_next() {
    world.service("frontend").env["MODE"] = "next";
    world.up();
    REQUIRE(world.hooks_run == std::vector<std::string>{"frontend 2 on zipkick-frontend-1"});
  }
  World world;
};

TEST_CASE("pre-release: a hook runs once, before the first containers of its release") {
  World world;
  give_hooks(world);
  const auto plan = world.plan();
  CHECK(hooks_of(plan) ==
        std::vector<std::string>{"backend on zipkick-backend-1", "frontend on zipkick-frontend-1"});
  for (const auto& step : plan.steps) {
    if (step.kind == StepKind::run_pre_release && step.service == "frontend") {
      CHECK(describe(step) == "run pre-release of frontend (on zipkick-frontend-1)");
    }
    if (step.kind != StepKind::start_container || !world.input.pre_release.contains(step.service)) {
      continue;
    }
    const auto hook = "run_pre_release/" + step.service;
    CHECK(std::find(step.after.begin(), step.after.end(), hook) != step.after.end());
  }
  world.apply(plan);
  CHECK(world.violations == std::vector<std::string>{});
  CHECK(world.plan().empty());
}

TEST_CASE("pre-release: whatever happened, a release is begun after its hook and not again") {
  for (const auto& situation : situations()) {
    CAPTURE(std::string(situation.name));
    auto world = world_after(situation);
    if (ends_unreachable(world)) continue;
    give_hooks(world);
    for (unsigned seed = 0; seed < 3; ++seed) {
      auto copy = world;
      copy.apply_shuffled(copy.plan(), seed);
      CHECK(text::join(copy.violations, "\n") == "");
      CHECK(hooks_of(copy.plan()).empty());
    }
  }
}

TEST_CASE_FIXTURE(Hooked, "pre-release: what is changed in a release is what has its hook run") {
  SUBCASE("an image") { world.change_image("web"); }
  SUBCASE("a variable") { world.service("frontend").env["MODE"] = "next"; }
  SUBCASE("the command") { world.service("frontend").command = {"serve"}; }
  SUBCASE("nothing, but all of it is made again") {
    world.input.restart["frontend"] = "you asked for it";
  }
  const auto hooks = hooks_of(world.plan());
  CHECK(std::count(hooks.begin(), hooks.end(), "frontend on zipkick-frontend-1") == 1);
}

TEST_CASE_FIXTURE(Hooked, "pre-release: a service that is scaled or mended has no new release") {
  SUBCASE("one more server") { world.lock().services.at("frontend").count = 3; }
  SUBCASE("a container ended") { world.container("zipkick-frontend-1").state = "exited"; }
  SUBCASE("a container is gone") { world.machine("zipkick-frontend-1").containers.clear(); }
  SUBCASE("a droplet is gone") { world.destroy_droplet("zipkick-frontend-1"); }
  SUBCASE("a server is replaced") { world.input.replace["zipkick-frontend-1"] = "asked for"; }
  const auto plan = world.plan();
  CHECK(hooks_of(plan).empty());
  const auto starts = [](const Step& step) { return step.kind == StepKind::start_container; };
  CHECK(std::any_of(plan.steps.begin(), plan.steps.end(), starts));
}

TEST_CASE_FIXTURE(Hooked, "pre-release: no hook runs on the way back, nor again on the way forth") {
  const auto before = world.service("frontend").env;
  release_next();
  world.service("frontend").env = before;
  world.input.held["frontend"] = {1, world.input.images.at("web")};
  const auto back = world.plan();
  CHECK(hooks_of(back).empty());
  CHECK_FALSE(back.empty());
  // It was carried out, and the stack file is gone on with.
  for (auto& [name, server] : world.lock().servers) {
    if (server.service != "frontend") continue;
    std::swap(server.release, server.previous);
    for (auto& container : world.machine(name).containers) {
      container.state = container.release == server.release ? "running" : "exited";
    }
  }
  world.input.held.clear();
  world.service("frontend").env["MODE"] = "next";
  const auto forth = world.plan();
  CHECK(hooks_of(forth).empty());
  CHECK_FALSE(forth.empty());
}

TEST_CASE_FIXTURE(Hooked,
                  "pre-release: a release that no server has begun has its hook run again") {
  world.service("frontend").env["MODE"] = "next";
  // The hook ran, or was about to, when the run was killed.
  auto plan = world.plan();
  std::erase_if(plan.steps,
                [](const Step& step) { return step.kind != StepKind::run_pre_release; });
  world.apply(plan);
  REQUIRE(world.lock().services.at("frontend").releases.size() == 2);
  CHECK(hooks_of(world.plan()).size() == 1);
  world.up();
  CHECK(world.hooks_run.size() == 2);
  CHECK(world.hooks_run.front() == world.hooks_run.back());
  CHECK(world.violations == std::vector<std::string>{});
}

TEST_CASE_FIXTURE(Hooked, "pre-release: one that was begun is looked for where it was begun") {
  world.service("frontend").env["MODE"] = "next";
  auto& begun_on = world.lock().services.at("frontend").hook_server;
  std::string expected = "zipkick-frontend-1";
  SUBCASE("the server is there") { begun_on = expected = "zipkick-frontend-2"; }
  SUBCASE("it was destroyed") { begun_on = "zipkick-frontend-9"; }
  SUBCASE("it is being removed") {
    begun_on = "zipkick-frontend-2";
    world.lock().services.at("frontend").count = 1;
    world.lock().servers.at("zipkick-frontend-2").leaving = true;
  }
  CHECK(hooks_of(world.plan()) == std::vector<std::string>{"frontend on " + expected});
}

TEST_CASE_FIXTURE(Hooked, "pre-release: another try after a release that failed runs the hook") {
  release_next();
  world.lock().services.at("frontend").releases.back().failed = true;
  CHECK(hooks_of(world.plan()) == std::vector<std::string>{"frontend on zipkick-frontend-1"});
}

TEST_CASE("pre-release: the container has the release's image and environment, and no way in") {
  World world;
  world.up();
  const auto& frontend = world.service("frontend");
  const auto spec = pre_release_container(world.input.stack, frontend, "zipkick-frontend-1",
                                          {3, 1, "web:next", "sha256:next"}, {{"MODE", "x"}}, "d");
  CHECK(spec.name == "zipkick-frontend-pre-release");
  CHECK(spec.image == "web:next");
  CHECK(spec.entrypoint == std::vector<std::string>{"/paas-pre-release"});
  CHECK(spec.command.empty());
  CHECK(spec.environment == std::vector<std::string>{"MODE=x", "PAAS_SERVER=zipkick-frontend-1",
                                                     "PAAS_RELEASE=3", "PAAS_CLOUD=local"});
  CHECK(spec.labels.at("paas.stack").empty());
  CHECK(spec.ports.empty());
  CHECK(spec.mounts ==
        std::vector<docker::Mount>{{"/etc/paas/hosts", "/etc/hosts", true},
                                   {"/etc/paas/pre-release.frontend", "/paas-pre-release", true}});
  CHECK(spec.restart_policy == "no");
}

}  // namespace
}  // namespace paas::plan::testing
