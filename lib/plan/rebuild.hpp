// Makes a lockfile from what exists, when the one that was there is lost. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "lockfile/model.hpp"
#include "observe/model.hpp"
#include "stack/model.hpp"

namespace paas::plan {

struct Remains {
  stack::Stack stack;          ///< As the stack file says.
  observe::Observed observed;  ///< Servers with their insides where they could be looked at.
  std::vector<digitalocean::Vpc> vpcs;
  std::map<std::string, std::string> host_keys;  ///< Of servers that were looked at, by name.
  std::vector<digitalocean::SshKey> ssh_keys;    ///< The account's.
};

struct Rebuilt {
  lockfile::Lockfile lockfile;
  /// What the user should know: what could not be found out, and what follows from it.
  std::vector<std::string> notes;
};

/// `fresh` has the lineage, the cloud and nothing else. The stack's network is the one of its name
/// in its region, and only droplets in it are taken in: what carries the stack's tags elsewhere is
/// another lockfile's. Slots and internal ports are read from firewalls and container labels,
/// releases from labels. A server that was not looked at leaves: its record has no host key, so the
/// next `up` makes another in its place; where a database's data on its disk cannot be excluded, it
/// holds data, and goes only when it is named. Passwords are made anew; where data has the old
/// one, the service's `set` program tells it the new one, and without such a program the old one is
/// taken from the container's environment. Numbers go on above all that are in use. Error not_found
/// when nothing of the stack exists.
Result<Rebuilt> rebuild(const lockfile::Lockfile& fresh, const Remains& remains);

}  // namespace paas::plan
