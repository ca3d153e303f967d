// A droplet that somebody gave another name is still its server's.
#include <doctest/doctest.h>

#include "plan/verify.hpp"
#include "reconcile/support/cloud_request.hpp"
#include "reconcile/support/small_stack.hpp"

namespace paas::reconcile::testing {
namespace {

struct RenamedDroplet {
  RenamedDroplet() {
    Rig rig(world, small);
    require_up(rig);
  }
  void rename(const std::string& from, const std::string& to) {
    for (auto& [id, droplet] : world.cloud.droplets) {
      if (droplet.name == from) droplet.name = to;
    }
  }
  observe::Observed look(Rig& rig) {
    digitalocean::Client api(rig.http, rig.clock,
                             {cloud_url, Secret(cloud_token), {}, {}, [] { return 0.5; }});
    auto seen = observe::observe(api, rig.machines, world.stored, "shop", "nyc3",
                                 {observe::Depth::machines, 1});
    REQUIRE(seen);
    return *seen;
  }
  World world;
};

TEST_CASE("reconcile: a server whose droplet was renamed is known by its identifier") {
  RenamedDroplet f;
  SUBCASE("to a name that is no server's") { f.rename("shop-web-2", "frontend-old"); }
  SUBCASE("to another server's name") { f.rename("shop-web-2", "shop-web-1"); }
  SUBCASE("to a name with a number that was not given out") {
    f.rename("shop-web-2", "shop-web-9");
  }
  SUBCASE("and has a reserved IP that the lockfile knows") { f.rename("shop-lb-1", "balancer"); }
  Rig rig(f.world, small);
  const auto seen = f.look(rig);
  CHECK(seen.servers.size() == 4);
  CHECK(seen.namesakes.empty());
  const auto plan = rig.plan();
  REQUIRE(plan);
  CHECK(step_ids(*plan) == "");
  CHECK(plan->warnings.empty());
  const auto verified = plan::verify(f.world.stored, seen, std::nullopt);
  REQUIRE(verified);
  CHECK(verified->holds());
  const auto down = plan::make_down(f.world.stored, seen, plan::Volumes::destroy);
  CHECK(down.warnings.empty());
  require_down(rig, plan::Volumes::destroy);
  check_nothing_left(f.world);
}

TEST_CASE("reconcile: an address on a renamed load balancer that nobody knows is told") {
  RenamedDroplet f;
  f.rename("shop-lb-1", "balancer");
  f.world.stored.lb->reserved_ip.clear();
  f.world.stored.vpc.reset();
  Rig rig(f.world, small);
  const auto down = plan::make_down(f.world.stored, f.look(rig), plan::Volumes::destroy);
  REQUIRE(down.warnings.size() == 1);
  CHECK(down.warnings[0].find("is on droplet shop-lb-1, but the lockfile does not know it") !=
        std::string::npos);
}

}  // namespace
}  // namespace paas::reconcile::testing
