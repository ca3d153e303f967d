// How a release goes out: what has to hold before requests go to it, and in which order.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/text.hpp"
#include "plan/releases.hpp"
#include "plan/support/world.hpp"
#include "plan/take_back.hpp"
#include "plan/wanted.hpp"

namespace paas::plan::testing {
namespace {

/// Five frontends are up, and have something new to change to.
World with_five(const Rollout& rollout) {
  World world;
  world.service("frontend").scale.max = 8;
  world.lock().services["frontend"].count = 5;
  world.up();
  REQUIRE(world.violations.empty());
  world.service("frontend").env["MODE"] = "next";
  world.input.rollout = rollout;
  return world;
}

const Step& step_of(const Plan& plan, const std::string& id) {
  const auto found = std::find_if(plan.steps.begin(), plan.steps.end(),
                                  [&](const Step& step) { return step.id == id; });
  REQUIRE_MESSAGE(found != plan.steps.end(), id);
  return *found;
}

/// The servers of each step of this kind: "1 2|3".
std::string batches(const Plan& plan, StepKind kind = StepKind::let_in) {
  std::vector<std::string> texts;
  for (const auto& step : plan.steps) {
    if (step.kind != kind) continue;
    std::vector<std::string> names;
    for (const auto& name : step.batch) names.push_back(name.substr(name.rfind('-') + 1));
    texts.push_back(text::join(names, " "));
  }
  return text::join(texts, "|");
}

bool comes_after(const Plan& plan, const std::string& later, const std::string& earlier) {
  const auto& after = step_of(plan, later).after;
  return std::find(after.begin(), after.end(), earlier) != after.end();
}

void carry_out(World& world, const Plan& plan) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    auto copy = world;
    copy.apply_shuffled(plan, seed);
    CHECK(text::join(copy.violations, "\n") == "");
    CHECK(copy.plan().empty());
  }
}

TEST_CASE("rollout: no request goes to a release before it is healthy on every server") {
  for (const auto strategy : {Strategy::rolling, Strategy::bluegreen, Strategy::canary}) {
    auto world = with_five({strategy, 0, 20});
    const auto plan = world.plan();
    for (const auto& step : plan.steps) {
      if (step.kind != StepKind::let_in) continue;
      for (int i = 1; i <= 5; ++i) {
        CAPTURE(step.id);
        CHECK(comes_after(plan, step.id, "add_to_rotation/zipkick-frontend-" + std::to_string(i)));
      }
    }
    for (int i = 1; i <= 5; ++i) {
      CHECK(step_of(plan, "add_to_rotation/zipkick-frontend-" + std::to_string(i)).weight == 0);
    }
    carry_out(world, plan);
  }
}

TEST_CASE("rollout: rolling changes a batch over when the one before has done so") {
  auto world = with_five({});
  auto plan = world.plan();
  CHECK(batches(plan) == "1|2|3|4|5");
  CHECK(comes_after(plan, "let_in/frontend.2", "let_in/frontend.1"));
  CHECK(comes_after(plan, "retire_container/zipkick-frontend-2", "let_in/frontend.2"));
  world.input.rollout.max_unavailable = 2;
  plan = world.plan();
  CHECK(batches(plan) == "1 2|3 4|5");
  carry_out(world, plan);
}

TEST_CASE("rollout: bluegreen changes all over at the same moment") {
  auto world = with_five({Strategy::bluegreen, 0, 10});
  CHECK(batches(world.plan()) == "1 2 3 4 5");
}

TEST_CASE("rollout: immediate waits for nobody else") {
  auto world = with_five({Strategy::immediate, 0, 10});
  const auto plan = world.plan();
  CHECK(batches(plan) == "");
  CHECK_FALSE(step_of(plan, "add_to_rotation/zipkick-frontend-1").weight);
  carry_out(world, plan);
}

TEST_CASE("rollout: a canary gets its share, is watched, and only then the others follow") {
  auto world = with_five({Strategy::canary, 2, 20});
  const auto plan = world.plan();
  CHECK(batches(plan) == "1|1|2 3|4 5");
  const auto& canary = step_of(plan, "let_in/frontend.canary");
  // One with 12 beside five with 10: 19%.
  CHECK(canary.weight == 12);
  CHECK(comes_after(plan, "watch_canary/frontend", "let_in/frontend.canary"));
  CHECK(comes_after(plan, "let_in/frontend.1", "watch_canary/frontend"));
  CHECK_FALSE(step_of(plan, "let_in/frontend.1").weight);
  CHECK(comes_after(plan, "retire_container/zipkick-frontend-1", "let_in/frontend.1"));
  carry_out(world, plan);
}

