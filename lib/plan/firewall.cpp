// Derives each firewall: default-deny, opened by links, the load balancer and what the stack
// allows.
#include "plan/firewall.hpp"

#include <algorithm>

#include "lockfile/names.hpp"

namespace paas::plan {

using digitalocean::FirewallRule;
using digitalocean::FirewallSpec;

namespace {

const std::vector<std::string> everywhere = {"0.0.0.0/0", "::/0"};

FirewallRule from_addresses(std::string ports, std::vector<std::string> addresses) {
  return FirewallRule{"tcp", std::move(ports), std::move(addresses), {}, {}};
}

FirewallRule from_tag(std::string ports, std::string tag) {
  return FirewallRule{"tcp", std::move(ports), {}, {std::move(tag)}, {}};
}

/// Ports that a service's servers publish on their private address.
std::vector<std::string> published_ports(const lockfile::Lockfile& lockfile,
                                         const stack::Service& service) {
  std::vector<std::string> ports;
  if (service.type == stack::ServiceType::web) {
    const auto entry = lockfile.services.find(service.name);
    if (entry == lockfile.services.end()) return ports;
    for (const int slot : entry->second.slots) ports.push_back(std::to_string(slot));
  } else if (service.port) {
    ports.push_back(std::to_string(*service.port));
  }
  return ports;
}

void add_service_rules(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                       const stack::Service& service, FirewallSpec& spec) {
  for (const auto& port : published_ports(lockfile, service)) {
    if (service.type == stack::ServiceType::web) {
      if (stack.lb) spec.inbound.push_back(from_tag(port, lockfile::service_tag(stack.name, "lb")));
    } else {
      spec.inbound.push_back(from_tag(port, lockfile::client_tag(stack.name, service.name)));
    }
    if (!service.allow.empty()) spec.inbound.push_back(from_addresses(port, service.allow));
  }
}

void add_balancer_rules(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                        FirewallSpec& spec) {
  const auto& from = stack.lb->allow.empty() ? everywhere : stack.lb->allow;
  for (const int port : stack::public_ports(*stack.lb)) {
    spec.inbound.push_back(from_addresses(std::to_string(port), from));
  }
  for (const auto& service : stack.services) {
    const auto entry = lockfile.services.find(service.name);
    if (entry == lockfile.services.end() || !entry->second.internal_port) continue;
    spec.inbound.push_back(from_tag(std::to_string(*entry->second.internal_port),
                                    lockfile::client_tag(stack.name, service.name)));
  }
}

/// Links still have to work where outbound traffic is limited, so their ports are let out as well.
void add_outbound_for_links(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                            const stack::Service& service, FirewallSpec& spec) {
  for (const auto& link : service.links) {
    const auto* target = stack::find_service(stack, link.to);
    if (target == nullptr) continue;
    if (target->type == stack::ServiceType::web) {
      const auto entry = lockfile.services.find(target->name);
      if (entry == lockfile.services.end() || !entry->second.internal_port) continue;
      spec.outbound.push_back(from_tag(std::to_string(*entry->second.internal_port),
                                       lockfile::service_tag(stack.name, "lb")));
    } else if (target->port) {
      spec.outbound.push_back(
          from_tag(std::to_string(*target->port), lockfile::service_tag(stack.name, target->name)));
    }
  }
}

void add_outbound(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                  const stack::Service* service, FirewallSpec& spec) {
  if (service == nullptr || !service->outbound) {
    spec.outbound.push_back({"tcp", "0", everywhere, {}, {}});
    spec.outbound.push_back({"udp", "0", everywhere, {}, {}});
    spec.outbound.push_back({"icmp", "", everywhere, {}, {}});
    return;
  }
  for (const auto& rule : *service->outbound) {
    spec.outbound.push_back(
        {rule.protocol, rule.ports == "all" ? "0" : rule.ports, rule.to, {}, {}});
  }
  add_outbound_for_links(stack, lockfile, *service, spec);
}

void normalise(std::vector<FirewallRule>& rules) {
  for (auto& rule : rules) {
    if (rule.protocol == "icmp") rule.ports.clear();
    if (rule.ports == "all") rule.ports = "0";
    // The API gives single addresses back without their prefix length.
    for (auto& address : rule.addresses) {
      if (address.find('/') == std::string::npos) {
        address += address.find(':') == std::string::npos ? "/32" : "/128";
      }
    }
    std::sort(rule.addresses.begin(), rule.addresses.end());
    std::sort(rule.tags.begin(), rule.tags.end());
    std::sort(rule.droplet_ids.begin(), rule.droplet_ids.end());
  }
  const auto key = [](const FirewallRule& rule) {
    return std::tie(rule.protocol, rule.ports, rule.tags, rule.addresses, rule.droplet_ids);
  };
  std::sort(rules.begin(), rules.end(),
            [&](const auto& left, const auto& right) { return key(left) < key(right); });
  rules.erase(std::unique(rules.begin(), rules.end()), rules.end());
}

/// Whether the rule has no peers but servers that paasctl tagged.
bool is_between_servers(const FirewallRule& rule) {
  return !rule.tags.empty() && rule.addresses.empty() && rule.droplet_ids.empty() &&
         std::all_of(rule.tags.begin(), rule.tags.end(), [](const std::string& tag) {
           return tag.starts_with(lockfile::stack_tag(""));
         });
}

}  // namespace

FirewallSpec normalised(FirewallSpec spec) {
  normalise(spec.inbound);
  normalise(spec.outbound);
  std::sort(spec.tags.begin(), spec.tags.end());
  std::sort(spec.droplet_ids.begin(), spec.droplet_ids.end());
  return spec;
}

FirewallSpec firewall_of(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                         const std::string& service_name) {
  FirewallSpec spec;
  spec.name = lockfile::firewall_name(stack.name, service_name);
  spec.tags = {lockfile::service_tag(stack.name, service_name)};
  spec.inbound.push_back(from_addresses("22", stack.ssh_from));
  const auto* service = stack::find_service(stack, service_name);
  if (service != nullptr) {
    add_service_rules(stack, lockfile, *service, spec);
  } else if (stack.lb) {
    add_balancer_rules(stack, lockfile, spec);
  }
  add_outbound(stack, lockfile, service, spec);
  return normalised(std::move(spec));
}

OldRules old_rules(const FirewallSpec& actual, const FirewallSpec& wanted) {
  const auto missing_in = [](const std::vector<FirewallRule>& rules,
                             const std::vector<FirewallRule>& others) {
    std::vector<FirewallRule> result;
    std::copy_if(rules.begin(), rules.end(), std::back_inserter(result), [&](const auto& rule) {
      return is_between_servers(rule) &&
             std::find(others.begin(), others.end(), rule) == others.end();
    });
    return result;
  };
  return {missing_in(actual.inbound, wanted.inbound), missing_in(actual.outbound, wanted.outbound)};
}

FirewallSpec with(FirewallSpec spec, const OldRules& rules) {
  spec.inbound.insert(spec.inbound.end(), rules.inbound.begin(), rules.inbound.end());
  spec.outbound.insert(spec.outbound.end(), rules.outbound.begin(), rules.outbound.end());
  return normalised(std::move(spec));
}

std::vector<std::string> tags_of(const stack::Stack& stack, const std::string& service_name) {
  std::vector<std::string> tags = {lockfile::stack_tag(stack.name),
                                   lockfile::service_tag(stack.name, service_name)};
  if (const auto* service = stack::find_service(stack, service_name)) {
    for (const auto& link : service->links) {
      tags.push_back(lockfile::client_tag(stack.name, link.to));
    }
  }
  return tags;
}

}  // namespace paas::plan
