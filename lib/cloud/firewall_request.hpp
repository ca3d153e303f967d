// What a request wants a firewall to be, after everything in it was checked.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "cloud/call.hpp"
#include "cloud/state.hpp"

namespace paas::cloud {

struct WantedFirewall {
  std::string name;
  std::vector<FirewallRule> inbound;
  std::vector<FirewallRule> outbound;
  std::vector<Id> droplet_ids;
  std::vector<std::string> tags;
};

/// All of a firewall. `own_id` is the one being replaced, or "" for a new one. Errors: invalid, and
/// exists when another has the name.
Result<WantedFirewall> checked_firewall(const State& state, const Json& body,
                                        const std::string& own_id);

/// Parts of one. `field` is "inbound_rules" with the `side` "sources", or "outbound_rules" with
/// "destinations".
Result<std::vector<FirewallRule>> checked_rules(const State& state, const Json& body,
                                                const std::string& field, const std::string& side);
Result<std::vector<Id>> checked_droplets(const State& state, const Json& body);
Result<std::vector<std::string>> checked_tags(const State& state, const Json& body);

/// DigitalOcean's limits on the number of rules, tags and droplets.
Status check_limits(const WantedFirewall& wanted);

}  // namespace paas::cloud
