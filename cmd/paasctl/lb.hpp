// What the commands of `paasctl lb` share.
#pragma once

#include <string>

#include "session.hpp"

namespace paas::cli {

/// The load balancer's server. Error (not_found): there is none.
Result<std::string> balancer_name(const Session& session);

/// Whether a difference is told by the exit status.
enum class DetailedExit { no, yes };

/// Compares HAProxy's configuration as it would be generated now, as it lies on the load balancer's
/// disk, and as it runs. Changes nothing.
Result<int> show_difference(Program& program, DetailedExit detailed);

}  // namespace paas::cli
