// Field by field; what is missing keeps its default, so that an older state can be read.
#include "cloud/state_json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <type_traits>

namespace paas::cloud {

using Json = nlohmann::json;

namespace fault {

NLOHMANN_JSON_SERIALIZE_ENUM(Kind, {{Kind::status, "status"},
                                    {Kind::delay, "delay"},
                                    {Kind::cut, "cut"},
                                    {Kind::half, "half"},
                                    {Kind::html, "html"},
                                    {Kind::missing, "missing"},
                                    {Kind::action_error, "action-error"},
                                    {Kind::stuck, "stuck"},
                                    {Kind::sold_out, "sold-out"},
                                    {Kind::droplet_limit, "droplet-limit"},
                                    {Kind::kill, "kill"},
                                    {Kind::reboot, "reboot"},
                                    {Kind::freeze, "freeze"},
                                    {Kind::unplug, "unplug"},
                                    {Kind::fill_disk, "fill-disk"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Rule, id, kind, method, path, size, region, action,
                                                first, share, seed, times, after, status, body,
                                                retry_after_seconds, delay_milliseconds, looks,
                                                limit, droplet, droplet_id, effect_id, leaving,
                                                error, matched, hits)

}  // namespace fault

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(TrafficRule, protocol, first_port, last_port,
                                                addresses)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(TrafficRules, filtered, unplugged, inbound,
                                                outbound)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CreateNetwork, vpc_id, ip_range)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RemoveNetwork, vpc_id)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CreateMachine, droplet_id, name, machine_image,
                                                public_address, private_address, vpc_id, user_data,
                                                public_keys, region, rules)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DestroyMachine, droplet_id)
NLOHMANN_JSON_SERIALIZE_ENUM(PowerChange, {{PowerChange::on, "on"},
                                           {PowerChange::off, "off"},
                                           {PowerChange::shutdown, "shutdown"},
                                           {PowerChange::reboot, "reboot"},
                                           {PowerChange::cycle, "cycle"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ChangePower, droplet_id, change)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(SetRules, droplet_id, rules)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CreateVolume, volume_id, name, size_gigabytes,
                                                filesystem_type, filesystem_label)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RemoveVolume, volume_id)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ResizeVolume, volume_id, size_gigabytes)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(AttachVolume, volume_id, name, droplet_id)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DetachVolume, volume_id, name, droplet_id)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(SnapshotMachine, droplet_id, machine_image)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RemoveMachineImage, machine_image)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(AssignAddress, address, droplet_id)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(UnassignAddress, address, droplet_id)
NLOHMANN_JSON_SERIALIZE_ENUM(Disturbance, {{Disturbance::kill, "kill"},
                                           {Disturbance::reboot, "reboot"},
                                           {Disturbance::freeze, "freeze"},
                                           {Disturbance::thaw, "thaw"},
                                           {Disturbance::fill_disk, "fill_disk"},
                                           {Disturbance::free_disk, "free_disk"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DisturbMachine, droplet_id, what)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ApplyTags, droplet_ids)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ApplyNetworks, droplet_id)

namespace {

/// In the order of EffectKind's alternatives.
constexpr const char* effect_names[] = {
    "create_network",       "remove_network", "create_machine",   "destroy_machine",
    "change_power",         "set_rules",      "create_volume",    "remove_volume",
    "resize_volume",        "attach_volume",  "detach_volume",    "snapshot_machine",
    "remove_machine_image", "assign_address", "unassign_address", "disturb_machine",
    "apply_tags",           "apply_networks"};
static_assert(std::size(effect_names) == std::variant_size_v<EffectKind>);

template <std::size_t Index = 0>
bool read_kind(const Json& json, const std::string& name, EffectKind& kind) {
  if constexpr (Index < std::variant_size_v<EffectKind>) {
    if (name == effect_names[Index]) {
      kind = json.get<std::variant_alternative_t<Index, EffectKind>>();
      return true;
    }
    return read_kind<Index + 1>(json, name, kind);
  }
  return false;
}

}  // namespace

