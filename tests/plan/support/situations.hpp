// What can happen to a stack that is up, each with the plan that answers it under golden/.
#pragma once

#include <functional>
#include <vector>

#include "plan/support/world.hpp"

namespace paas::plan::testing {

/// What happened to a stack that was up.
struct Situation {
  const char* name;  ///< Of the golden file.
  std::function<void(World&)> happens;
};

const std::vector<Situation>& situations();

/// The stack is up, and then that happens to it.
World world_after(const Situation& situation);

/// Whether a plan cannot be carried out to its end because somebody cut a server off.
bool ends_unreachable(const World& world);

}  // namespace paas::plan::testing
