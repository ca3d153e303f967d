// Where values stand.
#include "stack/place.hpp"

#include <doctest/doctest.h>

using paas::stack::place_of;

TEST_CASE("stack: the place of a value is found along its keys") {
  const auto* const text = "images:\n  web: {build: ./web}\n";
  const auto place = place_of(text, {"images", "web", "build"});
  REQUIRE(place);
  CHECK(place->line == 2);
  CHECK(place->column == 16);
  CHECK(!place_of(text, {"images", "api", "build"}));
  CHECK(!place_of(text, {"images", "web", "build", "more"}));
  CHECK(!place_of("images: [", {"images"}));
}
