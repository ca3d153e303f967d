// Reads what is needed out of the API's objects and forgives what is optional.
#include "digitalocean/decode.hpp"

#include <fmt/format.h>

namespace paas::digitalocean {
namespace {

using nlohmann::json;

/// One object of an answer. What is missing, null or of another type reads as the default;
/// `require` notes what must not be missing.
class Reader {
 public:
  Reader(const json& item, std::string what) : item_(item), what_(std::move(what)) {}

  std::string text(const char* key) const {
    const auto* found = find(key);
    return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
  }
  std::int64_t integer(const char* key) const {
    const auto* found = find(key);
    return found != nullptr && found->is_number_integer() ? found->get<std::int64_t>() : 0;
  }
  int small(const char* key) const { return static_cast<int>(integer(key)); }
  double number(const char* key) const {
    const auto* found = find(key);
    return found != nullptr && found->is_number() ? found->get<double>() : 0;
  }
  bool flag(const char* key) const {
    const auto* found = find(key);
    return found != nullptr && found->is_boolean() && found->get<bool>();
  }
  std::vector<std::string> texts(const char* key) const {
    std::vector<std::string> values;
    for (const auto& value : list(key)) {
      if (value.is_string()) values.push_back(value.get<std::string>());
    }
    return values;
  }
  std::vector<std::int64_t> integers(const char* key) const {
    std::vector<std::int64_t> values;
    for (const auto& value : list(key)) {
      if (value.is_number_integer()) values.push_back(value.get<std::int64_t>());
    }
    return values;
  }
  const json& list(const char* key) const {
    static const json empty = json::array();
    const auto* found = find(key);
    return found != nullptr && found->is_array() ? *found : empty;
  }
  /// An object inside; an absent one reads as empty.
  Reader inside(const char* key) const {
    static const json empty = json::object();
    const auto* found = find(key);
    return {found != nullptr ? *found : empty, what_};
  }

  std::string required_text(const char* key) {
    auto value = text(key);
    if (value.empty()) missing_.emplace_back(key);
    return value;
  }
  std::int64_t required_integer(const char* key) {
    const auto value = integer(key);
    if (value == 0) missing_.emplace_back(key);
    return value;
  }

  /// The value, or the error that something required was missing.
  template <typename T>
  Result<T> finish(T value) const {
    if (missing_.empty()) return value;
    return fail(ErrorKind::unreachable, fmt::format("the API's answer describes a {} without {}",
                                                    what_, fmt::join(missing_, ", ")));
  }

 private:
  const json* find(const char* key) const {
    if (!item_.is_object()) return nullptr;
    const auto found = item_.find(key);
    return found == item_.end() || found->is_null() ? nullptr : &*found;
  }

  const json& item_;
  std::string what_;
  std::vector<std::string> missing_;
};

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

Result<Account> decode_account(const json& item) {
  Reader reader(item, "account");
  Account account;
  account.droplet_limit = reader.small("droplet_limit");
  account.email = reader.text("email");
  account.status = reader.required_text("status");
  account.owner = reader.inside("team").text("uuid");
  if (account.owner.empty()) account.owner = reader.text("uuid");
  return reader.finish(std::move(account));
}

Result<Region> decode_region(const json& item) {
  Reader reader(item, "region");
  Region region;
  region.slug = reader.required_text("slug");
  region.name = reader.text("name");
  region.available = reader.flag("available");
  region.sizes = reader.texts("sizes");
  return reader.finish(std::move(region));
}

Result<Size> decode_size(const json& item) {
  Reader reader(item, "size");
  Size size;
  size.slug = reader.required_text("slug");
  size.memory_megabytes = reader.small("memory");
  size.vcpus = reader.small("vcpus");
  size.disk_gigabytes = reader.small("disk");
  size.price_monthly_dollars = reader.number("price_monthly");
  size.price_hourly_dollars = reader.number("price_hourly");
  size.available = reader.flag("available");
  size.regions = reader.texts("regions");
  return reader.finish(std::move(size));
}

Result<SshKey> decode_ssh_key(const json& item) {
  Reader reader(item, "SSH key");
  SshKey key;
  key.id = reader.required_integer("id");
  key.fingerprint = reader.text("fingerprint");
  key.public_key = reader.text("public_key");
  key.name = reader.text("name");
  return reader.finish(std::move(key));
}

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

}  // namespace paas::digitalocean
