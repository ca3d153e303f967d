// The world behind the local cloud: carries out effects, and looks after what runs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cloud/effect.hpp"

namespace paas::cloud {

/// Settings of one cloud's machines. Everything made carries the label paas.cloud=NAME.
struct WorldSettings {
  std::string name;          ///< Of this cloud, unique on the machine: [a-z0-9]{1,12}
  std::string state_folder;  ///< Volumes' files live below it.
  std::string public_range;  ///< "198.18.16.0/20"
};

/// How droplets reach the cloud.
struct ServiceAddresses {
  std::string gateway;    ///< The host's address on the public network.
  int metadata_port = 0;  ///< Where the metadata service listens on `gateway`.
};

class World {
 public:
  virtual ~World() = default;
  /// Makes the public network and the unreachable routes; checks that the ranges are free.
  /// Idempotent: finds what an earlier process of the same cloud left running.
  virtual Result<ServiceAddresses> start() = 0;
  /// Carries out one effect and waits for it. Called from several threads, never twice at once for
  /// one order key.
  virtual EffectDone apply(const Effect& effect) = 0;
  /// Whether droplets' machines run, told again and again: what is not taken the first time,
  /// because something is being done to the droplet, is told once more. Comes on another thread,
  /// and must not call back.
  virtual void watch(std::function<void(std::int64_t droplet_id, bool running)> on_change) = 0;
  /// Stops every machine but keeps it; the next start() of this cloud brings back those that ran.
  virtual Status stop() = 0;
  /// Machines that run now, whatever they should do.
  virtual Result<int> running_machines() = 0;
  /// Removes every container, network, volume, image of a snapshot, loop device, file and route of
  /// this cloud.
  virtual Status purge() = 0;
};

}  // namespace paas::cloud
