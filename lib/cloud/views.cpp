// Renders resources as JSON; the fields are those of DigitalOcean's published OpenAPI document.
#include "cloud/views.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cloud/ip_range.hpp"

namespace paas::cloud::view {
namespace {

using Json = nlohmann::json;

constexpr double hours_a_month = 672;
constexpr double bytes_a_gigabyte = 1e9;

Json all_region_slugs() {
  Json slugs = Json::array();
  for (const auto& entry : catalogue::regions()) slugs.push_back(entry.slug);
  return slugs;
}

Json disk_info(int gigabytes) {
  return Json::array({{{"type", "local"}, {"size", {{"amount", gigabytes}, {"unit", "gib"}}}}});
}

/// Two digits behind the point, as the API rounds sizes.
double gigabytes(std::uint64_t bytes) {
  return std::round(static_cast<double>(bytes) / bytes_a_gigabyte * 100) / 100;
}

std::string_view name_of(DropletStatus status) {
  switch (status) {
    case DropletStatus::fresh:
      return "new";
    case DropletStatus::active:
      return "active";
    case DropletStatus::off:
      return "off";
  }
  return "new";
}

std::string_view name_of(ActionStatus status) {
  switch (status) {
    case ActionStatus::in_progress:
      return "in-progress";
    case ActionStatus::completed:
      return "completed";
    case ActionStatus::errored:
      return "errored";
  }
  return "errored";
}

std::string netmask(const IpRange& range) {
  return format_ipv4(range.prefix_length == 0 ? 0
                                              : ~std::uint32_t{0} << (32 - range.prefix_length));
}

Json network(const std::string& address, const std::string& range_text, std::string gateway,
             std::string_view type) {
  const auto range = IpRange::parse(range_text).value_or(IpRange{});
  if (gateway.empty()) gateway = range.address(1);
  return {
      {"ip_address", address}, {"netmask", netmask(range)}, {"gateway", gateway}, {"type", type}};
}

/// They appear a little after the machine ran for the first time.
Json networks(const State& state, const Droplet& droplet) {
  Json v4 = Json::array();
  if (droplet.booted && !droplet.networks_to_come) {
    v4.push_back(network(droplet.public_address, state.settings.public_range,
                         state.settings.gateway, "public"));
    if (const auto vpc = state.vpcs.find(droplet.vpc_id); vpc != state.vpcs.end()) {
      v4.push_back(network(droplet.private_address, vpc->second.ip_range, "", "private"));
    }
    for (const auto& [address, reserved] : state.reserved_ips) {
      if (reserved.droplet_id != droplet.id || reserved.pending_action != 0) continue;
      v4.push_back(network(address, state.settings.public_range, state.settings.gateway, "public"));
    }
  }
  return {{"v4", std::move(v4)}, {"v6", Json::array()}};
}

Json peers(const Peers& peers) {
  Json view = Json::object();
  if (!peers.addresses.empty()) view["addresses"] = peers.addresses;
  if (!peers.droplet_ids.empty()) view["droplet_ids"] = peers.droplet_ids;
  if (!peers.tags.empty()) view["tags"] = peers.tags;
  return view;
}

Json rules(const std::vector<FirewallRule>& rules, const char* side) {
  Json view = Json::array();
  for (const auto& rule : rules) {
    view.push_back({{"protocol", rule.protocol}, {"ports", rule.ports}, {side, peers(rule.peers)}});
  }
  return view;
}

/// Fields that an image has as an image and as a snapshot.
Json snapshot_fields(const Image& image) {
  return {{"name", image.name},
          {"created_at", time(image.created)},
          {"regions", Json::array({image.region})},
          {"min_disk_size", image.min_disk_size_gigabytes},
          {"size_gigabytes", gigabytes(image.size_bytes)}};
}

struct Tagged {
  int count = 0;
  std::string last_uri;
};

Json tagged_view(const Tagged& tagged) {
  Json view = {{"count", tagged.count}};
  if (tagged.count > 0) view["last_tagged_uri"] = tagged.last_uri;
  return view;
}

template <typename Map>
Tagged tagged(const Map& map, const std::string& name, const std::string& uri_prefix) {
  Tagged found;
  for (const auto& [id, resource] : map) {
    if constexpr (requires(const typename Map::mapped_type& value) { value.leaving; }) {
      if (resource.leaving) continue;
    }
    if (!contains(resource.tags, name)) continue;
    ++found.count;
    found.last_uri = fmt::format("{}/{}", uri_prefix, id);
  }
  return found;
}

}  // namespace

std::string time(UnixTime value) {
  return text::timestamp(std::chrono::system_clock::time_point(std::chrono::seconds(value)));
}

Json region(const catalogue::Region& region) {
  Json size_slugs = Json::array();
  for (const auto& entry : catalogue::sizes()) size_slugs.push_back(entry.slug);
  return {{"name", region.name},
          {"slug", region.slug},
          {"features", {"private_networking", "metadata", "install_agent", "storage"}},
          {"available", true},
          {"sizes", std::move(size_slugs)}};
}

Json region(std::string_view slug) {
  const auto* found = catalogue::find_region(slug);
  return found == nullptr ? Json() : region(*found);
}

Json size(const catalogue::Size& size) {
  return {{"slug", size.slug},
          {"memory", size.memory_megabytes},
          {"vcpus", size.cpus},
          {"disk", size.disk_gigabytes},
          {"transfer", size.transfer_terabytes},
          {"price_monthly", size.price_monthly},
          {"price_hourly", std::round(size.price_monthly / hours_a_month * 1e5) / 1e5},
          {"regions", all_region_slugs()},
          {"available", true},
          {"description", size.description},
          {"disk_info", disk_info(size.disk_gigabytes)}};
}

Json key(const Key& key) {
  return {{"id", key.id},
          {"name", key.name},
          {"fingerprint", key.fingerprint},
          {"public_key", key.public_key}};
}

Json distribution(const catalogue::Distribution& distribution) {
  return {{"id", distribution.id},
          {"name", distribution.name},
          {"distribution", distribution.distribution},
          {"slug", distribution.slug},
          {"public", true},
          {"regions", all_region_slugs()},
          {"created_at", "2023-06-13T15:19:38Z"},
          {"min_disk_size", 7},
          {"type", "base"},
          {"size_gigabytes", 0.56},
          {"description", distribution.distribution + " " + distribution.name},
          {"tags", Json::array()},
          {"status", "available"},
          {"error_message", ""}};
}

Json image(const Image& image) {
  auto view = snapshot_fields(image);
  view.update({{"id", image.id},
               {"distribution", "Debian"},
               {"slug", nullptr},
               {"public", false},
               {"type", "snapshot"},
               {"description", image.description},
               {"tags", image.tags},
               {"status", "available"},
               {"error_message", ""}});
  return view;
}

Json image(const State& state, Id id) {
  if (const auto* found = catalogue::find_distribution(id)) return distribution(*found);
  const auto found = state.images.find(id);
  return found == state.images.end() ? Json() : image(found->second);
}

Json snapshot(const Image& image) {
  auto view = snapshot_fields(image);
  view.update({{"id", std::to_string(image.id)},
               {"resource_id", std::to_string(image.droplet_id)},
               {"resource_type", "droplet"},
               {"tags", image.tags}});
  return view;
}

Json droplet_snapshot(const Image& image) {
  auto view = snapshot_fields(image);
  view.update({{"id", image.id}, {"type", "snapshot"}});
  return view;
}

Json droplet(const State& state, const Droplet& droplet) {
  const auto* size_entry = catalogue::find_size(droplet.size);
  Json features = {"droplet_agent", "private_networking"};
  if (droplet.monitoring) features.push_back("monitoring");
  if (droplet.ipv6) features.push_back("ipv6");
  if (droplet.backups) features.push_back("backups");
  return {{"id", droplet.id},
          {"name", droplet.name},
          {"memory", size_entry == nullptr ? 0 : size_entry->memory_megabytes},
          {"vcpus", size_entry == nullptr ? 0 : size_entry->cpus},
          {"disk", size_entry == nullptr ? 0 : size_entry->disk_gigabytes},
          {"disk_info", disk_info(size_entry == nullptr ? 0 : size_entry->disk_gigabytes)},
          {"locked", droplet.pending_action != 0},
          {"status", name_of(droplet.status)},
          {"kernel", nullptr},
          {"created_at", time(droplet.created)},
          {"features", std::move(features)},
          {"backup_ids", Json::array()},
          {"next_backup_window", nullptr},
          {"snapshot_ids", droplet.snapshot_ids},
          {"image", image(state, droplet.image_id)},
          {"volume_ids", droplet.volume_ids},
          {"size", size_entry == nullptr ? Json() : size(*size_entry)},
          {"size_slug", droplet.size},
          {"networks", networks(state, droplet)},
          {"region", region(droplet.region)},
          {"tags", droplet.tags},
          {"vpc_uuid", droplet.vpc_id}};
}

Json action(const Action& action) {
  const bool ended = action.status != ActionStatus::in_progress;
  return {{"id", action.id},
          {"status", name_of(action.status)},
          {"type", action.type},
          {"started_at", time(action.started)},
          {"completed_at", ended ? Json(time(action.completed)) : Json()},
          {"resource_id", action.resource_id == 0 ? Json() : Json(action.resource_id)},
          {"resource_type", action.resource_type},
          {"region", region(action.region)},
          {"region_slug", action.region}};
}

Json volume(const Volume& volume) {
  Json droplet_ids = Json::array();
  if (volume.droplet_id != 0) droplet_ids.push_back(volume.droplet_id);
  return {{"id", volume.id},
          {"name", volume.name},
          {"region", region(volume.region)},
          {"droplet_ids", std::move(droplet_ids)},
          {"description", volume.description},
          {"size_gigabytes", volume.size_gigabytes},
          {"created_at", time(volume.created)},
          {"filesystem_type", volume.filesystem_type},
          {"filesystem_label", volume.filesystem_label},
          {"tags", volume.tags}};
}

Json firewall(const Firewall& firewall) {
  Json pending = Json::array();
  for (const auto& change : firewall.pending) {
    pending.push_back(
        {{"droplet_id", change.droplet_id}, {"removing", change.removing}, {"status", "waiting"}});
  }
  const bool failed = std::any_of(firewall.pending.begin(), firewall.pending.end(),
                                  [](const PendingChange& change) { return change.failed; });
  const auto* status = failed ? "failed" : pending.empty() ? "succeeded" : "waiting";
  return {{"id", firewall.id},
          {"name", firewall.name},
          {"status", status},
          {"created_at", time(firewall.created)},
          {"pending_changes", std::move(pending)},
          {"inbound_rules", rules(firewall.inbound, "sources")},
          {"outbound_rules", rules(firewall.outbound, "destinations")},
          {"droplet_ids", firewall.droplet_ids},
          {"tags", firewall.tags}};
}

Json vpc(const Vpc& vpc) {
  return {{"id", vpc.id},
          {"urn", "do:vpc:" + vpc.id},
          {"name", vpc.name},
          {"description", vpc.description},
          {"region", vpc.region},
          {"ip_range", vpc.ip_range},
          {"default", vpc.is_default},
          {"created_at", time(vpc.created)}};
}

Json reserved_ip(const State& state, const ReservedIp& reserved) {
  const auto* holder = find_droplet(state, reserved.droplet_id);
  return {{"ip", reserved.address},
          {"region", region(reserved.region)},
          {"droplet", holder == nullptr ? Json() : droplet(state, *holder)},
          {"locked", reserved.pending_action != 0},
          {"project_id", ""}};
}

Json tag(const State& state, const std::string& name, std::string_view base_url) {
  const auto droplets = tagged(state.droplets, name, fmt::format("{}/v2/droplets", base_url));
  const auto images = tagged(state.images, name, fmt::format("{}/v2/images", base_url));
  const auto volumes = tagged(state.volumes, name, fmt::format("{}/v2/volumes", base_url));
  Tagged all;
  for (const auto* kind : {&droplets, &images, &volumes}) {
    all.count += kind->count;
    if (kind->count > 0) all.last_uri = kind->last_uri;
  }
  auto resources = tagged_view(all);
  resources.update({{"droplets", tagged_view(droplets)},
                    {"images", tagged_view(images)},
                    {"volumes", tagged_view(volumes)},
                    {"volume_snapshots", tagged_view({})},
                    {"databases", tagged_view({})}});
  return {{"name", name}, {"resources", std::move(resources)}};
}

Json action_link(const Action& action, std::string_view rel, std::string_view base_url) {
  return {{"id", action.id},
          {"rel", rel},
          {"href", fmt::format("{}/v2/actions/{}", base_url, action.id)}};
}

}  // namespace paas::cloud::view
