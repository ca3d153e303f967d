// The firewalls that follow from links, the load balancer, `ssh.from`, `allow` and `outbound`.
#pragma once

#include <string>
#include <vector>

#include "digitalocean/model.hpp"
#include "lockfile/model.hpp"
#include "stack/model.hpp"

namespace paas::plan {

/// Of a service, or of the load balancer ("lb").
digitalocean::FirewallSpec firewall_of(const stack::Stack& stack,
                                       const lockfile::Lockfile& lockfile,
                                       const std::string& service);

/// Rules and addresses in a fixed order and spelling, so that two specifications can be compared.
digitalocean::FirewallSpec normalised(digitalocean::FirewallSpec spec);

/// Rules of `actual` that `wanted` lacks and that let the stack's own servers through, by their
/// tags: while containers are replaced the old ones still need them. Both normalised.
struct OldRules {
  std::vector<digitalocean::FirewallRule> inbound;
  std::vector<digitalocean::FirewallRule> outbound;
  bool empty() const { return inbound.empty() && outbound.empty(); }
};
OldRules old_rules(const digitalocean::FirewallSpec& actual,
                   const digitalocean::FirewallSpec& wanted);
/// `spec` with them, normalised.
digitalocean::FirewallSpec with(digitalocean::FirewallSpec spec, const OldRules& rules);

/// The tags a server of the service carries: the stack's, the service's, one for each link target.
std::vector<std::string> tags_of(const stack::Stack& stack, const std::string& service);

}  // namespace paas::plan
