// What servers in rotation get of the requests, as it is told by hand.
#pragma once

#include <string>

#include "plan/step.hpp"

namespace paas::plan {

/// Whether a service may be left without a server that takes requests.
enum class Emptying { refuse, allow };

/// Gives a server of a web service a weight, from 0, which is drained, to 256, and nothing else:
/// what the stack file says by now waits for `up`. The load balancer is not looked at; where it
/// cannot be reached, the lockfile has the weight and the next plan goes on. Errors (usage): the
/// weight is none, the server is of no web service; (failed): it leaves, has no container yet, is
/// the last that takes requests, or there is no load balancer.
Result<Plan> weigh(const lockfile::Lockfile& lockfile, const std::string& server, int weight,
                   Emptying emptying);

/// "drained", "weight 5"
std::string describe_weight(int weight);

}  // namespace paas::plan
