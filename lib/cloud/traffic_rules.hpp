// A droplet's firewall as text for iptables-restore, in the machine's own network namespace.
#pragma once

#include <string>

#include "base/result.hpp"
#include "cloud/effect.hpp"

namespace paas::cloud::traffic_rules {

/// Where the metadata service of the machine's cloud listens.
struct MetadataEndpoint {
  std::string gateway;  ///< The host's address on the public network.
  int port = 0;
};

/// The mangle table alone, for a machine that runs: `iptables-restore --noflush` puts it in force
/// in one transaction, however often. Error (invalid): an address, protocol or port that is none.
Result<std::string> render_filter(const TrafficRules& rules, const MetadataEndpoint& metadata);

/// The filter and the way to the metadata address, for the fresh network namespace of a machine
/// that boots.
Result<std::string> render_boot(const TrafficRules& rules, const MetadataEndpoint& metadata);

}  // namespace paas::cloud::traffic_rules
