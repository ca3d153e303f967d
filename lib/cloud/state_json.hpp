// The state as JSON and back, for the state folder.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "cloud/state.hpp"

namespace paas::cloud {

/// The settings stand at its beginning, where identity_in reads them.
std::string encode(const State& state);

/// Error (invalid): not a state, or one of a later version.
Result<State> decode(std::string_view text);

}  // namespace paas::cloud
