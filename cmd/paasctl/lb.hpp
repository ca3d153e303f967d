// What the commands of `paasctl lb` share.
#pragma once

#include <string>

#include "session.hpp"

namespace paas::cli {

/// The load balancer's server. Error (not_found): there is none.
Result<std::string> balancer_name(const Session& session);

}  // namespace paas::cli
