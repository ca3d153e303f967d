// What plan::make refuses, and the order that it gives to steps.
#include "plan/make.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/text.hpp"
#include "plan/planner.hpp"
#include "plan/support/world.hpp"

namespace paas::plan::testing {
namespace {

bool has_step(const Plan& plan, const std::string& id) {
  for (const auto& step : plan.steps) {
    if (step.id == id) return true;
  }
  return false;
}

const Step& step_of(const Plan& plan, const std::string& id) {
  for (const auto& step : plan.steps) {
    if (step.id == id) return step;
  }
  FAIL("no step " << id);
  return plan.steps.front();
}

TEST_CASE("plan: a volume that would have to shrink is an error") {
  World world;
  world.up();
  world.service("db").volume->size_gigabytes = 5;
  const auto plan = make(world.input);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().kind == ErrorKind::invalid);
  CHECK(plan.error().message ==
        "services.db.volume.size: 5 GiB is less than the 10 GiB that volume zipkick-db has, and a "
        "volume cannot shrink");
  CHECK(plan.error().hint == "write size: 10GiB");
}

TEST_CASE("plan: a volume without the stack's tag gets it, unless it has another stack's") {
  World world;
  world.up();
  auto& tags = world.input.observed.volumes.at("zipkick-db").tags;
  REQUIRE(world.plan().empty());
  tags = {"backup", "paas:zipkick-eu"};
  CHECK(world.plan().empty());
  tags = {"backup"};
  const auto plan = world.plan();
  REQUIRE(plan.steps.size() == 1);
  CHECK(rendered(plan) == "~ tag volume zipkick-db: [drift] it lacks paas:zipkick\n");
  world.apply(plan);
  CHECK(world.plan().empty());
}

TEST_CASE("plan: a volume that is there and unknown is refused; without a tag it may be taken") {
  World world;
  auto& volume = world.input.observed.volumes["zipkick-db"];
  volume.name = "zipkick-db";
  volume.id = "v-1";
  volume.size_gigabytes = 10;
  auto plan = make(world.input);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().kind == ErrorKind::exists);
  CHECK(plan.error().hint.find("give it the tag paas:zipkick") != std::string::npos);
  CHECK(plan.error().hint.find("remove") == std::string::npos);
  volume.tags = {"paas:zipkick-eu"};
  plan = make(world.input);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().hint.find("give it the tag") == std::string::npos);
}

TEST_CASE("plan: a stack that exists does not move to another region") {
  World world;
  world.up();
  world.input.stack.region = "fra1";
  auto plan = make(world.input);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().kind == ErrorKind::invalid);
  CHECK(plan.error().message ==
        "region: the stack says fra1, but volume zipkick-db is in nyc3, and what exists cannot "
        "move");
  world.apply(make_down(world.lock(), world.input.observed, Volumes::keep));
  CHECK_FALSE(make(world.input));
  world.apply(make_down(world.lock(), world.input.observed, Volumes::destroy));
  CHECK(make(world.input));
}

TEST_CASE("case 14: an empty list where the lockfile knows droplets is refused, not believed") {
  World world;
  world.up();
  auto names = std::vector<std::string>{};
  for (const auto& [name, server] : world.lock().servers) names.push_back(name);
  world.input.observed.servers.clear();
  const auto plan = make(world.input);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().kind == ErrorKind::invalid);
  CHECK(plan.error().message == "none of the 7 droplets that the lockfile knows is found");
  CHECK(plan.error().hint.find("--accept-loss") != std::string::npos);
  CHECK_FALSE(check_found(world.lock(), world.input.observed));
  world.input.accept_loss = true;
  world.up();
  for (const auto& name : names) CHECK_FALSE(world.lock().servers.contains(name));
}

