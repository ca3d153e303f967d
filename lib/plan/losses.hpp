// Which data a plan destroys for good, and which it takes away for a while.
#pragma once

#include <vector>

#include "lockfile/model.hpp"
#include "plan/step.hpp"

namespace paas::plan {

/// Volumes that are deleted, servers that hold a database's data and are destroyed, and containers
/// on such servers that others take the place of. `before` is the lockfile that was planned from:
/// what a server holds is a fact of its own there, whatever the stack says of its service now.
std::vector<DataLoss> data_losses(const std::vector<Step>& steps, const lockfile::Lockfile& before);

/// Servers that are destroyed while they serve what is on a volume. The data stays, and nobody has
/// it until another server has come up with the volume. Those that leave already are no losses
/// more: that was confirmed, and whoever goes on with such a run need not confirm it again.
std::vector<DataLoss> serving_losses(const std::vector<Step>& steps,
                                     const lockfile::Lockfile& before);

}  // namespace paas::plan
