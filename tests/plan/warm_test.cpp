// Servers that are kept warm: what they have, who takes them, and what is made behind them.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/text.hpp"
#include "plan/counts.hpp"
#include "plan/support/world.hpp"
#include "plan/take_back.hpp"
#include "plan/verify.hpp"

namespace paas::plan::testing {
namespace {

const Step* find_step(const Plan& plan, const std::string& id) {
  const auto found = std::find_if(plan.steps.begin(), plan.steps.end(),
                                  [&](const Step& step) { return step.id == id; });
  return found == plan.steps.end() ? nullptr : &*found;
}

/// Two frontends serve and one is kept warm.
struct Warm {
  Warm() {
    world.service("frontend").scale.warm = 1;
    world.up();
    CHECK(violations() == "");
    REQUIRE(world.plan().empty());
  }
  void scale(int count) { world.lock().services.at("frontend").count = count; }
  bool is_warm(int number) {
    return world.lock().servers.at("zipkick-frontend-" + std::to_string(number)).warm;
  }
  std::string violations() { return text::join(world.violations, "\n"); }
  void finish() {
    world.up();
    CHECK(violations() == "");
    CHECK(rendered(world.plan()) == "nothing to do\n");
  }
  World world;
};

TEST_CASE_FIXTURE(Warm, "warm: a server beyond the count has the image and runs nothing") {
  CHECK_FALSE(is_warm(1));
  CHECK_FALSE(is_warm(2));
  CHECK(is_warm(3));
  const auto& inside = world.machine("zipkick-frontend-3");
  CHECK(inside.containers.empty());
  CHECK(inside.image_digests.contains("sha256:web-1"));
  CHECK(world.lock().servers.at("zipkick-frontend-3").firewalled);
  for (const auto& name : world.balancer().known.at("frontend")) {
    CHECK_FALSE(name.starts_with("zipkick-frontend-3"));
  }
}

TEST_CASE_FIXTURE(Warm, "warm: scaling up takes it, and makes another one when it serves") {
  scale(3);
  const auto plan = world.plan();
  const auto* start = find_step(plan, "start_container/zipkick-frontend-3");
  REQUIRE(start != nullptr);
  CHECK(start->after.empty());
  CHECK(start->cause == "frontend shall have 3 servers, has 2; it was kept warm");
  CHECK(find_step(plan, "send_image/zipkick-frontend-3") == nullptr);
  CHECK(find_step(plan, "create_server/zipkick-frontend-3") == nullptr);
  const auto* refill = find_step(plan, "create_server/zipkick-frontend-4");
  REQUIRE(refill != nullptr);
  CHECK(refill->after == std::vector<std::string>{"add_to_rotation/zipkick-frontend-3",
                                                  "start_container/zipkick-frontend-3"});
  CHECK(refill->detail == "s-1vcpu-1gb in nyc3, kept warm");
  CHECK(find_step(plan, "start_container/zipkick-frontend-4") == nullptr);
  CHECK_FALSE(plan.lockfile.servers.at("zipkick-frontend-3").warm);
  world.apply(plan);
  CHECK(violations() == "");
  CHECK(world.plan().empty());
  CHECK(is_warm(4));
  CHECK(world.balancer().in_rotation.at("frontend").contains("zipkick-frontend-3.r1"));
}

TEST_CASE_FIXTURE(Warm, "warm: what an interrupted run took is gone on with, and not taken twice") {
  scale(3);
  world.lock() = world.plan().lockfile;
  const auto plan = world.plan();
  CHECK(find_step(plan, "start_container/zipkick-frontend-3") != nullptr);
  CHECK(find_step(plan, "create_server/zipkick-frontend-5") == nullptr);
  finish();
  CHECK_FALSE(is_warm(3));
  CHECK(is_warm(4));
}

TEST_CASE_FIXTURE(Warm, "warm: scaling up by more than there are makes the rest") {
  scale(4);
  const auto plan = world.plan();
  CHECK(find_step(plan, "start_container/zipkick-frontend-3") != nullptr);
  CHECK_FALSE(plan.lockfile.servers.at("zipkick-frontend-4").warm);
  CHECK(plan.lockfile.servers.at("zipkick-frontend-5").warm);
  finish();
}

TEST_CASE_FIXTURE(Warm, "warm: a server that takes another one's place is taken as well") {
  world.input.replace["zipkick-frontend-1"] = "you asked for it";
  const auto plan = world.plan();
  const auto* start = find_step(plan, "start_container/zipkick-frontend-3");
  REQUIRE(start != nullptr);
  CHECK(start->cause == "replaces zipkick-frontend-1: you asked for it; it was kept warm");
  world.apply(plan);
  CHECK(violations() == "");
  CHECK_FALSE(world.lock().servers.contains("zipkick-frontend-1"));
  CHECK(world.plan().empty());
}

TEST_CASE_FIXTURE(Warm, "warm: one that is replaced itself is replaced by a warm one") {
  world.destroy_droplet("zipkick-frontend-3");
  const auto plan = world.plan();
  CHECK(find_step(plan, "forget_server/zipkick-frontend-3") != nullptr);
  CHECK(find_step(plan, "create_server/zipkick-frontend-4")->cause ==
        "replaces zipkick-frontend-3: its droplet was deleted");
  world.apply(plan);
  CHECK(is_warm(4));
  CHECK(world.plan().empty());
}

TEST_CASE_FIXTURE(Warm, "warm: one that does not answer is not taken, one that is off is woken") {
  scale(3);
  auto silent = world;
  silent.cut_off("zipkick-frontend-3");
  const auto without = silent.plan();
  CHECK(without.lockfile.servers.at("zipkick-frontend-3").warm);
  CHECK_FALSE(without.lockfile.servers.at("zipkick-frontend-4").warm);
  CHECK(without.unreached == std::vector<std::string>{"zipkick-frontend-3"});
  world.power_off("zipkick-frontend-3");
  const auto plan = world.plan();
  CHECK_FALSE(plan.lockfile.servers.at("zipkick-frontend-3").warm);
  CHECK(find_step(plan, "power_on_server/zipkick-frontend-3") != nullptr);
  CHECK(find_step(plan, "start_container/zipkick-frontend-3") == nullptr);
  world.apply(plan);
  CHECK(find_step(world.plan(), "start_container/zipkick-frontend-3") != nullptr);
  finish();
}

TEST_CASE_FIXTURE(Warm, "warm: a new image comes there behind those that serve") {
  world.change_image("web");
  const auto plan = world.plan();
  const auto* send = find_step(plan, "send_image/zipkick-frontend-3");
  REQUIRE(send != nullptr);
  CHECK(send->after == std::vector<std::string>{"build_image/web", "send_image/zipkick-frontend-1",
                                                "send_image/zipkick-frontend-2"});
  CHECK(send->reason == Reason::change);
  CHECK(find_step(plan, "keep_warm/zipkick-frontend-3") == nullptr);
  world.apply(plan);
  CHECK(violations() == "");
  CHECK(world.plan().empty());
  // An image that somebody removed is drift.
  world.machine("zipkick-frontend-3").image_digests.clear();
  CHECK(rendered(world.plan()) ==
        "~ send image to zipkick-frontend-3 (web): [drift] it lacks image web\n");
}

TEST_CASE_FIXTURE(Warm, "warm: a firewall that is made again is awaited again") {
  world.input.observed.firewalls.erase("zipkick-frontend");
  const auto plan = world.plan();
  CHECK(find_step(plan, "keep_warm/zipkick-frontend-3") != nullptr);
  CHECK_FALSE(plan.lockfile.servers.at("zipkick-frontend-3").firewalled);
  finish();
  auto& tags = world.server("zipkick-frontend-3").droplet.tags;
  std::erase(tags, "paas:zipkick:frontend");
  CHECK(find_step(world.plan(), "keep_warm/zipkick-frontend-3") != nullptr);
}

TEST_CASE_FIXTURE(Warm, "warm: scaling down and keeping fewer warm remove servers") {
  scale(3);
  world.up();
  scale(2);
  const auto plan = world.plan();
  CHECK(find_step(plan, "delete_server/zipkick-frontend-3") != nullptr);
  CHECK(find_step(plan, "delete_server/zipkick-frontend-4") == nullptr);
  world.apply(plan);
  CHECK(world.plan().empty());
  world.service("frontend").scale.warm = 0;
  // HAProxy never knew it, so nothing has to be asked of it.
  world.cut_off("zipkick-lb-1");
  const auto fewer = world.plan();
  CHECK(find_step(fewer, "delete_server/zipkick-frontend-4")->cause ==
        "frontend shall keep 0 of 1 servers warm");
  CHECK(find_step(fewer, "remove_from_rotation/zipkick-frontend-4") == nullptr);
}

TEST_CASE_FIXTURE(Warm,
                  "warm: one more server is one that serves, and a warm one is not taken out") {
  REQUIRE(add_one(world.lock(), world.service("frontend")));
  CHECK(world.lock().services.at("frontend").count == 3);
  const auto refused = take_out(world.lock(), world.input.stack, "zipkick-frontend-3");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::usage);
  CHECK(refused.error().message == "zipkick-frontend-3 is kept warm: it serves nobody");
  CHECK(world.lock().services.at("frontend").count == 3);
}

TEST_CASE_FIXTURE(Warm, "warm: what goes wrong there takes no release back") {
  note_all_settled(world.lock());
  REQUIRE(world.lock().services.at("frontend").settled);
  world.service("frontend").env["MODE"] = "front";
  world.up();
  Step failed;
  failed.kind = StepKind::send_image;
  failed.service = "frontend";
  failed.server = "zipkick-frontend-3";
  CHECK(releases_to_take_back(world.lock(), {failed}).empty());
  failed.server = "zipkick-frontend-1";
  CHECK(releases_to_take_back(world.lock(), {failed}).size() == 1);
}

TEST_CASE_FIXTURE(Warm, "warm: it is billed") {
  const auto plan = world.plan();
  const auto cost = cost_of(world.lock(), world.input.observed, plan, {});
  REQUIRE(cost.sizes.size() == 1);
  CHECK(cost.sizes.front().after == static_cast<int>(world.lock().servers.size()));
}

}  // namespace
}  // namespace paas::plan::testing
