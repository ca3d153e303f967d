// Compares a world at rest with what its stack file says.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "crash/support/world.hpp"

namespace paas::crash {

/// A slot that no container is made with: one that has it was there before.
constexpr int kept_slot = 7;

/// What there should be.
struct Expected {
  std::map<std::string, int> servers;  ///< How many of each service, and of "lb".
  std::vector<std::string> volumes;
  /// A volume's data must not have been lost: its identifier, when there was one before.
  std::string kept_volume = {};
  /// Whether the database takes nothing but a password that it was given by a rotation.
  bool rotated = false;
  /// Whether the database's container must be the one of before, which has kept_slot: its data is
  /// in it.
  bool database_is_kept = false;
  /// Whether the current release of web must have had its hook run.
  bool hook_has_run = false;
  int warm = 0;  ///< How many of the servers are kept warm.
};

/// In words, one a difference: the world and the lockfile have exactly what is expected, and
/// nothing that costs money is unknown to the lockfile.
std::vector<std::string> differences(World& world, const Expected& expected);

/// In words: droplets, volumes and addresses that cost money and that the lockfile does not tell
/// of, at any moment, also right after a run was stopped.
std::vector<std::string> unknown_costs(World& world);

}  // namespace paas::crash
