// Many points side by side, and a line for each that failed with which it can be repeated.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "crash/support/trial.hpp"

namespace paas::crash {

/// Every so many points are tried: PAASCTL_CRASH_EVERY, else `otherwise`, and fewer under
/// sanitizers, where each takes longer.
int stride(int otherwise);
/// PAASCTL_CRASH_SEED, else 1.
std::uint64_t first_seed();

/// Tries the points, every `stride`th of them beginning somewhere that the seed says, prints how
/// many were tried, and lets the test fail with those that failed.
void attempt_all(const Stage& stage, const std::vector<Point>& points, int every,
                 const std::string& what);

/// Tries `count` seeds.
void stumble_all(const Stage& stage, std::uint64_t first, int count);

}  // namespace paas::crash
