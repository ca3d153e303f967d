// What holds for a cloud's state after every request and every effect.
#pragma once

#include <string>
#include <vector>

#include "cloud/state.hpp"

namespace paas::cloud::testing {

/// What does not hold, in words; empty for a sound state.
std::vector<std::string> disorder_in(const State& state);

}  // namespace paas::cloud::testing
