// Objects that keep their order and find members without looking through all of them.
#include "lockfile/json.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace paas::lockfile {
namespace {

std::string names_of(const Json& object) {
  std::string names;
  for (const auto& [name, value] : object.items()) names += name;
  return names;
}

TEST_CASE(
    "lockfile: JSON keeps its order, and a member that comes again takes the first one's place") {
  const auto object = Json::parse(R"({"b":1,"d":2,"a":3,"e":4,"d":5,"c":6,"a":7})");
  CHECK(object.dump() == R"({"b":1,"d":5,"a":7,"e":4,"c":6})");
  for (const auto* name : {"a", "b", "c", "d", "e"}) CHECK(object.contains(name));
  for (const auto* name : {"", "aa", "bb", "f"}) CHECK_FALSE(object.contains(name));
  CHECK(object.at(Json::json_pointer("/d")) == 5);
}

TEST_CASE("lockfile: members of JSON are found after others were taken out") {
  auto object = Json::parse(R"({"a":1,"b":2,"c":3,"d":4,"e":5})");
  CHECK(object.erase("b") == 1);
  CHECK(object.erase("b") == 0);
  CHECK(names_of(object) == "acde");
  object["b"] = 6;
  object["f"] = 7;
  CHECK(names_of(object) == "acdebf");
  for (const auto* name : {"a", "b", "c", "d", "e", "f"}) CHECK(object.contains(name));
  object.clear();
  object["z"] = 1;
  object["a"] = 2;
  CHECK(object.dump() == R"({"z":1,"a":2})");
}

/// A name that counts how often it is compared.
struct CountedName {
  std::string text;
  inline static int comparisons = 0;

  friend bool operator<(const CountedName& left, const CountedName& right) {
    ++comparisons;
    return left.text < right.text;
  }
  friend bool operator==(const CountedName& left, const CountedName& right) {
    ++comparisons;
    return left.text == right.text;
  }
};

TEST_CASE("lockfile: members in the order of their names cost no look through all of them") {
  constexpr int count = 10'000;
  MemberMap<CountedName, int> members;
  const auto name = [](int number) { return CountedName{std::to_string(100'000 + number)}; };
  CountedName::comparisons = 0;
  for (int number = 0; number < count; ++number) members[name(number)] = number;
  CHECK(CountedName::comparisons <= 2 * count);
  CountedName::comparisons = 0;
  for (int number = 0; number < count; ++number)
    CHECK(members.find(name(number))->second == number);
  CHECK(CountedName::comparisons <= count * 2 * std::log2(count));
  auto moved = std::move(members);
  CHECK(moved.size() == count);
  members = {};
  members[name(2)] = 1;
  members[name(1)] = 2;
  CHECK(members.find(name(1))->second == 2);
  CHECK(members.count(name(3)) == 0);
}

}  // namespace
}  // namespace paas::lockfile