TEST_CASE("rollout: one server has a canary as well") {
  World world;
  world.service("frontend").scale.min = 1;
  world.lock().services["frontend"].count = 1;
  world.up();
  world.service("frontend").env["MODE"] = "next";
  world.input.rollout = {Strategy::canary, 0, 10};
  const auto plan = world.plan();
  CHECK(step_of(plan, "let_in/frontend.canary").weight == 1);
  carry_out(world, plan);
}

TEST_CASE("rollout: a server that is new gets no requests before those that were there") {
  auto world = with_five({});
  world.lock().services.at("frontend").count = 6;
  const auto plan = world.plan();
  CHECK(comes_after(plan, "add_to_rotation/zipkick-frontend-6", "let_in/frontend.1"));
  carry_out(world, plan);
}

TEST_CASE("rollout: what links to a service waits until its new release serves") {
  World world;
  world.up();
  world.change_image("web");
  const auto plan = world.plan();
  CHECK(comes_after(plan, "start_container/zipkick-frontend-1", "let_in/backend.2"));
  carry_out(world, plan);
}

TEST_CASE("rollout: workers change one batch after the other") {
  World world;
  auto worker = world.service("cache");
  worker.name = "jobs";
  worker.type = stack::ServiceType::worker;
  worker.port.reset();
  worker.credentials.reset();
  worker.scale = {4, 4, 0, {}};
  world.input.stack.services.push_back(worker);
  world.up();
  world.service("jobs").env["QUEUE"] = "mail";
  world.input.rollout.max_unavailable = 2;
  const auto plan = world.plan();
  for (const auto* later : {"start_container/zipkick-jobs-3", "start_container/zipkick-jobs-4"}) {
    CHECK(comes_after(plan, later, "start_container/zipkick-jobs-1"));
    CHECK(comes_after(plan, later, "start_container/zipkick-jobs-2"));
  }
  CHECK_FALSE(
      comes_after(plan, "start_container/zipkick-jobs-2", "start_container/zipkick-jobs-1"));
  carry_out(world, plan);
}

TEST_CASE("rollout: the container before is kept, and only the last") {
  auto world = with_five({});
  world.up();
  auto& containers = world.machine("zipkick-frontend-1").containers;
  REQUIRE(containers.size() == 2);
  CHECK(containers.front().state == "exited");
  CHECK(world.plan().empty());
  world.service("frontend").env["MODE"] = "third";
  world.up();
  REQUIRE(containers.size() == 2);
  CHECK(containers.front().release == 2);
  // One that runs beside the current one is a leftover.
  containers.front().state = "running";
  CHECK(step_of(world.plan(), "retire_container/zipkick-frontend-1").reason == Reason::unfinished);
}

/// A run that was killed before these steps of its plan.
Plan without(Plan plan, const std::set<StepKind>& kinds) {
  std::erase_if(plan.steps, [&](const Step& step) { return kinds.contains(step.kind); });
  return plan;
}

TEST_CASE("rollout: one that was interrupted goes on behind its gate") {
  for (const auto& left :
       {std::set{StepKind::add_to_rotation, StepKind::let_in}, std::set{StepKind::let_in}}) {
    auto world = with_five({});
    auto rest = left;
    rest.insert(StepKind::retire_container);
    world.apply(without(world.plan(), rest));
    const auto plan = world.plan();
    CHECK(batches(plan) == "1|2|3|4|5");
    for (int i = 1; i <= 5; ++i) {
      const auto name = "zipkick-frontend-" + std::to_string(i);
      CHECK(step_of(plan, "add_to_rotation/" + name).weight == 0);
      CHECK(comes_after(plan, "let_in/frontend.1", "add_to_rotation/" + name));
      CHECK(comes_after(plan, "retire_container/" + name, "let_in/frontend." + std::to_string(i)));
    }
    carry_out(world, plan);
  }
}

TEST_CASE("rollout: a canary that was interrupted does not keep its share") {
  auto world = with_five({Strategy::canary, 0, 20});
  auto plan = world.plan();
  std::erase_if(plan.steps, [](const Step& step) {
    return step.kind == StepKind::let_in && step.id != "let_in/frontend.canary";
  });
  world.apply(without(std::move(plan), {StepKind::watch_canary, StepKind::retire_container}));
  // HAProxy sends requests to the canary and to the container beside it.
  const auto& in_rotation = world.machine("zipkick-lb-1").balancer->in_rotation.at("frontend");
  REQUIRE(in_rotation.contains("zipkick-frontend-1.r1"));
  REQUIRE(in_rotation.contains("zipkick-frontend-1.r2"));
  world.input.rollout = {};
  plan = world.plan();
  CHECK(batches(plan) == "1|2|3|4|5");
  CHECK(comes_after(plan, "retire_container/zipkick-frontend-1", "let_in/frontend.1"));
  carry_out(world, plan);
}

