// Every command meets each kind of fault at each operation that it can befall.
#include <doctest/doctest.h>

#include "crash/support/campaign.hpp"

namespace paas::crash {
namespace {

/// The test crash.everywhere tries all of them.
constexpr int every_fault = 60;

std::vector<Point> faults_of(const Stage& stage) {
  std::vector<Point> points;
  for (const auto kind : all_fault_kinds()) {
    for (std::size_t i = 0; i < stage.operations().size(); ++i) {
      if (!applies(kind, stage.operations()[i])) continue;
      points.push_back({stage.scenario().name,
                        {Mishap::Kind::fault, kind},
                        stage.seed(),
                        static_cast<int>(i) + 1});
    }
  }
  return points;
}

void disturb_everywhere(const std::string& name) {
  const Stage stage(*find_scenario(name), first_seed());
  attempt_all(stage, faults_of(stage), stride(every_fault), "faults");
}

TEST_CASE("crash: up from nothing lives through each fault at each operation") {
  disturb_everywhere("up");
}
TEST_CASE("crash: up of a change lives through each fault at each operation") {
  for (const auto* name : {"up-change", "up-grow", "up-shrink", "up-larger"}) {
    disturb_everywhere(name);
  }
}
TEST_CASE("crash: scale lives through each fault at each operation") {
  for (const auto* name : {"scale-up", "scale-down"}) disturb_everywhere(name);
}
TEST_CASE("crash: server replace lives through each fault at each operation") {
  for (const auto* name : {"replace-web", "replace-db", "replace-lb", "replace-lb-acme"})
    disturb_everywhere(name);
}
TEST_CASE("crash: servers that are kept warm live through each fault at each operation") {
  for (const auto* name : {"up-warm", "scale-up-warm", "deploy-warm"}) disturb_everywhere(name);
}
TEST_CASE("crash: a hook before a release lives through each fault at each operation") {
  disturb_everywhere("up-change-hook");
}
TEST_CASE("crash: a stopped database is started again with its data in spite of each fault") {
  disturb_everywhere("resume-db");
}
TEST_CASE("crash: secret rotate lives through each fault at each operation") {
  disturb_everywhere("rotate");
}
TEST_CASE("crash: a run that was stopped and goes on lives through each fault at each operation") {
  for (const auto* name : {"up-resumed", "up-resumed-address", "up-resumed-volume",
                           "up-resumed-accepted", "destroy-accepted"}) {
    disturb_everywhere(name);
  }
}
TEST_CASE("crash: down lives through each fault at each operation") {
  for (const auto* name : {"down", "destroy"}) disturb_everywhere(name);
}

}  // namespace
}  // namespace paas::crash
