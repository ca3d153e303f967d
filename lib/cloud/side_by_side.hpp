// Runs independent jobs side by side and waits for all of them.
#pragma once

#include <functional>
#include <vector>

#include "base/result.hpp"

namespace paas::cloud {

/// Runs every job, at most `limit` at once. The first error in the jobs' order; the others still
/// ran.
Status side_by_side(const std::vector<std::function<Status()>>& jobs, std::size_t limit = 8);

}  // namespace paas::cloud