TEST_CASE("case 14: of a single droplet, nothing of the stack has to be found") {
  World world;
  for (const auto* name : {"frontend", "backend", "cache"}) world.remove_service(name);
  world.input.stack.lb.reset();
  world.up();
  REQUIRE(world.lock().servers.size() == 1);
  const auto everything = world.input.observed;
  world.input.observed.servers.clear();
  // Deleted by hand.
  CHECK(check_found(world.lock(), world.input.observed));
  CHECK(make(world.input));
  world.input.observed = {};
  const auto plan = make(world.input);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().kind == ErrorKind::invalid);
  CHECK(plan.error().message ==
        "the droplet that the lockfile knows is not found, and nothing else of the stack");
  world.input.accept_loss = true;
  CHECK(make(world.input));
}

TEST_CASE("plan: a lockfile that knows nothing takes over nothing that carries the stack's tag") {
  World world;
  world.up();
  for (auto& [name, server] : world.input.observed.servers) server.droplet.tags = {"paas:zipkick"};
  world.server("zipkick-db-1").droplet.tags = {"paas:zipkick-eu"};
  world.input.observed.volumes.at("zipkick-db").tags = {"paas:zipkick"};
  const auto made_here = world.lock();
  world.lock() = {};
  // A key was registered for a machine image.
  world.lock().ssh_key = made_here.ssh_key;
  world.input.accept_loss = true;
  auto plan = make(world.input);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().kind == ErrorKind::invalid);
  CHECK(plan.error().message ==
        "there are things of stack zipkick that this lockfile did not make: 6 droplets "
        "(zipkick-backend-1, zipkick-backend-2, zipkick-cache-1, ...), 5 firewalls "
        "(zipkick-backend, zipkick-cache, zipkick-db, ...), 1 volume (zipkick-db)");
  CHECK(plan.error().hint.find("use the lockfile that made them") != std::string::npos);
  world.input.observed.servers.clear();
  world.input.observed.firewalls.clear();
  CHECK_FALSE(make(world.input));
  // The builder of a machine image may show up after the run that made it gave up.
  world.input.observed.volumes.clear();
  auto& builder = world.input.observed.servers["zipkick-db-builder-0123abcd"];
  builder.droplet.tags = {"paas:zipkick"};
  CHECK(make(world.input));
  world.input.observed.servers["zipkick-db-2"] = builder;
  CHECK_FALSE(make(world.input));
}

void remove_backend(World& world) {
  world.service("frontend").links.clear();
  world.input.stack.lb->rules = {{"", "", "frontend"}};
  world.remove_service("backend");
}

void add_next(World& world) {
  auto next = world.service("frontend");
  next.name = "next";
  next.scale = {};
  world.input.stack.services.push_back(next);
  world.input.stack.lb->rules = {{"", "/api/", "backend"}, {"", "", "next"}};
}

TEST_CASE("plan: a replacement of the load balancer that was not finished stands in no circle") {
  World world;
  world.up();
  world.input.replace["zipkick-lb-1"] = "asked for";
  auto plan = world.plan();
  std::erase_if(plan.steps,
                [](const Step& step) { return step.id == "delete_server/zipkick-lb-1"; });
  world.apply(plan);
  world.change_image("web");
  remove_backend(world);
  world.up();
  CHECK(world.plan().empty());
}

TEST_CASE("plan: a load balancer that is off learns of new services when it is on") {
  World world;
  world.up();
  world.power_off("zipkick-lb-1");
  add_next(world);
  world.up();
  CHECK(text::join(world.violations, "\n") == "");
  CHECK_FALSE(world.plan().empty());
  world.up();
  CHECK(text::join(world.violations, "\n") == "");
  CHECK(world.plan().empty());
}

TEST_CASE("plan: rules are not changed to a service whose only server cannot be looked at") {
  World world;
  world.up();
  add_next(world);
  auto plan = world.plan();
  std::erase_if(plan.steps, [](const Step& step) {
    return step.id == "add_to_rotation/zipkick-next-1" || step.kind == StepKind::configure_balancer;
  });
  world.apply(plan);
  world.cut_off("zipkick-next-1");
  const auto refused = make(world.input);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::unreachable);
  CHECK(refused.error().message.find("zipkick-next-1: connecting to it took") != std::string::npos);
  world.input.replace["zipkick-next-1"] = "asked for";
  world.up();
  CHECK(world.plan().empty());
}