/// A frontend with two releases, the second of which is current.
struct Released {
  Released() {
    world.up();
    release(1, "old");
    world.service("frontend").env["MODE"] = "new";
    world.up();
    release(2, "new");
  }

  /// The executor writes these down.
  void release(int number, const std::string& mode) {
    auto& entry = world.lock().services.at("frontend").releases.back();
    REQUIRE(entry.number == number);
    auto stack = world.input.stack;
    auto& declared = *std::find_if(stack.services.begin(), stack.services.end(),
                                   [](const auto& service) { return service.name == "frontend"; });
    declared.env["MODE"] = mode;
    entry.definition = stack::definition_of(stack, declared);
  }

  const stack::Service& wanted_frontend(const std::map<std::string, int>& releases = {}) {
    seen = *wanted(world.input.stack, world.lock(), {releases, {}});
    return *stack::find_service(seen.stack, "frontend");
  }

  World world;
  Wanted seen;
};

TEST_CASE_FIXTURE(Released, "releases: a pinned one is what is wanted, whatever the stack says") {
  CHECK(wanted_frontend().env.at("MODE") == "new");
  CHECK(seen.held.empty());
  world.lock().services.at("frontend").pinned = 1;
  CHECK(wanted_frontend().env.at("MODE") == "old");
  CHECK(seen.held.at("frontend").release == 1);
  // For one run another one may be asked for.
  CHECK(wanted_frontend({{"frontend", 2}}).env.at("MODE") == "new");
}

TEST_CASE_FIXTURE(Released, "releases: current, the one before, and what can be gone back to") {
  auto& service = world.lock().services.at("frontend");
  CHECK(current_release(world.lock(), "frontend")->number == 2);
  CHECK(release_before(world.lock(), "frontend")->number == 1);
  CHECK(check_release(world.lock(), "frontend", 1));
  CHECK(check_release(world.lock(), "frontend", 3).error().kind == ErrorKind::not_found);
  CHECK(check_release(world.lock(), "frontend", 3).error().hint.find("1, 2") != std::string::npos);
  service.releases.back().failed = true;
  CHECK(current_release(world.lock(), "frontend")->number == 1);
  CHECK(release_before(world.lock(), "frontend") == nullptr);
  CHECK(check_release(world.lock(), "frontend", 2).error().kind == ErrorKind::failed);
  service.releases.front().definition.reset();
  CHECK(check_release(world.lock(), "frontend", 1).error().kind == ErrorKind::failed);
  CHECK(current_release(world.lock(), "nowhere") == nullptr);
}

TEST_CASE_FIXTURE(Released, "releases: a deployed image takes the place of the stack file's") {
  world.lock().services.at("frontend").image = "ghcr.io/acme/web:2";
  const auto& frontend = wanted_frontend();
  CHECK(seen.stack.images.at(frontend.image).pull == "ghcr.io/acme/web:2");
  // The backend has the image of that name as well, and keeps it.
  CHECK(seen.stack.images.at(stack::find_service(seen.stack, "backend")->image).pull.empty());
}

TEST_CASE_FIXTURE(Released, "releases: rules that change make one, with the containers of before") {
  world.input.stack.lb->rules.insert(world.input.stack.lb->rules.begin(),
                                     {"", "/shop", "frontend"});
  const auto plan = world.plan();
  const auto& releases = plan.lockfile.services.at("frontend").releases;
  REQUIRE(releases.size() == 3);
  CHECK(releases.back().number == 3);
  CHECK(containers_of(releases.back()) == 2);
  CHECK(releases.back().definition->rules.front().rule.path == "/shop");
  CHECK(plan.lockfile.services.at("backend").releases.size() == 1);
  world.apply(plan);
  CHECK(world.plan().empty());
}

TEST_CASE_FIXTURE(Released, "releases: ten are kept, and those that are needed") {
  auto& service = world.lock().services.at("frontend");
  service.pinned = 1;
  for (int number = 3; number <= 14; ++number) {
    lockfile::Release release = service.releases.back();
    release.number = number;
    release.containers_of = number == 14 ? 2 : 0;
    if (number < 14) release.containers_of = number > 3 ? 2 : 0;
    add_release(service, release);
  }
  std::vector<int> numbers;
  for (const auto& release : service.releases) numbers.push_back(release.number);
  CHECK(numbers == std::vector<int>{1, 2, 7, 8, 9, 10, 11, 12, 13, 14});
}

Step failed_step(const std::string& service, StepKind kind = StepKind::start_container) {
  Step step;
  step.kind = kind;
  step.service = service;
  return step;
}

const lockfile::Settled settled_at_first = {1, 1, 0, ""};

