// Checks firewalls' names, rules and limits.
#include "cloud/firewall_request.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.hpp"

namespace paas::cloud {
namespace {

constexpr std::size_t max_rules = 50;
constexpr std::size_t max_tags = 5;
constexpr std::size_t max_droplets = 10;
constexpr std::size_t max_sources = 1000;
constexpr int max_port = 65'535;

/// ^[a-zA-Z0-9][a-zA-Z0-9\.-]+$
bool is_name(const std::string& name) {
  return name.size() >= 2 && std::isalnum(static_cast<unsigned char>(name.front())) != 0 &&
         std::all_of(name.begin(), name.end(), [](unsigned char character) {
           return std::isalnum(character) != 0 || character == '.' || character == '-';
         });
}

/// An IPv4 or IPv6 address, or a block of them.
bool is_address(const std::string& text) {
  const auto slash = text.find('/');
  const auto address = text.substr(0, slash);
  unsigned char parsed[sizeof(in6_addr)];
  int longest = 0;
  if (inet_pton(AF_INET, address.c_str(), parsed) == 1) longest = 32;
  if (inet_pton(AF_INET6, address.c_str(), parsed) == 1) longest = 128;
  if (longest == 0 || slash == std::string::npos) return longest != 0;
  const auto length = text::to_integer(text.substr(slash + 1));
  return length && *length >= 0 && *length <= longest;
}

/// "0" for all, one port, or two with a dash between them.
Result<std::string> checked_ports(const std::string& protocol, const std::string& ports) {
  if (protocol == "icmp" || ports == "0" || ports == "all") return std::string("0");
  const auto bounds = text::split(ports, '-');
  std::int64_t previous = 1;
  for (const auto& bound : bounds) {
    const auto port = text::to_integer(bound);
    if (bounds.size() > 2 || !port || *port < previous || *port > max_port) {
      return invalid(fmt::format("invalid ports: {}", ports));
    }
    previous = *port;
  }
  return ports;
}

Result<Peers> checked_peers(const State& state, const Json& given) {
  Peers peers;
  PAAS_TRY(peers.addresses, texts_field(given, "addresses"));
  PAAS_TRY(peers.droplet_ids, ids_field(given, "droplet_ids"));
  PAAS_TRY(peers.tags, texts_field(given, "tags"));
  for (const auto* name : {"load_balancer_uids", "kubernetes_ids"}) {
    PAAS_TRY(const auto others, texts_field(given, name));
    if (!others.empty()) return invalid(fmt::format("{} not found: {}", name, others.front()));
  }
  if (peers.addresses.size() > max_sources) {
    return invalid(fmt::format("a rule can have {} addresses at most", max_sources));
  }
  for (const auto& address : peers.addresses) {
    if (!is_address(address)) return invalid(fmt::format("invalid address: {}", address));
  }
  for (const auto id : peers.droplet_ids) {
    if (find_droplet(state, id) == nullptr)
      return invalid(fmt::format("droplet not found: {}", id));
  }
  for (const auto& tag : peers.tags) {
    if (!state.tags.contains(tag)) return invalid(fmt::format("tag not found: {}", tag));
  }
  if (peers == Peers{}) return invalid("a rule needs addresses, droplet_ids or tags");
  return peers;
}

}  // namespace

Result<std::vector<FirewallRule>> checked_rules(const State& state, const Json& body,
                                                const std::string& field, const std::string& side) {
  std::vector<FirewallRule> rules;
  const auto given = body.find(field);
  if (given == body.end() || given->is_null()) return rules;
  if (!given->is_array()) return invalid(field + " must be an array");
  for (const auto& entry : *given) {
    if (!entry.is_object()) return invalid(field + " must be an array of objects");
    FirewallRule rule;
    PAAS_TRY(const auto protocol, text_field(entry, "protocol"));
    PAAS_TRY(const auto ports, text_field(entry, "ports"));
    rule.protocol = protocol.value_or("");
    if (rule.protocol != "tcp" && rule.protocol != "udp" && rule.protocol != "icmp") {
      return invalid("protocol must be tcp, udp or icmp");
    }
    if (!ports && rule.protocol != "icmp") return invalid("ports is required");
    PAAS_TRY(rule.ports, checked_ports(rule.protocol, ports.value_or("0")));
    const auto peers = entry.find(side);
    if (peers == entry.end() || !peers->is_object()) return invalid(side + " is required");
    PAAS_TRY(rule.peers, checked_peers(state, *peers));
    rules.push_back(std::move(rule));
  }
  return rules;
}

Status check_limits(const WantedFirewall& wanted) {
  if (wanted.inbound.size() + wanted.outbound.size() > max_rules) {
    return invalid(fmt::format("a firewall can have {} rules at most", max_rules));
  }
  if (wanted.tags.size() > max_tags) {
    return invalid(fmt::format("a firewall can have {} tags at most", max_tags));
  }
  if (wanted.droplet_ids.size() > max_droplets) {
    return invalid(fmt::format("a firewall can have {} droplets at most", max_droplets));
  }
  return {};
}

Result<std::vector<Id>> checked_droplets(const State& state, const Json& body) {
  PAAS_TRY(auto ids, ids_field(body, "droplet_ids"));
  for (const auto id : ids) {
    if (find_droplet(state, id) == nullptr)
      return invalid(fmt::format("droplet not found: {}", id));
  }
  return ids;
}

Result<std::vector<std::string>> checked_tags(const State& state, const Json& body) {
  PAAS_TRY(auto tags, texts_field(body, "tags"));
  for (const auto& tag : tags) {
    if (!state.tags.contains(tag)) return invalid(fmt::format("tag not found: {}", tag));
  }
  return tags;
}

Result<WantedFirewall> checked_firewall(const State& state, const Json& body,
                                        const std::string& own_id) {
  WantedFirewall wanted;
  PAAS_TRY(const auto name, text_field(body, "name"));
  if (!is_name(name.value_or(""))) {
    return invalid("name must be alphanumeric characters, dashes and periods");
  }
  wanted.name = *name;
  PAAS_TRY(wanted.inbound, checked_rules(state, body, "inbound_rules", "sources"));
  PAAS_TRY(wanted.outbound, checked_rules(state, body, "outbound_rules", "destinations"));
  if (wanted.inbound.empty() && wanted.outbound.empty()) {
    return invalid("at least one rule is required");
  }
  PAAS_TRY(wanted.droplet_ids, checked_droplets(state, body));
  PAAS_TRY(wanted.tags, checked_tags(state, body));
  PAAS_CHECK(check_limits(wanted));
  for (const auto& [id, firewall] : state.firewalls) {
    if (firewall.name == wanted.name && id != own_id) {
      return fail(ErrorKind::exists, "duplicate name");
    }
  }
  return wanted;
}

}  // namespace paas::cloud
