// The world before the first run.
#include "reconcile/support/world.hpp"

#include "reconcile/support/cloud_request.hpp"

namespace paas::reconcile::testing {

World::World() {
  cloud.settings.name = "test";
  cloud.settings.token = cloud_token;
  cloud.settings.seed = 42;
  cloud.settings.public_range = "198.18.16.0/20";
  cloud.settings.gateway = "198.18.16.1";
  cloud.settings.machine_image = "node:full";
  stored.lineage = "0123456789abcdef0123456789abcdef";
}

}  // namespace paas::reconcile::testing
