// Every command is stopped dead after each of its effects, and run again.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "crash/support/campaign.hpp"

namespace paas::crash {
namespace {

/// The test crash.everywhere tries all of them.
constexpr int every = 12;

void stop_everywhere(const std::string& name) {
  // With the second one things take long, and the next run comes at once.
  for (const auto seed : {first_seed(), first_seed() + 7}) {
    const Stage stage(*find_scenario(name), seed);
    REQUIRE(stage.effects() > 0);
    std::vector<Point> stops;
    for (int k = 1; k <= stage.effects(); ++k) {
      stops.push_back({name, {Mishap::Kind::stop}, seed, k});
    }
    std::vector<Point> failures;
    for (const int k : stage.unsettled()) {
      failures.push_back({name, {Mishap::Kind::power}, seed, k});
    }
    attempt_all(stage, stops, stride(every), "stops");
    attempt_all(stage, failures, stride(every), "power failures");
  }
}

TEST_CASE("crash: up from nothing, stopped after each effect, comes to the same end") {
  stop_everywhere("up");
}
TEST_CASE("crash: up of a change, stopped after each effect, comes to the same end") {
  for (const auto* name : {"up-change", "up-grow", "up-shrink", "up-larger"}) stop_everywhere(name);
}
TEST_CASE("crash: scale, stopped after each effect, comes to the same end") {
  for (const auto* name : {"scale-up", "scale-down"}) stop_everywhere(name);
}
TEST_CASE("crash: server replace, stopped after each effect, comes to the same end") {
  for (const auto* name : {"replace-web", "replace-db", "replace-lb", "replace-lb-acme"})
    stop_everywhere(name);
}
TEST_CASE("crash: servers that are kept warm, stopped after each effect, come to the same end") {
  for (const auto* name : {"up-warm", "scale-up-warm", "scale-down-warm", "deploy-warm",
                           "replace-warm", "up-cold", "down-warm"}) {
    stop_everywhere(name);
  }
}
TEST_CASE("crash: a stopped database is started again with its data, wherever a run is stopped") {
  stop_everywhere("resume-db");
}
TEST_CASE("crash: deploy and rollback, stopped after each effect, come to the same end") {
  for (const auto* name : {"rollback", "deploy-canary"}) stop_everywhere(name);
}
TEST_CASE("crash: a hook before a release, stopped after each effect, comes to the same end") {
  for (const auto* name : {"up-hook", "up-change-hook"}) stop_everywhere(name);
}
TEST_CASE("crash: certificates, stopped after each effect, come to the same end") {
  for (const auto* name : {"up-https", "up-acme", "up-https-gone"}) stop_everywhere(name);
}
TEST_CASE("crash: lb drain, and a change with a drained server, come to the same end") {
  for (const auto* name : {"drain", "up-change-drained"}) stop_everywhere(name);
}
TEST_CASE("crash: secret rotate, stopped after each effect, comes to the same end") {
  stop_everywhere("rotate");
}
TEST_CASE("case 45: down, stopped after each effect, is resumed and leaves nothing") {
  for (const auto* name : {"down", "destroy", "destroy-kept", "up-then-destroy"}) {
    stop_everywhere(name);
  }
}

TEST_CASE("crash: what was accepted and is not seen yet is found by the runs after it") {
  for (const auto* name : {"up-resumed-accepted", "destroy-accepted"}) stop_everywhere(name);
}

TEST_CASE("crash: runs that are stopped again and again come to the same end") {
  constexpr int seeds = 48;
  for (const auto& scenario : all_scenarios()) {
    const Stage stage(scenario, first_seed());
    stumble_all(stage, first_seed(), std::max(1, seeds / stride(every)));
  }
}

TEST_CASE("crash: points that failed once") {
  for (const auto* text : {// An empty list made a run reserve a second address.
                           "replace-lb:empty-list:1:14",
                           // The volume was still attached to the droplet that had just gone.
                           "up-then-destroy:stop:8:320",
                           // What was accepted was taken for refused: its lockfile was not written.
                           "up:flush-fails:1:314", "up-resumed-accepted:read-fails:1:159",
                           // The address came to the droplet only after it had been looked for.
                           "up-then-destroy:stop:8:342", "up-then-destroy:power:8:345",
                           // Rules were refused for a server that the same run would power on.
                           "up-grow:server-killed:1:52",
                           // A file system was to grow on a server before it was powered on.
                           "up-larger:server-killed:1:59"}) {
    const auto point = point_from(text);
    REQUIRE(point);
    const Stage stage(*find_scenario(point->scenario), point->seed);
    attempt_all(stage, {*point}, 1, "points");
  }
  // The power failed after a lockfile had been read that was not flushed yet.
  for (const auto* name : {"replace-lb", "down"}) {
    stumble_all(Stage(*find_scenario(name), 17), 17, 1);
  }
}

TEST_CASE("crash: the point that PAASCTL_CRASH_POINT names") {
  const auto* text = std::getenv("PAASCTL_CRASH_POINT");
  if (text == nullptr) return;
  const auto point = point_from(text);
  REQUIRE_MESSAGE(point, "write SCENARIO:MISHAP:SEED:K");
  const Stage stage(*find_scenario(point->scenario), point->seed);
  attempt_all(stage, {*point}, 1, "points");
}

}  // namespace
}  // namespace paas::crash
