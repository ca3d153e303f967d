// Rotations of passwords on servers that fail at the wrong moment.
#include <doctest/doctest.h>

#include <algorithm>

#include "reconcile/support/small_stack.hpp"

namespace paas::reconcile::testing {
namespace {

using lockfile::RotationState;

const std::string programs =
    "set: [/usr/local/bin/set-password], retire: [/usr/local/bin/set-password, --only]}";

/// A database whose two users take turns.
std::string with_turns() {
  return with(with(std::string(small), "user: app,", "user: [app, app_b],"), "\"{password}\"}}",
              "\"{password}\"}, " + programs);
}

struct Rotated {
  Rotated() {
    Rig rig(world, yaml);
    require_up(rig);
  }

  const lockfile::Service& db() const { return world.stored.services.at("db"); }

  std::string user_of(const std::string& server) const {
    const auto& containers = world.insides.machines.at(server).containers;
    std::vector<std::string> users;
    for (const auto& container : containers) {
      if (container.state == "running") users.push_back(container.environment.at("DB_USER"));
    }
    REQUIRE(users.size() == 1);
    return users.front();
  }

  /// The next run finishes the rotation; nobody was refused at any moment, and nothing is left.
  void check_is_finished() {
    Rig next(world, yaml);
    require_up(next);
    CHECK_FALSE(db().rotation);
    CHECK(db().user == "app_b");
    CHECK(user_of("shop-web-1") == "app_b");
    CHECK(user_of("shop-web-2") == "app_b");
    CHECK(world.insides.logins.at("db") == Logins{{"app_b", db().password.reveal()}});
    CHECK(world.insides.refused == std::vector<std::string>{});
    CHECK(step_ids(*Rig(world, yaml).plan()) == "");
  }

  const std::string yaml = with_turns();
  World world;
};

/// What a run that rotates comes to while a step of it fails.
Outcome rotate_with_a_failure(Rig& rig, const std::string& step) {
  auto outcome = rig.rotate("db");
  REQUIRE(outcome);
  REQUIRE(outcome->failures.size() == 1);
  CHECK(outcome->failures[0].step.id == step);
  return *outcome;
}

TEST_CASE("passwords: a program that does not take the new one leaves all with the old one") {
  Rotated stack;
  Rig rig(stack.world, stack.yaml);
  rig.machines.deaf = true;
  const auto outcome = rotate_with_a_failure(rig, "set_password/db");
  CHECK(outcome.failures[0].error.message ==
        "/usr/local/bin/set-password in shop-db-1 ended with status 1");
  CHECK(outcome.skipped > 0);
  CHECK(stack.db().rotation->state == RotationState::pending);
  CHECK(stack.user_of("shop-web-1") == "app");
  stack.check_is_finished();
}

TEST_CASE("passwords: a database that is cut off before it has the new one is told it later") {
  Rotated stack;
  Rig rig(stack.world, stack.yaml);
  rig.machines.cut_off_from = "set-password";
  const auto outcome = rotate_with_a_failure(rig, "set_password/db");
  CHECK(outcome.failures[0].error.kind == ErrorKind::unreachable);
  CHECK(stack.db().rotation->state == RotationState::pending);
  CHECK_FALSE(stack.db().rotation->password.empty());
  CHECK(stack.user_of("shop-web-1") == "app");
  const auto made = stack.db().rotation->password.reveal();
  stack.check_is_finished();
  // It may have taken it before the connection broke, so it stays the same one.
  CHECK(stack.db().password.reveal() == made);
}

TEST_CASE("passwords: a database that is cut off before it retires the old one does it later") {
  Rotated stack;
  Rig rig(stack.world, stack.yaml);
  rig.machines.cut_off_from = "--only";
  const auto outcome = rotate_with_a_failure(rig, "retire_password/db");
  CHECK(outcome.failures[0].error.kind == ErrorKind::unreachable);
  CHECK(stack.db().rotation->state == RotationState::pushed);
  CHECK(stack.user_of("shop-web-1") == "app_b");
  CHECK(stack.world.insides.logins.at("db").size() == 2);
  stack.check_is_finished();
}

TEST_CASE("passwords: a dependent that does not start with the new one keeps the old one working") {
  Rotated stack;
  Rig rig(stack.world, stack.yaml);
  rig.machines.broken = {"web"};
  const auto outcome = rig.rotate("db");
  REQUIRE(outcome);
  CHECK_FALSE(outcome->failures.empty());
  CHECK(stack.db().rotation->state == RotationState::set);
  CHECK(stack.world.insides.logins.at("db").contains("app"));
  CHECK(stack.world.insides.refused == std::vector<std::string>{});
  Rig next(stack.world, stack.yaml);
  require_up(next);
  stack.check_is_finished();
}

TEST_CASE("passwords: with one user and no program to retire, set is all there is") {
  World world;
  const auto yaml = with(std::string(small), "\"{password}\"}}",
                         "\"{password}\"}, set: [/usr/local/bin/set-password]}");
  Rig first(world, yaml);
  require_up(first);
  const auto old = world.stored.services.at("db").password.reveal();
  Rig rig(world, yaml);
  REQUIRE(rig.rotate("db")->failures.empty());
  const auto& db = world.stored.services.at("db");
  CHECK_FALSE(db.rotation);
  CHECK(db.user.empty());
  CHECK(db.password.reveal() != old);
  CHECK(world.insides.logins.at("db") == Logins{{"app", db.password.reveal()}});
  // The limit of one name: until they were started again they ran with a password that failed.
  CHECK_FALSE(world.insides.refused.empty());
  CHECK(step_ids(*Rig(world, yaml).plan()) == "");
}

}  // namespace
}  // namespace paas::reconcile::testing
