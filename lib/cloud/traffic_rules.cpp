// Renders a droplet's firewall. What is filtered is what crosses the machine's outer interfaces,
// which Docker names eth0 and eth1 in an order that it does not promise; both are treated alike, as
// DigitalOcean does.
#include "cloud/traffic_rules.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include "cloud/ip_range.hpp"

namespace paas::cloud::traffic_rules {
namespace {

enum class Direction { inbound, outbound };

bool is_ipv6(const std::string& block) {
  in6_addr address{};
  return inet_pton(AF_INET6, block.substr(0, block.find('/')).c_str(), &address) == 1;
}

Result<std::string> protocol_match(const TrafficRule& rule) {
  if (rule.protocol == "icmp") return std::string(" -p icmp");
  if (rule.protocol != "tcp" && rule.protocol != "udp") {
    return fail(ErrorKind::invalid,
                fmt::format("'{}' is no protocol of a firewall", rule.protocol));
  }
  if (rule.first_port == 0 && rule.last_port == 0) return fmt::format(" -p {}", rule.protocol);
  if (rule.first_port < 1 || rule.last_port > 65535 || rule.first_port > rule.last_port) {
    return fail(ErrorKind::invalid,
                fmt::format("{}-{} is no range of ports", rule.first_port, rule.last_port));
  }
  return fmt::format(" -p {0} -m {0} --dport {1}:{2}", rule.protocol, rule.first_port,
                     rule.last_port);
}

/// One line an address. A rule without addresses (its tags name no droplet yet) lets nothing in.
Status append_rule(std::string& text, const TrafficRule& rule, Direction direction) {
  PAAS_TRY(const std::string protocol, protocol_match(rule));
  const bool in = direction == Direction::inbound;
  for (const std::string& block : rule.addresses) {
    if (is_ipv6(block)) continue;  // The local cloud has no IPv6.
    const auto range = IpRange::parse(block);
    if (!range) {
      return fail(ErrorKind::invalid, fmt::format("'{}' is no address of a firewall", block));
    }
    const std::string peer =
        range->prefix_length == 0 ? "" : fmt::format(" {} {}", in ? "-s" : "-d", range->text());
    text +=
        fmt::format("-A {}{}{} -j ACCEPT\n", in ? "paas-inbound" : "paas-outbound", peer, protocol);
  }
  return {};
}

Status append_chain(std::string& text, const TrafficRules& rules, Direction direction) {
  const bool in = direction == Direction::inbound;
  const char* chain = in ? "paas-inbound" : "paas-outbound";
  if (rules.unplugged) {
    text += fmt::format("-A {} -j DROP\n", chain);
    return {};
  }
  if (!rules.filtered) {
    text += fmt::format("-A {} -j ACCEPT\n", chain);
    return {};
  }
  text += fmt::format("-A {} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n", chain);
  for (const TrafficRule& rule : in ? rules.inbound : rules.outbound) {
    PAAS_CHECK(append_rule(text, rule, direction));
  }
  text += fmt::format("-A {} -j DROP\n", chain);
  return {};
}

}  // namespace

Result<std::string> render_filter(const TrafficRules& rules, const MetadataEndpoint& metadata) {
  const std::string service =
      fmt::format("-d {}/32 -p tcp -m tcp --dport {}", metadata.gateway, metadata.port);
  // The built-in chains are emptied in the same transaction, so the text can be put in force again
  // and again;
  // --noflush spares nat, where Docker keeps the way to its embedded name server and the nested
  // engine its own.
  std::string text =
      "*mangle\n"
      ":PREROUTING ACCEPT [0:0]\n"
      ":FORWARD ACCEPT [0:0]\n"
      ":POSTROUTING ACCEPT [0:0]\n"
      ":paas-inbound - [0:0]\n"
      ":paas-outbound - [0:0]\n"
      "-F PREROUTING\n"
      "-F FORWARD\n"
      "-F POSTROUTING\n";
  // PREROUTING of mangle comes before that of nat: a port that the nested engine publishes is seen
  // as it was asked for. Loopback and the nested bridges are no outer interfaces and pass.
  text += "-A PREROUTING -i eth+ -j paas-inbound\n";
  // What is forwarded comes from nested containers: they are kept from the metadata service.
  text += fmt::format("-A FORWARD -o eth+ {} -j DROP\n", service);
  text += "-A POSTROUTING -o eth+ -j paas-outbound\n";
  PAAS_CHECK(append_chain(text, rules, Direction::inbound));
  if (!rules.unplugged) text += fmt::format("-A paas-outbound {} -j ACCEPT\n", service);
  // Link-local addresses lead nowhere beyond the metadata service; the host must not route them on.
  text += "-A paas-outbound -d 169.254.0.0/16 -j DROP\n";
  PAAS_CHECK(append_chain(text, rules, Direction::outbound));
  text += "COMMIT\n";
  return text;
}

Result<std::string> render_boot(const TrafficRules& rules, const MetadataEndpoint& metadata) {
  PAAS_TRY(std::string text, render_filter(rules, metadata));
  // Only OUTPUT, which sees the machine's own processes and no nested container.
  text += fmt::format(
      "*nat\n"
      "-A OUTPUT -d 169.254.169.254/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination {}:{}\n"
      "COMMIT\n",
      metadata.gateway, metadata.port);
  return text;
}

}  // namespace paas::cloud::traffic_rules
