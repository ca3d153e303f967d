// Where this machine's engine listens.
#pragma once

#include <string>

#include "base/result.hpp"
#include "ports/environment.hpp"

namespace paas::docker {

/// The path of the unix socket in DOCKER_HOST (unix:///PATH), or the usual one. Error (usage):
/// another scheme.
Result<std::string> engine_socket(Environment& environment);

}  // namespace paas::docker
