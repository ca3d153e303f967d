// Maintenance: what HAProxy and its file have of it, whatever else is done.
#include "plan/maintenance.hpp"

#include <doctest/doctest.h>

#include "haproxy/maintenance.hpp"
#include "reconcile/support/rig.hpp"
#include "reconcile/support/small_stack.hpp"

namespace paas::reconcile::testing {
namespace {

struct Maintained {
  Maintained() {
    Rig rig(world, small);
    require_up(rig);
  }

  Outcome turn(plan::Maintenance maintenance) {
    Rig rig(world, small);
    const auto plan = plan::maintain(world.stored, maintenance);
    REQUIRE(plan);
    auto outcome = rig.carry_out(*plan);
    REQUIRE(outcome);
    return std::move(*outcome);
  }
  void up(std::string_view yaml) {
    Rig rig(world, yaml);
    require_up(rig);
    CHECK(rig.plan()->empty());
  }
  observe::Balancer& balancer() { return *world.insides.machines.at("shop-lb-1").balancer; }
  void check(bool on) {
    CHECK(balancer().weights.at(std::string(haproxy::maintenance_backend)) ==
          std::map<std::string, int>{{std::string(haproxy::maintenance_server), on ? 1 : 0}});
    CHECK(haproxy::maintenance_of(balancer().configuration) == on);
    CHECK(world.stored.lb->maintenance == on);
  }

  World world;
};

TEST_CASE_FIXTURE(Maintained, "maintenance: it is turned on and off without a reload") {
  const auto reloads = world.insides.reloads;
  check(false);
  CHECK(turn(plan::Maintenance::on).failures.empty());
  check(true);
  up(small);
  check(true);
  CHECK(turn(plan::Maintenance::off).failures.empty());
  check(false);
  CHECK(world.insides.reloads == reloads);
}

TEST_CASE_FIXTURE(Maintained, "maintenance: a new release, a reload and drift do not end it") {
  CHECK(turn(plan::Maintenance::on).failures.empty());
  up(with(std::string(small), "port: 8000", "port: 8080"));
  check(true);
  const auto reloads = world.insides.reloads;
  up(with(std::string(small), "listen: [80]", "listen: [80, 8080]"));
  CHECK(world.insides.reloads > reloads);
  check(true);
  balancer().weights[std::string(haproxy::maintenance_backend)]["on"] = 0;
  up(with(std::string(small), "listen: [80]", "listen: [80, 8080]"));
  check(true);
}

TEST_CASE_FIXTURE(Maintained, "maintenance: a HAProxy from before it was known is told by up") {
  // As an older paasctl configured it.
  auto& weights = balancer().weights;
  weights.erase(std::string(haproxy::maintenance_backend));
  auto& text = balancer().configuration;
  text.erase(text.find("\nbackend lb.maintenance\n"));
  const auto outcome = turn(plan::Maintenance::on);
  REQUIRE(outcome.failures.size() == 1);
  CHECK(outcome.failures[0].error.hint.find("paasctl up") != std::string::npos);
  balancer().mark = "paas-older";
  up(small);
  check(true);
}

}  // namespace
}  // namespace paas::reconcile::testing