// Found by the library through the namespace of their arguments.
void to_json(Json& json, const Effect& effect) {
  json = {{"id", effect.id},
          {"order_key", effect.order_key},
          {"after", effect.after},
          {"repeated", effect.repeated},
          {"held_by", effect.held_by},
          {"fault", effect.fault},
          {"kind", effect_names[effect.kind.index()]}};
  std::visit([&](const auto& kind) { json["details"] = kind; }, effect.kind);
}

void from_json(const Json& json, Effect& effect) {
  effect.id = json.at("id").get<Id>();
  effect.order_key = json.at("order_key").get<std::string>();
  effect.after = json.value("after", std::vector<Id>());
  effect.repeated = json.value("repeated", false);
  effect.held_by = json.value("held_by", Id(0));
  effect.fault = json.value("fault", std::string());
  const auto name = json.at("kind").get<std::string>();
  if (!read_kind(json.at("details"), name, effect.kind)) {
    throw std::invalid_argument("unknown effect " + name);
  }
}

NLOHMANN_JSON_SERIALIZE_ENUM(DropletStatus, {{DropletStatus::fresh, "new"},
                                             {DropletStatus::active, "active"},
                                             {DropletStatus::off, "off"}})
NLOHMANN_JSON_SERIALIZE_ENUM(ActionStatus, {{ActionStatus::in_progress, "in-progress"},
                                            {ActionStatus::completed, "completed"},
                                            {ActionStatus::errored, "errored"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CoreSettings, name, token, seed, public_range,
                                                gateway, machine_image, droplet_limit,
                                                reserved_ip_limit, metadata_only,
                                                enforce_rate_limits)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Key, id, name, public_key, fingerprint)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Image, id, name, description, machine_image, region,
                                                created, min_disk_size_gigabytes, size_bytes, tags,
                                                droplet_id, pending, leaving)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Droplet, id, name, size, region, image_id, vpc_id,
                                                public_address, private_address, user_data,
                                                public_keys, tags, tags_to_come, volume_ids,
                                                snapshot_ids, status, monitoring, ipv6, backups,
                                                booted, networks_to_come, leaving, pending_action,
                                                created, hidden_looks, hidden_by, unplugged,
                                                rules_digest, firewall_ids)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Action, id, status, type, resource_type,
                                                resource_id, resource, region, started, completed,
                                                error)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Volume, id, name, region, description,
                                                size_gigabytes, filesystem_type, filesystem_label,
                                                tags, droplet_id, pending_action, created)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Peers, addresses, droplet_ids, tags)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(FirewallRule, protocol, ports, peers)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PendingChange, droplet_id, removing, effect_id,
                                                failed)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Firewall, id, name, inbound, outbound, droplet_ids,
                                                tags, pending, created)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Vpc, id, name, description, region, ip_range,
                                                is_default, made, leaving, next_offset, created)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ReservedIp, address, region, droplet_id,
                                                pending_action, created)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DomainRecord, id, type, name, data, ttl, priority,
                                                port, weight, flags, tag)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Domain, name, ttl, records)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Project, id, name, description, purpose,
                                                environment, is_default, created, updated)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Assignment, urn, project_id, assigned)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Registry, name, region, tier, created)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Outstanding, effect, action_id, attempt)

