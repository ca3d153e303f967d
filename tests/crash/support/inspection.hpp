// Compares a world at rest with what its stack file says.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "crash/support/world.hpp"

namespace paas::crash {

/// What there should be.
struct Expected {
  std::map<std::string, int> servers;  ///< How many of each service, and of "lb".
  std::vector<std::string> volumes;
  /// A volume's data must not have been lost: its identifier, when there was one before.
  std::string kept_volume = {};
  /// Whether the database takes nothing but a password that it was given by a rotation.
  bool rotated = false;
};

/// In words, one a difference: the world and the lockfile have exactly what is expected, and
/// nothing that costs money is unknown to the lockfile.
std::vector<std::string> differences(World& world, const Expected& expected);

}  // namespace paas::crash
