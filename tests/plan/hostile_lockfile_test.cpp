// Lockfiles that can be read and make no sense: whatever stands in them, a plan is made or refused.
#include <doctest/doctest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "lockfile/codec.hpp"
#include "lockfile/resources.hpp"
#include "lockfile/support/fakes.hpp"
#include "plan/balancer.hpp"
#include "plan/support/world.hpp"
#include "plan/verify.hpp"

namespace paas::plan::testing {
namespace {

using nlohmann::ordered_json;
using Pointer = ordered_json::json_pointer;

/// What may stand where such a value does.
std::vector<ordered_json> instead_of(const ordered_json& value) {
  if (value.is_number()) {
    return {0, 1, 7, 65535, 1'000'000'000, 2147483647, 4294967296, 9007199254740992, -1, 1e30};
  }
  if (value.is_boolean()) return {!value.get<bool>()};
  if (value.is_string()) return {"", "lb", "db", "nobody", "7"};
  return {ordered_json::array(), ordered_json::object()};
}

/// Calls with each text that has one value replaced, or one member taken out.
void each_change(ordered_json& whole, const Pointer& place, const std::function<void()>& visit) {
  // The applied stack has a parser and tests of its own.
  if (place.to_string() == "/applied") return;
  const auto value = whole.at(place);
  for (const auto& other : instead_of(value)) {
    whole.at(place) = other;
    visit();
  }
  whole.at(place) = value;
  if (!value.is_structured()) return;
  for (const auto& [key, item] : value.items()) {
    each_change(whole, value.is_array() ? place / std::stoul(key) : place / key, visit);
    if (!value.is_object()) continue;
    whole.at(place).erase(key);
    visit();
    whole.at(place) = value;
  }
}

TEST_CASE("plan: a lockfile that makes no sense is planned with or refused, whatever is wrong") {
  World world;
  world.up();
  world.lock().lineage = lockfile::testing::test_lineage;
  world.lock().ssh_key->key.id = "7";
  lockfile::testing::CountingRandom random;
  const auto key = lockfile::testing::test_key();
  const auto text = lockfile::encode(world.lock(), key, random, "");
  REQUIRE_MESSAGE(text, (text ? "" : describe(text.error())));
  const auto whole = lockfile::decode(*text, key);
  REQUIRE_MESSAGE(whole, (whole ? "" : describe(whole.error())));
  auto json = ordered_json::parse(*text);
  int read = 0;
  const auto check = [&] {
    const auto decoded = lockfile::decode(json.dump(), key);
    if (!decoded) return;
    ++read;
    auto input = world.input;
    input.lockfile = *decoded;
    for (const bool accept_loss : {false, true}) {
      input.accept_loss = accept_loss;
      CHECK_NOTHROW((void)make(input));
    }
    CHECK_NOTHROW((void)make_down(*decoded, input.observed, Volumes::destroy));
    CHECK_NOTHROW((void)balancer_setup(input.stack, *decoded));
    CHECK_NOTHROW((void)lockfile::known_resources(*decoded));
  };
  each_change(json, Pointer(), check);
  CHECK(read > 500);
}

}  // namespace
}  // namespace paas::plan::testing
