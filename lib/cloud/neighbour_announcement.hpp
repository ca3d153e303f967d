// Telling everybody on a network that an address has moved to another machine.
#pragma once

#include <string>

#include "base/result.hpp"

namespace paas::cloud {

/// The frame of a gratuitous ARP request (RFC 5944, 4.6): who hears it replaces what it knew of the
/// address. `mac` is "02:42:...". Error (invalid): an address that is none.
Result<std::string> gratuitous_arp(const std::string& address, const std::string& mac);

/// Sends it into the host's bridge. Error (failed): the operating system's message.
Status announce_neighbour(const std::string& bridge, const std::string& address,
                          const std::string& mac);

}  // namespace paas::cloud
