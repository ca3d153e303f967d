// Reads droplets and what they stand on out of the API's objects.
#include "digitalocean/decode.hpp"

#include "digitalocean/reader.hpp"

namespace paas::digitalocean {
namespace {

using nlohmann::json;

/// The first address of that type; a droplet has none for its first seconds.
std::string address_of(const Reader& droplet, const std::string& type) {
  for (const auto& entry : droplet.inside("networks").list("v4")) {
    const Reader network(entry, "network");
    if (network.text("type") == type) return network.text("ip_address");
  }
  return {};
}

FirewallRule decode_rule(const json& item, const char* peers_key) {
  const Reader rule(item, "firewall rule");
  const auto peers = rule.inside(peers_key);
  FirewallRule value;
  value.protocol = rule.text("protocol");
  // The API gives "0" back for every icmp rule, and "0" or "all" for all ports of the others.
  if (value.protocol != "icmp") value.ports = rule.text("ports");
  if (value.ports == "all") value.ports = "0";
  value.addresses = peers.texts("addresses");
  value.tags = peers.texts("tags");
  value.droplet_ids = peers.integers("droplet_ids");
  return value;
}

}  // namespace

Result<Droplet> decode_droplet(const json& item) {
  Reader reader(item, "droplet");
  Droplet droplet;
  droplet.id = reader.required_integer("id");
  droplet.name = reader.required_text("name");
  droplet.status = reader.required_text("status");
  droplet.locked = reader.flag("locked");
  droplet.public_address = address_of(reader, "public");
  droplet.private_address = address_of(reader, "private");
  droplet.vpc_id = reader.text("vpc_uuid");
  droplet.region = reader.inside("region").text("slug");
  droplet.size = reader.text("size_slug");
  droplet.image_id = reader.inside("image").integer("id");
  droplet.image_slug = reader.inside("image").text("slug");
  droplet.tags = reader.texts("tags");
  droplet.volume_ids = reader.texts("volume_ids");
  droplet.created_at = reader.text("created_at");
  return reader.finish(std::move(droplet));
}

Result<Action> decode_action(const json& item) {
  Reader reader(item, "action");
  Action action;
  action.id = reader.required_integer("id");
  action.status = reader.required_text("status");
  action.type = reader.text("type");
  action.resource_id = reader.integer("resource_id");
  return reader.finish(std::move(action));
}

Result<Snapshot> decode_snapshot(const json& item) {
  Reader reader(item, "snapshot");
  Snapshot snapshot;
  snapshot.id = reader.required_text("id");
  snapshot.name = reader.required_text("name");
  snapshot.created_at = reader.text("created_at");
  snapshot.regions = reader.texts("regions");
  snapshot.resource_type = reader.text("resource_type");
  snapshot.min_disk_gigabytes = reader.small("min_disk_size");
  snapshot.size_gigabytes = reader.number("size_gigabytes");
  snapshot.tags = reader.texts("tags");
  return reader.finish(std::move(snapshot));
}

Result<Volume> decode_volume(const json& item) {
  Reader reader(item, "volume");
  Volume volume;
  volume.id = reader.required_text("id");
  volume.name = reader.required_text("name");
  volume.size_gigabytes = reader.small("size_gigabytes");
  volume.region = reader.inside("region").text("slug");
  volume.droplet_ids = reader.integers("droplet_ids");
  volume.tags = reader.texts("tags");
  return reader.finish(std::move(volume));
}

Result<Firewall> decode_firewall(const json& item) {
  Reader reader(item, "firewall");
  Firewall firewall;
  firewall.id = reader.required_text("id");
  firewall.status = reader.text("status");
  firewall.spec.name = reader.required_text("name");
  for (const auto& rule : reader.list("inbound_rules")) {
    firewall.spec.inbound.push_back(decode_rule(rule, "sources"));
  }
  for (const auto& rule : reader.list("outbound_rules")) {
    firewall.spec.outbound.push_back(decode_rule(rule, "destinations"));
  }
  firewall.spec.tags = reader.texts("tags");
  firewall.spec.droplet_ids = reader.integers("droplet_ids");
  for (const auto& entry : reader.list("pending_changes")) {
    const Reader change(entry, "pending change");
    firewall.pending_droplets.push_back(change.integer("droplet_id"));
  }
  return reader.finish(std::move(firewall));
}

Result<Vpc> decode_vpc(const json& item) {
  Reader reader(item, "VPC");
  Vpc vpc;
  vpc.id = reader.required_text("id");
  vpc.name = reader.required_text("name");
  vpc.region = reader.text("region");
  vpc.ip_range = reader.text("ip_range");
  vpc.is_default = reader.flag("default");
  return reader.finish(std::move(vpc));
}

Result<ReservedIp> decode_reserved_ip(const json& item) {
  Reader reader(item, "reserved IP");
  ReservedIp reserved;
  reserved.ip = reader.required_text("ip");
  reserved.region = reader.inside("region").text("slug");
  reserved.droplet_id = reader.inside("droplet").integer("id");
  reserved.locked = reader.flag("locked");
  return reader.finish(std::move(reserved));
}

Result<Tag> decode_tag(const json& item) {
  Reader reader(item, "tag");
  Tag tag;
  tag.name = reader.required_text("name");
  tag.resources = reader.inside("resources").integer("count");
  return reader.finish(std::move(tag));
}

}  // namespace paas::digitalocean
