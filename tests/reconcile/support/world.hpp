// What outlives a run.
#pragma once

#include "cloud/state.hpp"
#include "lockfile/model.hpp"
#include "reconcile/support/insides.hpp"

namespace paas::reconcile::testing {

/// What stays when a run ends: the cloud, the servers, the lockfile on disk.
struct World {
  World();
  cloud::State cloud;
  Insides insides;
  lockfile::Lockfile stored;
};

}  // namespace paas::reconcile::testing
