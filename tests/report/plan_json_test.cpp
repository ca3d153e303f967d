// The members of the plan's document are those that its man page explains.
#include "report/plan_json.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>

namespace paas::report {
namespace {

/// "steps[].id" for every member, lists standing for their items.
void collect(const nlohmann::json& value, const std::string& path, std::set<std::string>& paths) {
  for (const auto& [key, member] : value.items()) {
    const auto place = path.empty() ? key : path + "." + key;
    paths.insert(place);
    if (member.is_object()) collect(member, place, paths);
    if (!member.is_array()) continue;
    for (const auto& item : member) {
      if (item.is_object()) collect(item, place + "[]", paths);
    }
  }
}

/// A plan in which no list is empty.
plan::Plan full_plan() {
  plan::Plan plan;
  plan.lockfile.applied.emplace().name = "shop";
  plan.steps.emplace_back().after = {"create_key/shop"};
  plan.losses = {{"shop-db", "db", "delete_volume/shop-db", "volume shop-db"}};
  plan.cost.emplace().sizes = {{"s-1vcpu-1gb", 1, 2, std::nullopt}};
  plan.warnings = {"something"};
  plan.unreached = {"shop-web-1"};
  return plan;
}

TEST_CASE("report: the documented members of a plan are those that are printed") {
  std::set<std::string> printed;
  collect(nlohmann::json::parse(plan_json(full_plan())), "", printed);
  std::set<std::string> documented;
  for (const auto& [path, meaning] : plan_members()) {
    CHECK(documented.insert(path).second);
    CHECK(std::string(meaning) != "");
  }
  CHECK(printed == documented);
}

TEST_CASE("report: a plan without anything has the same members, empty") {
  const auto document = nlohmann::json::parse(plan_json({}));
  for (const auto& [path, meaning] : plan_members()) {
    if (std::string(path).find_first_of(".[") == std::string::npos) {
      CHECK_MESSAGE(document.contains(path), path);
    }
  }
  CHECK(document.at("cost").is_null());
}

TEST_CASE("report: dollars are printed in whole cents, and unknown ones as null") {
  plan::Plan plan;
  plan.cost.emplace().sizes = {{"s-1vcpu-1gb", 3, 1, 0.1}};
  auto cost = nlohmann::json::parse(plan_json(plan)).at("cost");
  CHECK(cost.at("before").dump() == "0.3");
  CHECK(cost.at("after").dump() == "0.1");
  plan.cost->sizes.push_back({"c-2", 0, 1, std::nullopt});
  cost = nlohmann::json::parse(plan_json(plan)).at("cost");
  CHECK(cost.at("before").dump() == "0.3");
  CHECK(cost.at("after").is_null());
}

}  // namespace
}  // namespace paas::report
