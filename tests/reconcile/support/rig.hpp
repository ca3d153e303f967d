// All that the executor works with, in memory: the local cloud's core as the provider, servers that
// are plain values, and a fuse that ends everything after a number of effects.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "observe/observe.hpp"
#include "plan/make.hpp"
#include "reconcile/executor.hpp"
#include "reconcile/snapshot.hpp"
#include "reconcile/support/cloud_http.hpp"
#include "reconcile/support/fuse.hpp"
#include "reconcile/support/rig_clock.hpp"
#include "reconcile/support/rig_machines.hpp"
#include "reconcile/support/world.hpp"
#include "system/support/variables.hpp"

namespace paas::reconcile::testing {

/// One run of paasctl.
class Rig {
 public:
  Rig(World& world, std::string_view yaml);
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  Result<plan::Plan> plan();
  Result<Outcome> up();
  /// A plan that was made without a look, from the lockfile that is stored.
  Result<Outcome> carry_out(const plan::Plan& plan);
  Result<Outcome> rotate(const std::string& service);
  Result<Outcome> down(plan::Volumes volumes);
  Result<digitalocean::Snapshot> save_snapshot(const std::string& service);
  Status remove_builders();

  World& world;
  stack::Stack stack;
  std::map<std::string, int> releases;  ///< That services are kept at, whatever is pinned.
  Fuse fuse;
  RigClock clock{fuse};
  CloudHttp http{world.cloud, fuse};
  RigMachines machines{world.insides, fuse};
  tests::Variables variables;
  Options options;
  std::vector<Event> events;

 private:
  Result<plan::Input> input();
  Tools tools();
  Result<Outcome> execute(const plan::Plan& plan, const lockfile::Lockfile& loaded,
                          const std::map<std::string, plan::ImageState>& images);

  struct Ports;
  std::unique_ptr<Ports> ports_;
};

}  // namespace paas::reconcile::testing
