// What outlives a run: the provider, the servers, the disk, and the time that has passed.
#pragma once

#include <map>
#include <string>

#include "crash/support/disk.hpp"
#include "crash/support/ledger.hpp"
#include "crash/support/provider.hpp"
#include "reconcile/support/insides.hpp"

namespace paas::crash {

/// A value: copied, it is another world in which things may go on differently.
struct World {
  explicit World(const Pace& pace) : provider(pace) {}

  Provider provider;
  reconcile::testing::Insides insides;
  std::map<std::string, std::string> host_keys;  ///< That sshd uses instead of cloud-init's.
  Disk disk;
  Ledger ledger;
  Milliseconds time{1'000};
};

}  // namespace paas::crash
