// Plans as text: each situation's plan is compared with the one that was accepted for it, and all
// of them keep what every plan has to keep.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/text.hpp"
#include "plan/planner.hpp"
#include "plan/support/situations.hpp"

namespace paas::plan::testing {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void compare(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(PAASCTL_TEST_DATA) / "golden" / (name + ".txt");
  if (std::getenv("PAASCTL_ACCEPT") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  INFO(path.string());
  CHECK(text == read_file(path));
}

TEST_CASE("plan: each situation has the plan that was accepted for it") {
  compare("from_nothing", rendered(World().plan()));
  for (const auto* cloud : {"local", "digitalocean"}) {
    auto yaml =
        text::replace_all(std::string(example), "cloud: local", std::string("cloud: ") + cloud);
    yaml =
        text::replace_all(yaml, "listen: [80]",
                          "listen: [80], tls: {acme: {hosts: [a.test, b.test], email: o@a.test}}");
    compare(std::string("from_nothing_with_https_") + cloud, rendered(World(yaml).plan()));
  }
  for (const auto& situation : situations()) {
    compare(situation.name, rendered(world_after(situation).plan()));
  }
  // What was only written down has not been checked against anything.
  if (std::getenv("PAASCTL_ACCEPT") != nullptr) {
    FAIL("the plans were accepted: read the difference, then run without PAASCTL_ACCEPT");
  }
}

TEST_CASE("plan: nothing is done when the world is as the stack says") {
  World world;
  world.up();
  const auto plan = world.plan();
  INFO(rendered(plan));
  CHECK(plan.empty());
  CHECK(plan.warnings.empty());
  CHECK(plan.lockfile == world.lock());
}

void check_invariants(const World& world, const Plan& plan) {
  std::set<std::string> done;
  for (const auto& step : plan.steps) {
    INFO(step.id);
    CHECK_FALSE(step.cause.empty());
    CHECK(step.id.starts_with(to_text(step.kind) + "/"));
    for (const auto& before : step.after) CHECK(done.contains(before));
    CHECK(done.insert(step.id).second);
    // Rotation entries of strangers are the only ones without a server in the lockfile.
    if (!step.server.empty() && step.kind != StepKind::remove_from_rotation) {
      CHECK(plan.lockfile.servers.contains(step.server));
    }
  }
  for (const auto& [name, server] : world.input.lockfile.servers) {
    CHECK(plan.lockfile.servers.contains(name));
  }
  CHECK(ordered(plan.steps).size() == plan.steps.size());
}

TEST_CASE("plan: every step has a cause, a name of its own and its place in the order") {
  check_invariants(World(), World().plan());
  for (const auto& situation : situations()) {
    CAPTURE(std::string(situation.name));
    const auto world = world_after(situation);
    check_invariants(world, world.plan());
  }
}

TEST_CASE("plan: once a plan was carried out, in any order it permits, there is nothing to do") {
  constexpr unsigned orders = 8;
  for (unsigned seed = 0; seed < orders; ++seed) {
    World world;
    world.apply_shuffled(world.plan(), seed);
    CHECK(text::join(world.violations, "\n") == "");
    CHECK(rendered(world.plan()) == "nothing to do\n");
  }
  for (const auto& situation : situations()) {
    CAPTURE(std::string(situation.name));
    const auto begin = world_after(situation);
    if (ends_unreachable(begin)) continue;
    const auto plan = begin.plan();
    for (unsigned seed = 0; seed < orders; ++seed) {
      auto world = begin;
      world.apply_shuffled(plan, seed);
      CHECK(text::join(world.violations, "\n") == "");
      if (seed == 0)
        CHECK(rendered({world.plan().steps, {}, {}, {}, {}, {}, {}}) == "nothing to do\n");
    }
  }
}

TEST_CASE("plan: making a plan twice gives the same one") {
  for (const auto& situation : situations()) {
    CAPTURE(std::string(situation.name));
    const auto world = world_after(situation);
    CHECK(rendered(world.plan()) == rendered(world.plan()));
    CHECK(world.plan().lockfile == world.plan().lockfile);
  }
}

TEST_CASE("plan: down takes everything but the volumes, or those as well") {
  World world;
  world.up();
  const auto keep = make_down(world.lock(), world.input.observed, Volumes::keep);
  const auto destroy = make_down(world.lock(), world.input.observed, Volumes::destroy);
  compare("down", rendered(keep));
  compare("down_with_volumes", rendered(destroy));
  if (std::getenv("PAASCTL_ACCEPT") != nullptr) FAIL("accepted");
  for (unsigned seed = 0; seed < 20; ++seed) {
    auto gone = world;
    gone.apply_shuffled(destroy, seed);
    CHECK(text::join(gone.violations, "\n") == "");
    CHECK(gone.input.observed.servers.empty());
    CHECK(gone.input.observed.volumes.empty());
    CHECK(gone.input.observed.firewalls.empty());
    CHECK(gone.input.observed.reserved_ips.empty());
    CHECK_FALSE(gone.input.observed.vpc);
    CHECK(make_down(gone.lock(), gone.input.observed, Volumes::destroy).empty());
  }
}

TEST_CASE("plan: up after down makes servers with new names around the volume that was kept") {
  World world;
  world.up();
  world.apply(make_down(world.lock(), world.input.observed, Volumes::keep));
  const auto password = world.lock().services.at("db").password;
  const auto plan = world.plan();
  CHECK(plan.lockfile.servers.contains("zipkick-db-2"));
  CHECK_FALSE(plan.lockfile.servers.contains("zipkick-db-1"));
  for (const auto& step : plan.steps) CHECK(step.kind != StepKind::create_volume);
  world.apply(plan);
  CHECK(text::join(world.violations, "\n") == "");
  CHECK(world.plan().empty());
  CHECK(world.lock().services.at("db").password == password);
}

TEST_CASE("plan: down releases an address that an interrupted run did not write down") {
  World world;
  world.up();
  const auto ip = world.lock().lb->reserved_ip;
  world.interrupt_address();
  const auto plan = make_down(world.lock(), world.input.observed, Volumes::keep);
  CHECK(rendered(plan).find("release public address " + ip) != std::string::npos);
}

}  // namespace
}  // namespace paas::plan::testing