TEST_CASE("plan: one droplet that is found, or servers that leave, prove that the look is right") {
  World world;
  world.up();
  const auto everything = world.input.observed;
  while (world.input.observed.servers.size() > 1) {
    world.input.observed.servers.erase(world.input.observed.servers.begin());
  }
  CHECK(check_found(world.lock(), world.input.observed));
  world.input.observed = everything;
  world.input.observed.servers.clear();
  for (auto& [name, server] : world.lock().servers) server.leaving = true;
  CHECK(check_found(world.lock(), world.input.observed));
}

TEST_CASE("plan: the count stays between min and max") {
  World world;
  world.up();
  world.service("frontend").scale.max = 3;
  world.lock().services.at("frontend").count = 9;
  CHECK(world.plan().lockfile.services.at("frontend").count == 3);
  world.lock().services.at("frontend").count = 1;
  CHECK(world.plan().lockfile.services.at("frontend").count == 2);
}

TEST_CASE("plan: the load balancer does not listen on a port that leads to a service already") {
  World world;
  world.input.stack.lb->listen = {80, 30000};
  world.up();
  CHECK(world.lock().services.at("frontend").internal_port == 30001);
  world.input.stack.lb->listen = {80, 30002};
  const auto plan = make(world.input);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().kind == ErrorKind::invalid);
  CHECK(plan.error().message ==
        "lb.listen: port 30002 is the one under which the stack's own servers reach backend, and "
        "their environment has it");
}

TEST_CASE("plan: an address that was not written down is released with its load balancer") {
  World world;
  world.up();
  const auto ip = world.lock().lb->reserved_ip;
  world.interrupt_address();
  const auto down = make_down(world.lock(), world.input.observed, Volumes::keep);
  CHECK(has_step(down, "release_address/" + ip));
  CHECK(down.lockfile.lb->reserved_ip == ip);
  world.input.stack.lb.reset();
  world.service("frontend").links.clear();
  const auto plan = world.plan();
  REQUIRE(has_step(plan, "release_address/" + ip));
  // Written down before its droplet goes, which is what it was found by.
  CHECK(plan.lockfile.lb->reserved_ip == ip);
  world.apply(plan);
  CHECK(world.input.observed.reserved_ips.empty());
  CHECK(world.plan().empty());
}

TEST_CASE("plan: an address that somebody gave the load balancer's droplet is left to them") {
  World world;
  world.up();
  const auto own = world.lock().lb->reserved_ip;
  auto theirs = world.input.observed.reserved_ips.front();
  theirs.ip = "203.0.113.99";
  world.input.observed.reserved_ips.push_back(theirs);
  auto down = make_down(world.lock(), world.input.observed, Volumes::keep);
  CHECK(has_step(down, "release_address/" + own));
  CHECK_FALSE(has_step(down, "release_address/203.0.113.99"));
  // Also while the stack has none of its own, as after a run that was refused one.
  world.lock().lb->reserved_ip.clear();
  down = make_down(world.lock(), world.input.observed, Volumes::keep);
  for (const auto& step : down.steps) CHECK(step.kind != StepKind::release_address);
}

TEST_CASE("plan: names of servers are never used again") {
  World world;
  world.up();
  world.destroy_droplet("zipkick-frontend-2");
  world.up();
  CHECK(world.lock().servers.contains("zipkick-frontend-3"));
  CHECK_FALSE(world.lock().servers.contains("zipkick-frontend-2"));
  world.destroy_droplet("zipkick-frontend-3");
  world.up();
  CHECK(world.lock().servers.contains("zipkick-frontend-4"));
}

