// What a plan costs: asks the provider for its prices.
#pragma once

#include "session.hpp"

namespace paas::cli {

/// Puts the stack's cost before and after into the plan. Prices are asked for only when there are
/// droplets to be paid for; a list that cannot be had makes no plan fail, and the cost says why.
void add_cost(Session& session, const observe::Observed& observed, plan::Plan& plan);

}  // namespace paas::cli
