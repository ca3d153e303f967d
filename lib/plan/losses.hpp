// Which data a plan destroys for good.
#pragma once

#include <vector>

#include "lockfile/model.hpp"
#include "plan/step.hpp"

namespace paas::plan {

/// Volumes that are deleted, and servers of databases whose data is on no volume. A database whose
/// volume stays loses nothing with its server, and neither does one that never had a container.
/// `before` is the lockfile that was planned from: a service that leaves the stack is only there.
std::vector<DataLoss> data_losses(const std::vector<Step>& steps, const lockfile::Lockfile& before);

}  // namespace paas::plan
