// The lists of actions: all of them, and those on one droplet, image, volume or address.
#pragma once

#include <functional>

#include "cloud/call.hpp"
#include "cloud/state.hpp"

namespace paas::cloud {

/// The answer to a request for the actions that a test lets through, the newest first, as
/// DigitalOcean lists them.
Result<Reply> actions_reply(const State& state, const Call& call,
                            const std::function<bool(const Action&)>& test);

}  // namespace paas::cloud
