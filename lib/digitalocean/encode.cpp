// Writes the larger request bodies.
#include "digitalocean/encode.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace paas::digitalocean {
namespace {

using nlohmann::json;

/// Every rule has ports for the API: "0" stands for all of them, and for icmp, which has none.
std::string ports_of(const FirewallRule& rule) {
  if (rule.protocol == "icmp" || rule.ports.empty() || rule.ports == "all") return "0";
  return rule.ports;
}

Result<json> encode_rules(const std::vector<FirewallRule>& rules, const char* peers_key) {
  json encoded = json::array();
  for (const auto& rule : rules) {
    json peers = json::object();
    if (!rule.addresses.empty()) peers["addresses"] = rule.addresses;
    if (!rule.tags.empty()) peers["tags"] = rule.tags;
    if (!rule.droplet_ids.empty()) peers["droplet_ids"] = rule.droplet_ids;
    if (peers.empty()) {
      return fail(ErrorKind::invalid, fmt::format("a firewall rule for {} port {} has no {}",
                                                  rule.protocol, ports_of(rule), peers_key));
    }
    encoded.push_back(
        {{"protocol", rule.protocol}, {"ports", ports_of(rule)}, {peers_key, std::move(peers)}});
  }
  return encoded;
}

}  // namespace

json encode_droplet(const DropletRequest& request, const std::vector<std::string>& names) {
  json body = {{"region", request.region}, {"size", request.size}};
  if (names.empty()) {
    body["name"] = request.name;
  } else {
    body["names"] = names;
  }
  const auto image_id = text::to_integer(request.image);
  body["image"] = image_id ? json(*image_id) : json(request.image);
  if (!request.ssh_keys.empty()) body["ssh_keys"] = request.ssh_keys;
  if (!request.tags.empty()) body["tags"] = request.tags;
  if (!request.user_data.empty()) body["user_data"] = request.user_data;
  if (!request.vpc_id.empty()) body["vpc_uuid"] = request.vpc_id;
  return body;
}

json encode_domain_record(const DomainRecordSpec& spec) {
  json body = {{"type", spec.type}};
  const auto text = [&](const char* key, const std::string& value) {
    if (!value.empty()) body[key] = value;
  };
  const auto number = [&](const char* key, const std::optional<int>& value) {
    if (value) body[key] = *value;
  };
  text("name", spec.name);
  text("data", spec.data);
  number("ttl", spec.ttl_seconds);
  number("priority", spec.priority);
  number("port", spec.port);
  number("weight", spec.weight);
  number("flags", spec.flags);
  text("tag", spec.tag);
  return body;
}

Result<json> encode_firewall(const FirewallSpec& spec) {
  PAAS_TRY(auto inbound, encode_rules(spec.inbound, "sources"));
  PAAS_TRY(auto outbound, encode_rules(spec.outbound, "destinations"));
  // A PUT replaces everything, so the empty lists are said too.
  return json{{"name", spec.name},
              {"inbound_rules", std::move(inbound)},
              {"outbound_rules", std::move(outbound)},
              {"tags", spec.tags},
              {"droplet_ids", spec.droplet_ids}};
}

}  // namespace paas::digitalocean