TEST_CASE_FIXTURE(Released, "take back: a release that failed is taken back to the one before") {
  auto& lock = world.lock();
  auto& frontend = lock.services.at("frontend");
  frontend.settled = settled_at_first;
  const auto releases = releases_to_take_back(lock, {failed_step("frontend")});
  CHECK(releases == std::map<std::string, int>{{"frontend", 1}});
  auto after = lock;
  note_failed(releases, after);
  CHECK(after.services.at("frontend").releases.back().failed);
  CHECK_FALSE(after.services.at("frontend").releases.front().failed);

  // What failed was nothing new, or no release, or keeps data, or nothing is known that was whole.
  CHECK(releases_to_take_back(after, {failed_step("frontend")}).empty());
  CHECK(releases_to_take_back(lock, {failed_step("frontend", StepKind::create_server)}).empty());
  lock.services.at("db").settled = lockfile::Settled{5, 5, 0, ""};
  CHECK(releases_to_take_back(lock, {failed_step("db")}).empty());
  frontend.settled.reset();
  CHECK(releases_to_take_back(lock, {failed_step("frontend")}).empty());
}

TEST_CASE_FIXTURE(Released, "take back: releases of interrupted runs in between failed as well") {
  auto& frontend = world.lock().services.at("frontend");
  frontend.settled = settled_at_first;
  auto third = frontend.releases.back();
  third.number = 3;
  frontend.releases.push_back(third);
  note_failed(releases_to_take_back(world.lock(), {failed_step("frontend")}), world.lock());
  CHECK(current_release(world.lock(), "frontend")->number == 1);
}

TEST_CASE_FIXTURE(Released, "take back: a rollback that fails leaves what was pinned before") {
  auto& frontend = world.lock().services.at("frontend");
  frontend.settled = lockfile::Settled{2, 2, 0, ""};
  frontend.pinned = 1;
  const auto releases =
      releases_to_take_back(world.lock(), {failed_step("frontend", StepKind::let_in)});
  CHECK(releases == std::map<std::string, int>{{"frontend", 2}});
  note_failed(releases, world.lock());
  CHECK(frontend.pinned == 0);
  CHECK_FALSE(frontend.releases.front().failed);
}

TEST_CASE_FIXTURE(Released, "take back: what is pinned gives way to what was pinned, not to less") {
  auto& frontend = world.lock().services.at("frontend");
  // It was rolled back to the first while there were two, and a third failed.
  frontend.settled = lockfile::Settled{1, 2, 1, ""};
  auto third = frontend.releases.back();
  third.number = 3;
  frontend.releases.push_back(third);
  note_failed(releases_to_take_back(world.lock(), {failed_step("frontend")}), world.lock());
  CHECK(frontend.pinned == 1);
  CHECK_FALSE(frontend.releases.at(1).failed);
  CHECK(frontend.releases.at(2).failed);
}

TEST_CASE_FIXTURE(Released, "take back: what is whole is seen on the servers") {
  auto& lock = world.lock();
  auto& frontend = lock.services.at("frontend");
  const auto noted = [&]() -> std::optional<lockfile::Settled> {
    auto next = lock;
    note_settled(lock, world.input.observed, next);
    return next.services.at("frontend").settled;
  };
  CHECK(noted() == lockfile::Settled{2, 2, 0, ""});
  // Beside it an older one runs: HAProxy may give that one the requests.
  auto& containers = world.machine("zipkick-frontend-1").containers;
  containers.front().state = "running";
  CHECK_FALSE(noted());
  containers.front().state = "exited";
  // A server whose container ended, and one that has not changed over.
  containers.back().state = "exited";
  CHECK_FALSE(noted());
  containers.back().state = "running";
  lock.servers.at("zipkick-frontend-1").release = 1;
  frontend.settled = settled_at_first;
  CHECK(noted() == settled_at_first);
}

TEST_CASE_FIXTURE(Released, "take back: a release that was found is made of what is applied") {
  auto& lock = world.lock();
  auto& frontend = lock.services.at("frontend");
  frontend.releases.back().definition.reset();
  note_all_settled(lock);
  CHECK(frontend.settled == lockfile::Settled{2, 2, 0, ""});
  CHECK(frontend.releases.back().definition->service.env.at("MODE") == "new");
}

TEST_CASE("take back: only what brings the release back is done") {
  World world;
  world.up();
  world.service("frontend").env["MODE"] = "next";
  world.service("backend").env["MODE"] = "next";
  world.service("db").allow = {"203.0.113.7/32"};
  world.lock().services.at("frontend").count = 3;
  auto plan = world.plan();
  keep_only({{"frontend", 1}}, world.lock(), plan);
  for (const auto& step : plan.steps) {
    CHECK(step.service == "frontend");
    CHECK(step.server != "zipkick-frontend-3");
  }
  CHECK(plan.steps.size() == 8);
}

}  // namespace
}  // namespace paas::plan::testing
