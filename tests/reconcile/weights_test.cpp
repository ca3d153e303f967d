// Weights that were given by hand: what HAProxy and its file have of them.
#include "plan/weights.hpp"

#include <doctest/doctest.h>

#include "haproxy/configuration.hpp"
#include "reconcile/support/rig.hpp"
#include "reconcile/support/small_stack.hpp"

namespace paas::reconcile::testing {
namespace {

using Weights = std::map<std::string, int>;

struct Weighed {
  Weighed() {
    Rig rig(world, small);
    require_up(rig);
  }

  void weigh(const std::string& server, int weight) {
    Rig rig(world, small);
    const auto plan = plan::weigh(world.stored, server, weight, plan::Emptying::refuse);
    REQUIRE(plan);
    const auto outcome = rig.carry_out(*plan);
    REQUIRE(outcome);
    REQUIRE(outcome->failures.empty());
  }
  void up(std::string_view yaml) {
    Rig rig(world, yaml);
    require_up(rig);
    CHECK(rig.plan()->empty());
  }
  observe::Balancer& balancer() { return *world.insides.machines.at("shop-lb-1").balancer; }
  /// What HAProxy has when it is started again.
  Weights on_disk() {
    Weights weights;
    for (const auto& backend : haproxy::servers_of(balancer().configuration)) {
      for (const auto& entry : backend.servers) weights[entry.name] = entry.weight;
    }
    return weights;
  }
  void check(const Weights& weights) {
    CHECK(balancer().weights.at("web") == weights);
    CHECK(on_disk() == weights);
  }

  World world;
};

TEST_CASE_FIXTURE(Weighed, "weights: HAProxy and its file have them without a reload") {
  const auto reloads = world.insides.reloads;
  weigh("shop-web-1", 5);
  check({{"shop-web-1.r1", 5}, {"shop-web-2.r1", 10}});
  weigh("shop-web-2", 0);
  check({{"shop-web-1.r1", 5}, {"shop-web-2.r1", 0}});
  CHECK_FALSE(balancer().in_rotation.at("web").contains("shop-web-2.r1"));
  up(small);
  check({{"shop-web-1.r1", 5}, {"shop-web-2.r1", 0}});
  weigh("shop-web-2", 10);
  weigh("shop-web-1", 10);
  check({{"shop-web-1.r1", 10}, {"shop-web-2.r1", 10}});
  CHECK(world.insides.reloads == reloads);
}

TEST_CASE_FIXTURE(Weighed, "weights: new containers begin with those of their servers") {
  weigh("shop-web-1", 20);
  weigh("shop-web-2", 0);
  up(with(std::string(small), "port: 8000", "port: 8080"));
  check({{"shop-web-1.r2", 20}, {"shop-web-2.r2", 0}});
}

TEST_CASE_FIXTURE(Weighed, "weights: a reload keeps them, and a drained server") {
  weigh("shop-web-2", 0);
  weigh("shop-web-1", 3);
  const auto reloads = world.insides.reloads;
  up(with(std::string(small), "listen: [80]", "listen: [80, 8080]"));
  CHECK(world.insides.reloads > reloads);
  check({{"shop-web-1.r1", 3}, {"shop-web-2.r1", 0}});
}

TEST_CASE_FIXTURE(Weighed, "weights: what somebody did past paasctl is put right") {
  weigh("shop-web-2", 0);
  balancer().weights["web"]["shop-web-2.r1"] = 10;
  balancer().in_rotation["web"].insert("shop-web-2.r1");
  up(small);
  check({{"shop-web-1.r1", 10}, {"shop-web-2.r1", 0}});
}

TEST_CASE_FIXTURE(Weighed, "weights: one that HAProxy forgot is let in with its weight") {
  balancer().known["web"].erase("shop-web-2.r1");
  balancer().in_rotation["web"].erase("shop-web-2.r1");
  balancer().weights["web"].erase("shop-web-2.r1");
  weigh("shop-web-2", 4);
  check({{"shop-web-1.r1", 10}, {"shop-web-2.r1", 4}});
}

TEST_CASE_FIXTURE(Weighed,
                  "weights: a drained server's container of before gets no requests either") {
  balancer().known["web"].insert("shop-web-2.r0");
  balancer().in_rotation["web"].insert("shop-web-2.r0");
  balancer().weights["web"]["shop-web-2.r0"] = 10;
  weigh("shop-web-2", 0);
  CHECK(balancer().in_rotation.at("web") == std::set<std::string>{"shop-web-1.r1"});
}

}  // namespace
}  // namespace paas::reconcile::testing