TEST_CASE("plan: scaling starts no container again and reloads nothing") {
  World world;
  world.up();
  for (const int count : {4, 2, 3}) {
    world.lock().services.at("frontend").count = count;
    const auto plan = world.plan();
    for (const auto& step : plan.steps) {
      INFO(step.id);
      CHECK(step.kind != StepKind::configure_balancer);
      CHECK(step.kind != StepKind::update_firewall);
      CHECK(step.kind != StepKind::write_hosts);
      if (step.kind != StepKind::start_container) continue;
      CHECK_FALSE(world.lock().servers.contains(step.server));
    }
    world.apply(plan);
  }
}

TEST_CASE("plan: servers start from the newest machine image of their service and region") {
  World world;
  auto& snapshots = world.input.observed.snapshots;
  snapshots.resize(3);
  snapshots[0].id = "3";
  snapshots[0].name = "zipkick.frontend.image-3";
  snapshots[0].regions = {"fra1"};
  snapshots[1].id = "2";
  snapshots[1].name = "zipkick.frontend.image-2";
  snapshots[1].regions = {"nyc3"};
  snapshots[2].id = "1";
  snapshots[2].name = "zipkick.frontend.image-1";
  snapshots[2].regions = {"nyc3"};
  const auto plan = world.plan();
  CHECK(plan.lockfile.servers.at("zipkick-frontend-1").image == "2");
  CHECK(plan.lockfile.servers.at("zipkick-backend-1").image == "debian-12-x64");
  CHECK(step_of(plan, "create_server/zipkick-frontend-1").detail ==
        "s-1vcpu-1gb in nyc3, from snapshot 2");
}

TEST_CASE("plan: a machine image that needs a larger disk is passed over with a warning") {
  World world;
  auto& snapshots = world.input.observed.snapshots;
  snapshots.resize(2);
  snapshots[0].id = "2";
  snapshots[0].name = "zipkick.frontend.image-2";
  snapshots[0].regions = {"nyc3"};
  snapshots[0].min_disk_gigabytes = 50;
  snapshots[1] = snapshots[0];
  snapshots[1].id = "1";
  snapshots[1].name = "zipkick.frontend.image-1";
  snapshots[1].min_disk_gigabytes = 25;
  world.input.observed.disks_gigabytes = {{"s-1vcpu-1gb", 25}};
  const auto plan = world.plan();
  CHECK(plan.lockfile.servers.at("zipkick-frontend-1").image == "1");
  CHECK(plan.warnings ==
        std::vector<std::string>{"machine image zipkick.frontend.image-2 is not used: it needs a "
                                 "disk of 50 GB, s-1vcpu-1gb has 25 GB"});
}

TEST_CASE("plan: who depends on a replaced database starts again with the names that change") {
  World world;
  world.up();
  world.destroy_droplet("zipkick-db-1");
  const auto plan = world.plan();
  const auto& restart = step_of(plan, "start_container/zipkick-backend-1");
  CHECK(restart.cause.find("DB_HOST") != std::string::npos);
  CHECK(restart.cause.find("DB_URL") != std::string::npos);
  CHECK(restart.cause.find("CACHE") == std::string::npos);
  const auto& after = restart.after;
  CHECK(std::find(after.begin(), after.end(), "start_container/zipkick-db-2") != after.end());
  CHECK_FALSE(has_step(plan, "start_container/zipkick-frontend-1"));
}

TEST_CASE("plan: servers that did not answer are named, those that were not asked are not") {
  World world;
  world.up();
  CHECK(world.plan().unreached.empty());
  world.cut_off("zipkick-backend-1");
  const auto plan = world.plan();
  CHECK(plan.empty());
  CHECK(plan.unreached == std::vector<std::string>{"zipkick-backend-1"});
}