namespace {

/// A map from identifiers to resources as an array: each value knows its own identifier.
template <typename Map>
Json values_of(const Map& map) {
  Json values = Json::array();
  for (const auto& [key, value] : map) values.push_back(value);
  return values;
}

template <typename Map, typename KeyOf>
void read_values(const Json& json, const char* name, Map& map, KeyOf key_of) {
  for (const auto& item : json.at(name)) {
    auto value = item.get<typename Map::mapped_type>();
    auto key = key_of(value);
    map.emplace(std::move(key), std::move(value));
  }
}

/// Droplets of one request have the same user data, which is most of a state, so that each is
/// written once: droplets have its place in the list.
std::pair<Json, Json> droplets_and_user_data(const std::map<Id, Droplet>& droplets) {
  std::map<std::string_view, std::size_t> places;
  Json values = Json::array();
  Json texts = Json::array();
  for (const auto& [id, droplet] : droplets) {
    const auto [place, is_new] = places.emplace(droplet.user_data, places.size());
    if (is_new) texts.push_back(droplet.user_data);
    Json value = droplet;
    value["user_data"] = place->second;
    values.push_back(std::move(value));
  }
  return {std::move(values), std::move(texts)};
}

/// In an older state each droplet has the text itself.
void read_droplets(Json& json, std::map<Id, Droplet>& droplets) {
  for (auto& item : json.at("droplets")) {
    auto& user_data = item.at("user_data");
    if (user_data.is_number()) user_data = json.at("user_data").at(user_data.get<std::size_t>());
    auto droplet = item.get<Droplet>();
    const auto id = droplet.id;
    droplets.emplace(id, std::move(droplet));
  }
}

/// All but the version and the settings.
Json to_value(const State& state) {
  auto [droplets, user_data] = droplets_and_user_data(state.droplets);
  return {{"next_id", state.next_id},
          {"next_uuid", state.next_uuid},
          {"next_public_offset", state.next_public_offset},
          {"next_reserved_offset", state.next_reserved_offset},
          {"next_vpc_range", state.next_vpc_range},
          {"keys", values_of(state.keys)},
          {"images", values_of(state.images)},
          {"droplets", std::move(droplets)},
          {"user_data", std::move(user_data)},
          {"actions", values_of(state.actions)},
          {"volumes", values_of(state.volumes)},
          {"firewalls", values_of(state.firewalls)},
          {"vpcs", values_of(state.vpcs)},
          {"reserved_ips", values_of(state.reserved_ips)},
          {"tags", state.tags},
          {"outstanding", values_of(state.outstanding)},
          {"faults", values_of(state.faults)},
          {"domains", values_of(state.domains)},
          {"projects", values_of(state.projects)},
          {"assignments", values_of(state.assignments)},
          {"registries", values_of(state.registries)}};
}

State from_value(Json& json) {
  State state;
  state.settings = json.at("settings").get<CoreSettings>();
  state.next_id = json.at("next_id").get<Id>();
  state.next_uuid = json.at("next_uuid").get<std::uint64_t>();
  state.next_public_offset = json.at("next_public_offset").get<std::uint32_t>();
  state.next_reserved_offset = json.at("next_reserved_offset").get<std::uint32_t>();
  state.next_vpc_range = json.at("next_vpc_range").get<std::uint64_t>();
  const auto by_id = [](const auto& value) { return value.id; };
  read_values(json, "keys", state.keys, by_id);
  read_values(json, "images", state.images, by_id);
  read_droplets(json, state.droplets);
  read_values(json, "actions", state.actions, by_id);
  read_values(json, "volumes", state.volumes, by_id);
  read_values(json, "firewalls", state.firewalls, by_id);
  read_values(json, "vpcs", state.vpcs, by_id);
  read_values(json, "reserved_ips", state.reserved_ips,
              [](const ReservedIp& value) { return value.address; });
  state.tags = json.at("tags").get<std::map<std::string, UnixTime>>();
  read_values(json, "outstanding", state.outstanding,
              [](const Outstanding& value) { return value.effect.id; });
  // An older state has none of these.
  const auto read = [&](const char* name, auto& map, auto key_of) {
    if (json.contains(name)) read_values(json, name, map, key_of);
  };
  const auto by_name = [](const auto& value) { return value.name; };
  read("faults", state.faults, by_id);
  read("domains", state.domains, by_name);
  read("projects", state.projects, by_id);
  read("assignments", state.assignments, [](const Assignment& value) { return value.urn; });
  read("registries", state.registries, by_name);
  return state;
}

/// User data and names come from outside: what is no UTF-8 must not make the state unwritable.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string encode(const State& state) {
  auto text =
      fmt::format(R"({{"version":{},"settings":{})", state.version, text_of(state.settings));
  const auto others = to_value(state);
  for (const auto& [name, value] : others.items()) {
    text += fmt::format(R"(,"{}":)", name);
    text += text_of(value);
  }
  return text + "}";
}

Result<State> decode(std::string_view text) {
  auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return fail(ErrorKind::invalid, "not a JSON object");
  const auto version = json.value("version", Json());
  if (version != State().version) {
    return fail(ErrorKind::invalid, fmt::format("its version is {}", version.dump()),
                "It was written by another release of paasctl.");
  }
  try {
    return from_value(json);
  } catch (const std::exception& error) {
    return fail(ErrorKind::invalid, error.what());
  }
}

}  // namespace paas::cloud
