// A short program on the host, run to its end.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "ports/process.hpp"

namespace paas::cloud {

/// What it printed. A request to stop does not end it half done. Errors: not_found (no such
/// program); failed with its words, when its status is not 0.
Result<std::string> run_on_host(Processes& processes, std::vector<std::string> arguments);

}  // namespace paas::cloud
