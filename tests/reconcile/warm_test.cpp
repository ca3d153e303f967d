// What a warm server costs when it is taken.
#include <doctest/doctest.h>

#include <algorithm>

#include "reconcile/support/rig.hpp"
#include "reconcile/support/small_stack.hpp"

namespace paas::reconcile::testing {
namespace {

const std::string with_warm = with(std::string(small), "max: 3}", "max: 3, warm: 1}");

bool has_started(const std::vector<Event>& events, const std::string& server) {
  return std::any_of(events.begin(), events.end(), [&](const Event& event) {
    return event.step.server == server && event.text == "container";
  });
}

struct UpWithWarm {
  UpWithWarm() {
    Rig rig(world, with_warm);
    require_up(rig);
    REQUIRE(world.stored.servers.at("shop-web-3").warm);
    world.stored.services.at("web").count = 3;
  }
  /// Requests to the provider from the first step until the container of shop-web-3 starts.
  int requests_before_container() {
    Rig rig(world, with_warm);
    int requests = 0;
    rig.http.intercept = [&](const HttpRequest& request) {
      if (!rig.events.empty() && !has_started(rig.events, "shop-web-3")) ++requests;
      return rig.http.pass(request);
    };
    require_up(rig);
    CHECK(has_started(rig.events, "shop-web-3"));
    return requests;
  }
  World world;
};

TEST_CASE_FIXTURE(UpWithWarm,
                  "warm: the container of a server that is taken waits for no request") {
  CHECK(requests_before_container() == 0);
  CHECK_FALSE(world.stored.servers.at("shop-web-3").warm);
  CHECK(world.stored.servers.at("shop-web-4").warm);
  CHECK(world.insides.machines.at("shop-web-4").containers.empty());
  CHECK(world.insides.machines.at("shop-lb-1").balancer->in_rotation.at("web") ==
        std::set<std::string>{"shop-web-1.r1", "shop-web-2.r1", "shop-web-3.r1"});
  CHECK(world.insides.reloads == 1);
}

TEST_CASE_FIXTURE(UpWithWarm, "warm: where its firewall was not seen to, that is made up for") {
  world.stored.servers.at("shop-web-3").firewalled = false;
  CHECK(requests_before_container() > 0);
}

}  // namespace
}  // namespace paas::reconcile::testing
