// A page for all users while their services are worked on.
#pragma once

#include "lockfile/model.hpp"
#include "plan/step.hpp"

namespace paas::plan {

enum class Maintenance { off, on };

/// Turns it on or off, and nothing else: what the stack file says by now waits for `up`. The load
/// balancer is not looked at; where it cannot be reached, the lockfile says what shall be and the
/// next plan goes on. Error (failed): there is no load balancer, or it listens on no port.
Result<Plan> maintain(const lockfile::Lockfile& lockfile, Maintenance maintenance);

}  // namespace paas::plan
