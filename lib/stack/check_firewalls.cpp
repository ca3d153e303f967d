// Judges whether what a firewall has to let through fits into one of the provider's.
#include <fmt/format.h>

#include "stack/check.hpp"

namespace paas::stack {

namespace {

/// DigitalOcean's documentation, "Firewalls: Limits": rules of both directions together.
constexpr std::size_t rules_max = 50;
constexpr std::size_t ssh_rule = 1;
/// All of TCP, of UDP and of ICMP.
constexpr std::size_t rules_to_everywhere = 3;
/// An old container and a new one of a web service stand side by side.
constexpr std::size_t ports_of_web = 2;

std::size_t rules_of(const Stack& stack, const Service& service) {
  const bool is_web = service.type == ServiceType::web;
  const std::size_t ports = is_web ? ports_of_web : (service.port ? 1 : 0);
  const std::size_t servers_in = !is_web || stack.lb ? ports : 0;
  const std::size_t allowed_in = service.allow.empty() ? 0 : ports;
  const std::size_t out =
      service.outbound ? service.outbound->size() + service.links.size() : rules_to_everywhere;
  return ssh_rule + servers_in + allowed_in + out;
}

/// Each web service has a port of its own there for those that link to it.
std::size_t rules_of_balancer(const Stack& stack) {
  std::size_t rules = ssh_rule + public_ports(*stack.lb).size() + rules_to_everywhere;
  for (const auto& service : stack.services) {
    if (service.type == ServiceType::web) ++rules;
  }
  return rules;
}

}  // namespace

void check_firewalls(Reader& reader, const Stack& stack) {
  for (const auto& service : stack.services) {
    const auto path = service_path(service) + ".outbound";
    const auto rules = rules_of(stack, service);
    if (rules <= rules_max || reader.is_broken(path)) continue;
    reader.report(path,
                  fmt::format("the firewall of {} would have {} rules, and may have {}",
                              service.name, rules, rules_max),
                  "join entries: one may have many addresses, and a range of ports");
  }
  if (!stack.lb || reader.is_broken("lb")) return;
  const auto rules = rules_of_balancer(stack);
  if (rules <= rules_max) return;
  reader.report("lb",
                fmt::format("the load balancer's firewall would have {} rules, one for each web "
                            "service among them, and may have {}",
                            rules, rules_max),
                "divide the services among several stacks");
}

}  // namespace paas::stack
