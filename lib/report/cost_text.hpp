// What a stack costs a month, for people.
#pragma once

#include <string>

#include "plan/cost.hpp"

namespace paas::report {

/// "Cost a month: droplets $24.00 before, $30.00 after (+$6.00)." and what is billed besides, a
/// line each. Empty when nothing is billed before or after.
std::string cost_text(const plan::MonthlyCost& cost);

}  // namespace paas::report
