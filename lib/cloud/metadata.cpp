// One JSON value a droplet; the paths of the text form lead into it.
#include "cloud/metadata.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cloud/ip_range.hpp"
#include "cloud/views.hpp"

namespace paas::cloud {
namespace {

using Json = nlohmann::json;

const Droplet* at_address(const State& state, const std::string& address) {
  for (const auto& [id, droplet] : state.droplets) {
    if (droplet.leaving) continue;
    if (droplet.public_address == address || droplet.private_address == address) return &droplet;
  }
  return nullptr;
}

Json interface(const std::string& address, const std::string& range_text, std::string gateway,
               const char* type) {
  const auto range = IpRange::parse(range_text).value_or(IpRange{});
  if (gateway.empty()) gateway = range.address(1);
  const auto mask = range.prefix_length == 0 ? 0 : ~std::uint32_t{0} << (32 - range.prefix_length);
  return {{"ipv4", {{"ip_address", address}, {"netmask", format_ipv4(mask)}, {"gateway", gateway}}},
          {"type", type}};
}

Json reserved_ip(const State& state, const Droplet& droplet) {
  for (const auto& [address, reserved] : state.reserved_ips) {
    if (reserved.droplet_id == droplet.id) {
      return {{"ipv4", {{"active", true}, {"ip_address", address}}}};
    }
  }
  return {{"ipv4", {{"active", false}}}};
}

/// As /metadata/v1.json gives it.
Json describe(const State& state, const Droplet& droplet) {
  const auto& settings = state.settings;
  Json interfaces = {
      {"public", Json::array({interface(droplet.public_address, settings.public_range,
                                        settings.gateway, "public")})}};
  if (const auto vpc = state.vpcs.find(droplet.vpc_id); vpc != state.vpcs.end()) {
    interfaces["private"] =
        Json::array({interface(droplet.private_address, vpc->second.ip_range, "", "private")});
  }
  return {{"droplet_id", droplet.id},
          {"hostname", droplet.name},
          {"user_data", droplet.user_data},
          {"vendor_data", ""},
          {"public_keys", droplet.public_keys},
          {"region", droplet.region},
          {"interfaces", std::move(interfaces)},
          {"reserved_ip", reserved_ip(state, droplet)},
          {"floating_ip", reserved_ip(state, droplet)},
          {"dns", {{"nameservers", Json::array()}}},
          {"tags", droplet.tags},
          {"features", Json::object()}};
}

/// The text form has other names for a few things.
std::string json_name(const std::string& segment, std::size_t depth) {
  if (depth == 0 && segment == "id") return "droplet_id";
  if (segment == "user-data" || segment == "vendor-data" || segment == "public-keys") {
    return text::replace_all(segment, "-", "_");
  }
  return segment == "address" ? "ip_address" : segment;
}

std::string text_name(const std::string& name) {
  if (name == "droplet_id") return "id";
  if (name == "user_data" || name == "vendor_data" || name == "public_keys") {
    return text::replace_all(name, "_", "-");
  }
  return name == "ip_address" ? "address" : name;
}

bool is_leaf(const Json& value) {
  if (value.is_array()) return value.empty() || value.front().is_string();
  return !value.is_object();
}

/// Leaves as text, lists of texts a line each, and what is below anything else.
std::string as_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array() && is_leaf(value)) {
    return text::join(value.get<std::vector<std::string>>(), "\n");
  }
  if (!value.is_structured()) return value.dump();
  std::string listing;
  std::size_t index = 0;
  for (const auto& [key, item] : value.items()) {
    const auto name = value.is_array() ? std::to_string(index++) : text_name(key);
    listing += name + (is_leaf(item) ? "\n" : "/\n");
  }
  return listing;
}

const Json* below(const Json& value, const std::string& segment, std::size_t depth) {
  if (value.is_object()) {
    const auto found = value.find(json_name(segment, depth));
    return found == value.end() ? nullptr : &*found;
  }
  const auto index = text::to_integer(segment);
  const bool listed = value.is_array() && !is_leaf(value);
  if (!listed || !index || *index < 0 || static_cast<std::size_t>(*index) >= value.size()) {
    return nullptr;
  }
  return &value[static_cast<std::size_t>(*index)];
}

}  // namespace

std::optional<MetadataAnswer> metadata(const State& state, const std::string& source_address,
                                       const std::string& path) {
  const auto* droplet = at_address(state, source_address);
  if (droplet == nullptr) return std::nullopt;
  const auto description = describe(state, *droplet);
  if (path == "/metadata/v1.json") {
    return MetadataAnswer{"application/json",
                          description.dump(-1, ' ', false, Json::error_handler_t::replace)};
  }
  if (path == "/metadata" || path == "/metadata/") return MetadataAnswer{"text/plain", "v1/\n"};
  const auto segments = text::split(path, '/');
  if (segments.size() < 3 || segments[1] != "metadata" || segments[2] != "v1") return std::nullopt;
  const auto* value = &description;
  for (std::size_t index = 3; index < segments.size() && value != nullptr; ++index) {
    if (segments[index].empty() && index + 1 == segments.size()) break;
    value = below(*value, segments[index], index - 3);
  }
  if (value == nullptr) return std::nullopt;
  return MetadataAnswer{"text/plain", as_text(*value)};
}

}  // namespace paas::cloud
