// Errors as values: how they are shown, and how they travel.
#include "base/error.hpp"

#include <doctest/doctest.h>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace paas {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(ErrorKind::invalid, "odd", "give an even one");
  return number / 2;
}

Result<int> quarter(int number) {
  PAAS_TRY(const auto first, half(number));
  PAAS_TRY(const auto second, half(first));
  return second;
}

Status check_half(int number) {
  PAAS_CHECK(half(number));
  return {};
}

TEST_CASE("error: the outermost context is shown first") {
  auto error = make_error(ErrorKind::failed, "refused", "look");
  CHECK(describe(error) == "refused");
  error = with_context(with_context(error, "connecting to y"), "creating server x");
  CHECK(describe(error) == "creating server x: connecting to y: refused");
}

TEST_CASE("error: a failed step leaves the function with its error") {
  CHECK(quarter(8) == 2);
  const auto failed = quarter(6);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().kind == ErrorKind::invalid);
  CHECK(failed.error().hint == "give an even one");
  CHECK(check_half(2));
  CHECK_FALSE(check_half(1));
}

TEST_CASE("secret: it prints as stars and reveals itself only when asked") {
  const Secret secret("hunter2");
  CHECK(fmt::format("{} {:>5}", secret, Secret{}) == "***   ***");
  CHECK(secret.reveal() == "hunter2");
  CHECK(Secret{}.empty());
}

}  // namespace
}  // namespace paas
