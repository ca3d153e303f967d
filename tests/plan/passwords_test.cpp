// Rotations of passwords: what a plan does about them, and what it refuses.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "plan/support/world.hpp"

namespace paas::plan::testing {
namespace {

using lockfile::PasswordRotation;
using lockfile::RotationState;

/// The example is up. Its database has two users that take turns, its cache takes two passwords.
World with_rotations() {
  World world;
  for (const auto* name : {"db", "cache"}) {
    world.service(name).credentials->set = {"/usr/local/bin/set-password"};
    world.service(name).credentials->retire = {"/usr/local/bin/set-password", "--only"};
  }
  world.service("db").credentials->other_user = "app_b";
  world.up();
  return world;
}

void check_no_violations(const World& world) {
  for (const auto& violation : world.violations) FAIL_CHECK(violation);
}

/// Carries out a rotation that was asked for.
void rotate(World& world, const std::vector<std::string>& services) {
  for (const auto& name : services) world.input.rotate[name] = "its password is rotated";
  world.up();
  world.input.rotate.clear();
}

bool is_planned(const Plan& plan, const std::string& id) {
  return std::any_of(plan.steps.begin(), plan.steps.end(),
                     [&](const Step& step) { return step.id == id; });
}

Error refusal(World& world, const std::string& service) {
  world.input.rotate = {{service, "its password is rotated"}};
  const auto plan = make(world.input);
  REQUIRE_FALSE(plan);
  return plan.error();
}

std::string user_of(World& world, const std::string& server) {
  return world.container(server).environment.at("DB_USER");
}

TEST_CASE("passwords: two users take turns, and each time the other one gets the new password") {
  auto world = with_rotations();
  for (const auto* user : {"app_b", "app", "app_b"}) {
    CAPTURE(user);
    rotate(world, {"db"});
    const auto& entry = world.lock().services.at("db");
    CHECK(entry.user == user);
    CHECK_FALSE(entry.rotation);
    CHECK(user_of(world, "zipkick-backend-1") == user);
    CHECK(user_of(world, "zipkick-backend-2") == user);
    CHECK(rendered(world.plan()) == "nothing to do\n");
  }
  check_no_violations(world);
}

TEST_CASE("passwords: a rotation that was asked for again goes on with the same password") {
  auto world = with_rotations();
  const PasswordRotation under_way = {RotationState::set, Secret("next"), "app_b"};
  world.lock().services.at("db").rotation = under_way;
  world.input.rotate["db"] = "its password is rotated";
  CHECK(world.plan().lockfile.services.at("db").rotation == under_way);
  world.up();
  CHECK(world.lock().services.at("db").password.reveal() == "next");
}

TEST_CASE("passwords: several that are rotated at once are one short reason") {
  auto world = with_rotations();
  world.input.rotate = {{"db", "it is asked for"}, {"cache", "it is asked for"}};
  const auto plan = world.plan();
  int told = 0;
  for (const auto& step : plan.steps) {
    if (step.kind != StepKind::start_container) continue;
    CHECK(step.cause == "the passwords of db and cache are rotated");
    CHECK(step.reason == Reason::request);
    ++told;
  }
  CHECK(told == 2);
  // What else changes is told as before.
  world.service("backend").env["COLOUR"] = "blue";
  CHECK(rendered(world.plan()).find("COLOUR") != std::string::npos);
}

TEST_CASE("passwords: the old one works until a dependent that is cut off has the new one") {
  auto world = with_rotations();
  const auto reachable = world.server("zipkick-backend-2");
  world.cut_off("zipkick-backend-2");
  world.input.rotate["db"] = "its password is rotated";
  const auto plan = world.plan();
  CHECK(is_planned(plan, "set_password/db"));
  CHECK(is_planned(plan, "start_container/zipkick-backend-1"));
  CHECK_FALSE(is_planned(plan, "retire_password/db"));
  CHECK(std::count(plan.warnings.begin(), plan.warnings.end(),
                   "the old password of db goes on working: zipkick-backend-2 does not answer") ==
        1);
  world.apply(plan);
  world.input.rotate.clear();
  CHECK(world.lock().services.at("db").rotation->state == RotationState::set);
  CHECK_FALSE(is_planned(world.plan(), "retire_password/db"));
  // It is back, and runs with the old one.
  world.server("zipkick-backend-2") = reachable;
  CHECK(user_of(world, "zipkick-backend-2") == "app");
  world.up();
  CHECK(user_of(world, "zipkick-backend-2") == "app_b");
  CHECK_FALSE(world.lock().services.at("db").rotation);
  check_no_violations(world);
}

TEST_CASE("passwords: the old one works while a container with it may have requests") {
  auto world = with_rotations();
  world.input.rotate["db"] = "its password is rotated";
  auto killed = world.plan();
  // Killed when the new containers run, before the old ones are out of the rotation.
  std::erase_if(killed.steps, [](const Step& step) {
    return step.kind == StepKind::add_to_rotation || step.kind == StepKind::let_in ||
           step.kind == StepKind::retire_container || step.kind == StepKind::retire_password;
  });
  world.apply(killed);
  world.input.rotate.clear();
  REQUIRE(world.machine("zipkick-backend-1").containers.size() == 2);
  const auto reachable = world.server("zipkick-lb-1");
  world.cut_off("zipkick-lb-1");
  const auto plan = world.plan();
  CHECK_FALSE(is_planned(plan, "retire_password/db"));
  CHECK(std::count(plan.warnings.begin(), plan.warnings.end(),
                   "the old password of db goes on working: an older container runs on "
                   "zipkick-backend-1, zipkick-backend-2") == 1);
  world.server("zipkick-lb-1") = reachable;
  world.up();
  CHECK_FALSE(world.lock().services.at("db").rotation);
  CHECK(rendered(world.plan()) == "nothing to do\n");
  check_no_violations(world);
}

TEST_CASE("passwords: a dependent that is powered on has the new one before the old one fails") {
  auto world = with_rotations();
  world.power_off("zipkick-backend-2");
  rotate(world, {"db"});
  CHECK(world.lock().services.at("db").rotation->state == RotationState::set);
  world.up();
  CHECK(user_of(world, "zipkick-backend-2") == "app_b");
  CHECK_FALSE(world.lock().services.at("db").rotation);
  check_no_violations(world);
}

TEST_CASE("passwords: with one user whose old password fails at once that is said before") {
  auto world = with_rotations();
  world.service("db").credentials->other_user.clear();
  world.input.rotate["db"] = "its password is rotated";
  CHECK(world.plan().warnings == std::vector<std::string>{});
  world.service("db").credentials->retire.clear();
  CHECK(world.plan().warnings ==
        std::vector<std::string>{
            "db has no credentials.retire: its dependents may be refused from the moment it "
            "takes the new password until they have it"});
}

TEST_CASE("passwords: nothing is begun with a database that cannot be reached") {
  auto world = with_rotations();
  world.cut_off("zipkick-db-1");
  const auto error = refusal(world, "db");
  CHECK(error.kind == ErrorKind::unreachable);
  CHECK(error.message ==
        "zipkick-db-1 cannot be looked at, and nothing was changed: connecting to it took longer "
        "than 10s");
}

TEST_CASE("passwords: nothing is begun with a database that does not run") {
  auto world = with_rotations();
  world.container("zipkick-db-1").state = "exited";
  CHECK(refusal(world, "db").message == "db does not run: nothing was changed");
  world.machine("zipkick-db-1").containers.clear();
  CHECK(refusal(world, "db").message == "db does not run: nothing was changed");
  World never;
  never.service("db").credentials->set = {"/usr/local/bin/set-password"};
  CHECK(refusal(never, "db").kind == ErrorKind::failed);
}

TEST_CASE(
    "passwords: only a service with credentials and a program to set them has any to rotate") {
  auto world = with_rotations();
  CHECK(refusal(world, "backend").kind == ErrorKind::usage);
  world.service("db").credentials->set.clear();
  const auto error = refusal(world, "db");
  CHECK(error.kind == ErrorKind::invalid);
  CHECK(error.message == "the stack file has no credentials.set for db");
}

TEST_CASE("passwords: a pending one waits for its database, and nobody is given it") {
  auto world = with_rotations();
  const auto reachable = world.server("zipkick-db-1");
  world.lock().services.at("db").rotation = {RotationState::pending, Secret("next"), "app_b"};
  world.cut_off("zipkick-db-1");
  const auto plan = world.plan();
  CHECK(rendered(plan).find("the rotation of db's password waits: zipkick-db-1 does not answer") !=
        std::string::npos);
  CHECK(plan.steps.empty());
  world.server("zipkick-db-1") = reachable;
  world.up();
  CHECK(world.lock().services.at("db").password.reveal() == "next");
  check_no_violations(world);
}

TEST_CASE("passwords: the old one goes on working while its database cannot be reached") {
  for (const auto state : {RotationState::set, RotationState::pushed}) {
    auto world = with_rotations();
    const auto reachable = world.server("zipkick-db-1");
    world.lock().services.at("db").rotation = {state, Secret("next"), "app_b"};
    world.cut_off("zipkick-db-1");
    const auto plan = world.plan();
    CHECK_FALSE(is_planned(plan, "retire_password/db"));
    CHECK(rendered(plan).find("the old password of db goes on working: zipkick-db-1") !=
          std::string::npos);
    CHECK(plan.lockfile.services.at("db").rotation->state == state);
    world.server("zipkick-db-1") = reachable;
    world.up();
    CHECK(world.lock().services.at("db").password.reveal() == "next");
    check_no_violations(world);
  }
}

TEST_CASE("passwords: once all have the new one a dependent that is cut off holds nothing up") {
  auto world = with_rotations();
  rotate(world, {"db"});
  world.lock().services.at("db").rotation = {RotationState::pushed,
                                             world.lock().services.at("db").password, "app_b"};
  world.cut_off("zipkick-backend-2");
  CHECK(is_planned(world.plan(), "retire_password/db"));
}

TEST_CASE("passwords: a user that has one cannot leave the stack file") {
  auto world = with_rotations();
  rotate(world, {"db"});
  REQUIRE(world.lock().services.at("db").user == "app_b");
  auto& credentials = *world.service("db").credentials;
  SUBCASE("in use") { credentials.other_user.clear(); }
  SUBCASE("in use, and another one takes its place") { credentials.other_user = "app_c"; }
  SUBCASE("about to be in use") {
    world.lock().services.at("db").rotation = {RotationState::pending, Secret("next"), "app"};
    credentials.user = "app_c";
  }
  const auto plan = make(world.input);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().kind == ErrorKind::invalid);
  CHECK(plan.error().message.find("the stack file does not name that user any more") !=
        std::string::npos);
}

TEST_CASE("passwords: a user that has one keeps it when it is no more the first that is named") {
  auto world = with_rotations();
  REQUIRE(world.lock().services.at("db").user.empty());
  auto& credentials = *world.service("db").credentials;
  SUBCASE("it is the second") {
    std::swap(credentials.user, credentials.other_user);
    CHECK(rendered(world.plan()) == "nothing to do\n");
    rotate(world, {"db"});
    CHECK(user_of(world, "zipkick-backend-1") == "app_b");
    check_no_violations(world);
  }
  SUBCASE("it is not named any more") {
    credentials.user = "app_c";
    const auto plan = make(world.input);
    REQUIRE_FALSE(plan);
    CHECK(plan.error().kind == ErrorKind::invalid);
  }
}

TEST_CASE("passwords: the user that is not in use may be another one") {
  auto world = with_rotations();
  rotate(world, {"db"});
  world.service("db").credentials->user = "app_c";
  CHECK(rendered(world.plan()) == "nothing to do\n");
  rotate(world, {"db"});
  CHECK(user_of(world, "zipkick-backend-1") == "app_c");
  check_no_violations(world);
}

}  // namespace
}  // namespace paas::plan::testing
