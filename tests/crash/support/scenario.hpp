// The commands that are stopped and disturbed, and what has to be there in the end.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "crash/support/inspection.hpp"
#include "crash/support/process.hpp"
#include "crash/support/world.hpp"

namespace paas::crash {

struct Scenario {
  std::string name;
  std::vector<Command> before;  ///< Undisturbed, to get to where it begins.
  Command command;              ///< What is stopped.
  Command again;                ///< What its user says next.
  Expected expected;
  /// Where an earlier run of the command was stopped, just before this one.
  std::optional<Fault> interrupted = {};
  /// How long the droplets that it asked for are not found from then on.
  Milliseconds hidden{0};
  std::optional<Command> begun = {};  ///< What was stopped there; absent: the command.
  /// What happened to the world in between, past any run.
  std::function<void(World&)> happened = {};
};

const std::vector<Scenario>& all_scenarios();
/// Nothing when there is none of that name.
const Scenario* find_scenario(const std::string& name);

/// The world in which a scenario begins, at rest.
World beginning_of(const Scenario& scenario, std::uint64_t seed);

}  // namespace paas::crash
