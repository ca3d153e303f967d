// Differences as `diff -u` shows them: the expected texts are what GNU diff printed.
#include "base/unified_diff.hpp"

#include <doctest/doctest.h>

#include <string>

namespace paas::text {
namespace {

/// The numbers up to `last`, a line each.
std::string numbers(int last) {
  std::string text;
  for (int i = 1; i <= last; ++i) text += std::to_string(i) + "\n";
  return text;
}

std::string without(std::string text, const std::string& line) {
  return text.erase(text.find("\n" + line + "\n") + 1, line.size() + 1);
}

std::string diff(const std::string& before, const std::string& after) {
  return unified_diff(before, after, {"a", "b"});
}

TEST_CASE("diff: the same texts have none") {
  CHECK(diff("", "").empty());
  CHECK(diff(numbers(20), numbers(20)).empty());
}

TEST_CASE("diff: a changed line stands between three others") {
  auto after = numbers(20);
  after.replace(after.find("\n10\n"), 4, "\nten\n");
  CHECK(diff(numbers(20), after) ==
        "--- a\n+++ b\n@@ -7,7 +7,7 @@\n 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13\n");
}

TEST_CASE("diff: at the ends there are fewer lines") {
  CHECK(diff(numbers(3), numbers(4)) == "--- a\n+++ b\n@@ -1,3 +1,4 @@\n 1\n 2\n 3\n+4\n");
  CHECK(diff("x\n" + numbers(4), numbers(4)) == "--- a\n+++ b\n@@ -1,4 +1,3 @@\n-x\n 1\n 2\n 3\n");
  CHECK(diff("", "x\n") == "--- a\n+++ b\n@@ -0,0 +1 @@\n+x\n");
  CHECK(diff("x\n", "") == "--- a\n+++ b\n@@ -1 +0,0 @@\n-x\n");
}

TEST_CASE("diff: changes that are near stand together, others apart") {
  // Six lines between them.
  CHECK(diff(numbers(20), without(without(numbers(20), "5"), "12")) ==
        "--- a\n+++ b\n@@ -2,14 +2,12 @@\n 2\n 3\n 4\n-5\n 6\n 7\n 8\n 9\n 10\n 11\n-12\n 13\n 14\n"
        " 15\n");
  // Seven.
  CHECK(diff(numbers(20), without(without(numbers(20), "5"), "13")) ==
        "--- a\n+++ b\n@@ -2,7 +2,6 @@\n 2\n 3\n 4\n-5\n 6\n 7\n 8\n"
        "@@ -10,7 +9,6 @@\n 10\n 11\n 12\n-13\n 14\n 15\n 16\n");
}

TEST_CASE("diff: what both have is found wherever it moved") {
  CHECK(diff("a\nb\nc\nd\n", "c\nd\na\nb\n") ==
        "--- a\n+++ b\n@@ -1,4 +1,4 @@\n-a\n-b\n c\n d\n+a\n+b\n");
}

}  // namespace
}  // namespace paas::text
