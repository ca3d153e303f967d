// Finds where in a stack file a value stands, for what can only be judged beside the file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/yaml_tree.hpp"

namespace paas::stack {

/// The place of the value under these keys, such as {"images", "web", "build"}; in a list its
/// number from 0 is the key. Nothing when the text has no such value.
std::optional<yaml::Position> place_of(std::string_view yaml, const std::vector<std::string>& keys);

}  // namespace paas::stack
