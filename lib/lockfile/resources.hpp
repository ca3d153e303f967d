// What a lockfile knows of the cloud, each under an address: "server/shop-web-1".
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "lockfile/model.hpp"

namespace paas::lockfile {

/// One thing in the cloud that costs money or opens something. Names alone are ambiguous: a
/// service's volume and its firewall have the same one.
struct Known {
  std::string kind;  ///< key, network, address, firewall, volume, server or builder.
  std::string name;  ///< Of a reserved IP the address itself.
  std::string id;    ///< Empty: intended, and maybe made.
  friend bool operator==(const Known&, const Known&) = default;
};

/// "server/shop-web-1"
std::string address_of(const Known& known);

/// All of them: key, network, address, firewalls, volumes, servers, builders.
std::vector<Known> known_resources(const Lockfile& lockfile);

/// The one that is meant by an address, or by a name that only one has; the stack's name and its
/// hyphen may be left out of it. Errors: not_found with the nearest address; usage when several
/// have the name, with their addresses.
Result<Known> find_resource(const Lockfile& lockfile, const std::string& text);

/// Takes it out of the lockfile; the world is not touched, and numbers stay used. Error invalid for
/// the network and the key while there are servers: those could not be reached or joined any more.
Status forget(Lockfile& lockfile, const Known& known);

/// Identifier of the droplet for which the public address is reserved: that of the load balancer's
/// newest server, and of one that leaves only where no other has a droplet. Empty without any.
std::string droplet_of_address(const Lockfile& lockfile);

}  // namespace paas::lockfile
