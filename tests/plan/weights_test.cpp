// Servers that get more or fewer requests than others, because somebody said so.
#include "plan/weights.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "haproxy/configuration.hpp"
#include "plan/balancer.hpp"
#include "plan/support/world.hpp"

namespace paas::plan::testing {
namespace {

struct Served {
  Served() {
    world.up();
    world.lock().applied = world.input.stack;
  }
  Result<Plan> weigh(const std::string& server, int weight, Emptying emptying = Emptying::refuse) {
    return plan::weigh(world.lock(), server, weight, emptying);
  }
  World world;
};

TEST_CASE_FIXTURE(Served, "weights: a server is drained with one step, and nothing else is done") {
  world.service("frontend").env["MODE"] = "next";
  const auto plan = weigh("zipkick-frontend-2", 0);
  REQUIRE(plan);
  CHECK(rendered(*plan) ==
        "~ set weight of zipkick-frontend-2 (drained): [request] you asked for it\n");
  CHECK(plan->lockfile.servers.at("zipkick-frontend-2").weight == 0);
  CHECK(plan->lockfile.applied == world.lock().applied);
}

TEST_CASE_FIXTURE(Served, "weights: the weight of all others is none of its own") {
  world.lock().servers.at("zipkick-frontend-2").weight = 5;
  const auto plan = weigh("zipkick-frontend-2", haproxy::weight_in_rotation);
  REQUIRE(plan);
  CHECK_FALSE(plan->lockfile.servers.at("zipkick-frontend-2").weight);
}

TEST_CASE_FIXTURE(Served, "weights: the last server that takes requests is not drained unasked") {
  REQUIRE(weigh("zipkick-frontend-2", 0));
  world.lock().servers.at("zipkick-frontend-1").weight = 0;
  const auto refused = weigh("zipkick-frontend-2", 0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::failed);
  CHECK(refused.error().message.find("users would see 503") != std::string::npos);
  CHECK(weigh("zipkick-frontend-2", 1));
  CHECK(weigh("zipkick-frontend-2", 0, Emptying::allow));
  world.lock().servers.at("zipkick-frontend-1").weight = 1;
  CHECK(weigh("zipkick-frontend-2", 0));
  world.lock().servers.at("zipkick-frontend-1").leaving = true;
  CHECK_FALSE(weigh("zipkick-frontend-2", 0));
}

TEST_CASE_FIXTURE(Served, "weights: what the load balancer does not know has none") {
  for (const auto* name : {"zipkick-db-1", "zipkick-lb-1"}) {
    CAPTURE(std::string(name));
    const auto refused = weigh(name, 5);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::usage);
  }
  for (const int weight : {-1, 257}) {
    const auto refused = weigh("zipkick-frontend-1", weight);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::usage);
  }
  world.lock().servers.at("zipkick-frontend-1").release = 0;
  CHECK(weigh("zipkick-frontend-1", 5).error().kind == ErrorKind::failed);
  world.lock().servers.at("zipkick-frontend-1").warm = true;
  CHECK(weigh("zipkick-frontend-1", 5).error().message.find("kept warm") != std::string::npos);
}

TEST_CASE_FIXTURE(Served, "weights: what was said by hand outlives a new image and more servers") {
  world.lock().servers.at("zipkick-frontend-1").weight = 5;
  world.lock().servers.at("zipkick-frontend-2").weight = 0;
  world.up();
  world.change_image("web");
  world.lock().services.at("frontend").count = 3;
  world.up();
  CHECK(world.violations.empty());
  const auto& weights = world.balancer().weights.at("frontend");
  CHECK(weights.at("zipkick-frontend-1.r2") == 5);
  CHECK(weights.at("zipkick-frontend-2.r2") == 0);
  CHECK(weights.at("zipkick-frontend-3.r2") == 10);
  for (const auto& backend : haproxy::servers_of(world.balancer().configuration)) {
    for (const auto& entry : backend.servers) {
      CHECK(entry.weight == world.balancer().weights.at(backend.name).at(entry.name));
    }
  }
  CHECK(world.plan().empty());
}

TEST_CASE_FIXTURE(Served, "weights: a load balancer that is new learns them") {
  world.lock().servers.at("zipkick-frontend-2").weight = 0;
  world.up();
  world.input.stack.lb->size = "s-2vcpu-2gb";
  world.up();
  CHECK(world.violations.empty());
  const auto& balancer = *world.machine("zipkick-lb-2").balancer;
  CHECK(balancer.weights.at("frontend").at("zipkick-frontend-2.r1") == 0);
  CHECK_FALSE(balancer.in_rotation.at("frontend").contains("zipkick-frontend-2.r1"));
}

TEST_CASE_FIXTURE(Served, "weights: a service whose servers are all drained is told of") {
  for (const auto* name : {"zipkick-frontend-1", "zipkick-frontend-2"}) {
    CHECK(world.plan().warnings.empty());
    world.lock().servers.at(name).weight = 0;
  }
  const auto plan = world.plan();
  REQUIRE(plan.warnings.size() == 1);
  CHECK(plan.warnings[0].find("paasctl lb enable zipkick-frontend-1") != std::string::npos);
}

TEST_CASE_FIXTURE(Served, "weights: a canary is no drained server, and its share counts weights") {
  world.service("frontend").scale = {4, 4, 0, {}};
  world.lock().services.at("frontend").count = 4;
  world.lock().servers.at("zipkick-frontend-1").weight = 0;
  world.lock().servers.at("zipkick-frontend-2").weight = 20;
  world.up();
  world.service("frontend").env["MODE"] = "next";
  world.input.rollout = {Strategy::canary, 0, 20};
  const auto plan = world.plan();
  const auto canary = std::find_if(plan.steps.begin(), plan.steps.end(), [](const Step& step) {
    return step.id == "let_in/frontend.canary";
  });
  REQUIRE(canary != plan.steps.end());
  CHECK(canary->batch == std::vector<std::string>{"zipkick-frontend-2"});
  // 40 of the old ones; a full share of 5 is 10 of a server with weight 20: a fifth of 50.
  CHECK(canary->weight == 5);
}

}  // namespace
}  // namespace paas::plan::testing
