// Private networks: finding a range for one, and each region's default.
#pragma once

#include <string>

#include "base/result.hpp"
#include "cloud/turn.hpp"

namespace paas::cloud {

/// Null when the region has none yet.
Vpc* find_default_vpc(State& state, const std::string& region);

/// The region's default VPC, which is made when it is first needed. Error (invalid): no range is
/// free.
Result<Vpc*> default_vpc(Turn& turn, const std::string& region);

/// Asks for the VPC's network unless it exists or has been asked for.
void ensure_network(Turn& turn, const Vpc& vpc);

}  // namespace paas::cloud
