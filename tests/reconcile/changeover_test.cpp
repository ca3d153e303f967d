// Servers that are on their way from one release to the next when something comes in between.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "haproxy/configuration.hpp"
#include "plan/weights.hpp"
#include "reconcile/support/rig.hpp"
#include "reconcile/support/small_stack.hpp"

namespace paas::reconcile::testing {
namespace {

using Names = std::set<std::string>;

const std::string second_release = with(std::string(small), "port: 8000", "port: 8080");
const std::string third_release = with(std::string(small), "port: 8000", "port: 8090");

struct Changeover {
  Changeover() {
    Rig rig(world, small);
    require_up(rig);
  }

  observe::Balancer& haproxy(const std::string& name = "shop-lb-1") {
    return *world.insides.machines.at(name).balancer;
  }
  Names serving(const std::string& name = "shop-lb-1") { return haproxy(name).in_rotation["web"]; }
  Names written() {
    Names names;
    for (const auto& backend : haproxy::servers_of(haproxy().configuration)) {
      for (const auto& server : backend.servers) names.insert(server.name);
    }
    return names;
  }
  Names running(const std::string& server) {
    Names names;
    for (const auto& container : world.insides.machines.at(server).containers) {
      if (container.state == "running") names.insert(container.name);
    }
    return names;
  }
  /// Ends an `up` of the text when so many steps of the kind are done.
  void interrupt(const std::string& yaml, plan::StepKind kind, int count) {
    Rig rig(world, yaml);
    rig.options.parallelism = 1;
    int done = 0;
    rig.options.on_event = [&](const Event& event) {
      if (event.kind == EventKind::done && event.step.kind == kind) ++done;
    };
    rig.options.interrupted = [&] { return done >= count; };
    REQUIRE(rig.up());
    REQUIRE(done == count);
  }

  World world;
};

TEST_CASE_FIXTURE(Changeover, "changeover: a HAProxy that starts again meanwhile is told again") {
  Rig rig(world, second_release);
  rig.options.parallelism = 1;
  int let_in = 0;
  rig.options.on_event = [&](const Event& event) {
    const bool is_last =
        event.kind == EventKind::done && event.step.kind == plan::StepKind::let_in && ++let_in == 2;
    if (!is_last) return;
    observe::Target balancer;
    balancer.name = "shop-lb-1";
    REQUIRE(rig.machines.install_balancer(balancer, std::string(haproxy().configuration),
                                          observe::Machines::Reload::yes));
    CHECK(serving() == Names{"shop-web-1.r1", "shop-web-2.r1"});
  };
  require_up(rig);
  CHECK(serving() == Names{"shop-web-1.r2", "shop-web-2.r2"});
  CHECK(written() == serving());
}

TEST_CASE_FIXTURE(Changeover, "changeover: the file has what serves while the next release comes") {
  interrupt(second_release, plan::StepKind::let_in, 2);
  CHECK(serving() == Names{"shop-web-1.r2", "shop-web-2.r2"});
  CHECK(written() == Names{"shop-web-1.r1", "shop-web-2.r1"});
  Rig rig(world, third_release);
  rig.machines.unhealthy = {"shop-web-3"};
  REQUIRE(rig.up());
  CHECK(serving() == Names{"shop-web-1.r2", "shop-web-2.r2"});
  // The other one was given up before it made room.
  CHECK(written() == Names{"shop-web-1.r2", "shop-web-2.r1"});
  CHECK(running("shop-web-2") == Names{"shop-web-1", "shop-web-2"});
}

TEST_CASE_FIXTURE(Changeover,
                  "changeover: what a load balancer that leaves serves is not removed") {
  interrupt(second_release, plan::StepKind::add_to_rotation, 2);
  const auto larger = with(std::string(third_release), "lb: {", "lb: {size: s-2vcpu-2gb, ");
  Rig rig(world, larger);
  int checked = 0;
  rig.options.on_event = [&](const Event& event) {
    if (event.kind != EventKind::done || event.step.kind != plan::StepKind::start_container) return;
    // The address is still the old one's.
    CHECK(serving().contains(event.step.server + ".r1"));
    CHECK(running(event.step.server).contains("shop-web-1"));
    ++checked;
  };
  require_up(rig);
  CHECK(checked == 2);
  CHECK(serving("shop-lb-2") == Names{"shop-web-1.r3", "shop-web-2.r3"});
}

TEST_CASE_FIXTURE(Changeover,
                  "changeover: a server that is drained gets no requests, on any container") {
  for (const auto kind : {plan::StepKind::start_container, plan::StepKind::add_to_rotation}) {
    interrupt(second_release, kind, 2);
    Rig rig(world, small);
    const auto drained = plan::weigh(world.stored, "shop-web-1", 0, plan::Emptying::refuse);
    REQUIRE(drained);
    const auto outcome = rig.carry_out(*drained);
    REQUIRE(outcome);
    CHECK(outcome->failures.empty());
    CHECK(serving() == Names{"shop-web-2.r1"});
    // Back it gets them on the container that has had them: the other one was not let in.
    Rig again(world, small);
    const auto enabled = plan::weigh(world.stored, "shop-web-1", haproxy::weight_in_rotation,
                                     plan::Emptying::refuse);
    REQUIRE(enabled);
    REQUIRE(again.carry_out(*enabled));
    CHECK(serving() == Names{"shop-web-1.r1", "shop-web-2.r1"});
  }
}

TEST_CASE("changeover: a new health check is not held up by what is dead, only by what serves") {
  const auto first = with(std::string(small), "port: 8000", "port: 8000, health: {path: /a}");
  const auto moved = with(first, "/a}", "/b}");
  Changeover up;
  {
    Rig rig(up.world, first);
    require_up(rig);
  }
  {
    Rig rig(up.world, moved);
    rig.machines.unhealthy = {"shop-web-1"};
    const auto outcome = rig.up();
    REQUIRE(outcome);
    CHECK(all_of(outcome->failures).find("does not answer /b") != std::string::npos);
  }
  Rig rig(up.world, moved);
  rig.machines.unhealthy = {"shop-web-1"};
  rig.machines.dead = {"shop-web-1.r1", "shop-web-2.r1"};
  REQUIRE(rig.up());
  CHECK(haproxy::servers_of(up.haproxy().configuration).at(0).health_path == "/b");
}

TEST_CASE_FIXTURE(Changeover, "changeover: what was let in and not written is asked as well") {
  interrupt(second_release, plan::StepKind::let_in, 2);
  Rig rig(world, with(second_release, "port: 8080", "port: 8080, health: {path: /b}"));
  rig.machines.unhealthy = {"shop-web-2"};
  const auto outcome = rig.up();
  REQUIRE(outcome);
  CHECK(all_of(outcome->failures).find("does not answer /b") != std::string::npos);
  CHECK(haproxy::servers_of(haproxy().configuration).at(0).health_path == "/");
}

}  // namespace
}  // namespace paas::reconcile::testing
