// What is different between two texts.
#pragma once

#include <string>
#include <string_view>

namespace paas::text {

/// What the two texts are called in the first two lines.
struct DiffNames {
  std::string before;
  std::string after;
};

/// As `diff -u` shows it, with three lines around each change; empty when they are the same. Where
/// both have thousands of lines that differ, these are shown as replaced altogether.
std::string unified_diff(std::string_view before, std::string_view after, const DiffNames& names);

}  // namespace paas::text