TEST_CASE("plan: all waits for a server that is off and that new rules lead to") {
  World world;
  world.up();
  const auto balancer_before = world.machine("zipkick-lb-1");
  add_next(world);
  world.up();
  // As a run left it that was killed when the server lost its power, before its first container.
  world.machine("zipkick-lb-1") = balancer_before;
  world.machine("zipkick-next-1").containers.clear();
  world.lock().servers.at("zipkick-next-1").release = 0;
  world.power_off("zipkick-next-1");
  // What has to be confirmed by its name stays unasked and undone.
  world.service("db").size = "s-2vcpu-2gb";
  const auto first = world.plan();
  CHECK(first.waits_for_power);
  REQUIRE(first.steps.size() == 1);
  CHECK(first.steps[0].id == "power_on_server/zipkick-next-1");
  CHECK(first.losses.empty());
  CHECK(first.lockfile == world.lock());
  CHECK(first.warnings.back() ==
        "the new rules lead to next, and zipkick-next-1 is off: all else follows when it is on");
  world.apply(first);
  const auto second = world.plan();
  CHECK_FALSE(second.waits_for_power);
  CHECK(has_step(second, "start_container/zipkick-next-1"));
  CHECK(second.losses.size() == 1);
  world.apply(second);
  CHECK(world.plan().empty());
}

TEST_CASE("plan: what has to change on a server that is off is known when it is on") {
  World world;
  world.up();
  world.power_off("zipkick-db-1");
  world.service("db").env["TZ"] = "UTC";
  const auto first = world.plan();
  CHECK(has_step(first, "power_on_server/zipkick-db-1"));
  CHECK_FALSE(has_step(first, "start_container/zipkick-db-1"));
  REQUIRE(first.warnings.size() == 1);
  CHECK(first.warnings[0] ==
        "zipkick-db-1 is off: what else has to change on it is known when it is on");
  world.apply(first);
  const auto second = world.plan();
  CHECK(has_step(second, "start_container/zipkick-db-1"));
  CHECK(second.warnings.empty());
  world.apply(second);
  CHECK(world.plan().empty());
}

TEST_CASE("plan: without a look inside, only what the cloud shows is planned") {
  World world;
  world.up();
  for (auto& [name, server] : world.input.observed.servers) server.machine.reset();
  world.service("frontend").env["MODE"] = "other";
  world.lock().services.at("frontend").count = 3;
  const auto plan = world.plan();
  CHECK(has_step(plan, "create_server/zipkick-frontend-3"));
  CHECK_FALSE(has_step(plan, "start_container/zipkick-frontend-1"));
  CHECK(plan.warnings.size() == world.lock().servers.size());
  CHECK(plan.unreached.empty());
}

Step step(const std::string& id, std::vector<std::string> after) {
  Step result;
  result.id = id;
  result.after = std::move(after);
  return result;
}

std::string ids(const std::vector<Step>& steps) {
  std::string text;
  for (const auto& each : steps) text += each.id;
  return text;
}

TEST_CASE("plan: ordering keeps the order it is given as far as it can") {
  CHECK(ids(ordered({step("a", {"c"}), step("b", {}), step("c", {"b"})})) == "bca");
  CHECK(ids(ordered({step("a", {"nowhere"}), step("b", {})})) == "ab");
  CHECK(ordered({step("a", {"nowhere", "b", "b"}), step("b", {})}).back().after ==
        std::vector<std::string>{"b"});
}

TEST_CASE("plan: a circle of steps shows in their number") {
  CHECK(ids(ordered({step("a", {"b"}), step("b", {"a"}), step("c", {})})) == "c");
}

TEST_CASE("plan: every kind of step has a name and words of its own") {
  std::set<std::string> names;
  for (int kind = 0; kind <= static_cast<int>(StepKind::delete_key); ++kind) {
    Step each;
    each.kind = static_cast<StepKind>(kind);
    each.server = "zipkick-web-1";
    CHECK(names.insert(to_text(each.kind)).second);
    CHECK(describe(each).find("zipkick-web-1") != std::string::npos);
  }
}

}  // namespace
}  // namespace paas::plan::testing
