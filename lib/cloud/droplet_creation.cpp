// Answers POST /v2/droplets: everything is checked before anything is made.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/text.hpp"
#include "cloud/catalogue.hpp"
#include "cloud/droplet_request.hpp"
#include "cloud/fault.hpp"
#include "cloud/routes.hpp"
#include "cloud/tags.hpp"
#include "cloud/views.hpp"
#include "cloud/vpcs.hpp"

namespace paas::cloud {
namespace {

constexpr std::size_t max_names = 10;
constexpr std::size_t max_volumes = 7;
constexpr const char* default_region = "nyc3";

/// A create request after everything in it was checked.
struct Wanted {
  std::vector<std::string> names;
  std::string region;
  std::string size;
  Id image_id = 0;
  std::string vpc_id;  ///< Empty: the region's default.
  std::vector<std::string> public_keys;
  std::vector<std::string> tags;
  std::vector<std::string> volume_ids;
  std::string user_data;
  bool monitoring = false;
  bool ipv6 = false;
  bool backups = false;
};

Result<std::vector<std::string>> names_of(const Json& body) {
  PAAS_TRY(const auto name, text_field(body, "name"));
  PAAS_TRY(auto names, texts_field(body, "names"));
  if (name && !names.empty()) return invalid("Only one of name and names can be given.");
  if (name) names = {*name};
  if (names.empty()) return invalid("Name can't be blank");
  if (names.size() > max_names) {
    return invalid(fmt::format("Only {} Droplets can be created at once.", max_names));
  }
  for (const auto& each : names) {
    PAAS_CHECK(check_droplet_name(each));
  }
  return names;
}

Result<std::vector<std::string>> public_keys_of(const State& state, const Json& body) {
  std::vector<std::string> public_keys;
  const auto given = body.find("ssh_keys");
  if (given == body.end() || given->is_null()) return public_keys;
  if (!given->is_array()) return invalid("ssh_keys must be an array");
  for (const auto& identifier : *given) {
    // Anything else is not even written out: that of a deeply nested value ends the process.
    if (!identifier.is_string() && !identifier.is_number_integer()) {
      return invalid("ssh_keys must be an array of numbers and strings");
    }
    const auto text = identifier.is_string() ? identifier.get<std::string>()
                                             : std::to_string(identifier.get<Id>());
    const auto found = std::find_if(state.keys.begin(), state.keys.end(), [&](const auto& entry) {
      return entry.second.fingerprint == text || std::to_string(entry.first) == text;
    });
    if (found == state.keys.end()) {
      return invalid(fmt::format("{} are invalid key identifiers for Droplet creation.", text));
    }
    public_keys.push_back(found->second.public_key);
  }
  return public_keys;
}

/// Identifiers, as the published document has them, or objects with an `id` or a `name`, which
/// DigitalOcean's own library for Go sends, and with it doctl and Terraform.
Result<std::vector<std::string>> volumes_of(const State& state, const Json& body,
                                            const std::string& region) {
  const auto given = body.find("volumes");
  const bool has_objects =
      given != body.end() && given->is_array() &&
      std::any_of(given->begin(), given->end(), [](const Json& each) { return each.is_object(); });
  if (!has_objects) return texts_field(body, "volumes");
  std::vector<std::string> ids;
  for (const auto& each : *given) {
    if (!each.is_object()) return invalid("volumes must be an array of strings");
    PAAS_TRY(const auto id, text_field(each, "id"));
    PAAS_TRY(const auto name, text_field(each, "name"));
    const auto found =
        std::find_if(state.volumes.begin(), state.volumes.end(), [&](const auto& entry) {
          return id ? entry.first == *id
                    : name && entry.second.name == *name && entry.second.region == region;
        });
    if (found == state.volumes.end()) {
      return invalid("volume not found: " + id.value_or(name.value_or("")));
    }
    ids.push_back(found->first);
  }
  return ids;
}

Status check_volumes(const State& state, const Wanted& wanted) {
  if (!wanted.volume_ids.empty() && wanted.names.size() > 1) {
    return invalid("Volumes can only be attached to one Droplet.");
  }
  if (wanted.volume_ids.size() > max_volumes) {
    return invalid(fmt::format("A Droplet can have {} volumes at most.", max_volumes));
  }
  std::set<std::string> seen;
  for (const auto& id : wanted.volume_ids) {
    const auto found = state.volumes.find(id);
    if (found == state.volumes.end()) return invalid("volume not found: " + id);
    if (!seen.insert(id).second) return invalid("volume given twice: " + id);
    const auto& volume = found->second;
    if (volume.droplet_id != 0 || volume.pending_action != 0) {
      return invalid("This volume is already attached: " + id);
    }
    if (volume.region != wanted.region) {
      return invalid("The volume is not in the Droplet's region: " + id);
    }
  }
  return {};
}

bool flag(const Json& body, const std::string& name) {
  const auto found = body.find(name);
  return found != body.end() && found->is_boolean() && found->get<bool>();
}

/// The region, which follows from the VPC when only that is given.
Result<Wanted> check_place(State& state, const Json& body, Wanted wanted) {
  PAAS_TRY(const auto vpc_id, text_field(body, "vpc_uuid"));
  PAAS_TRY(const auto region, text_field(body, "region"));
  const Vpc* vpc = nullptr;
  if (vpc_id && !vpc_id->empty()) {
    vpc = find_vpc(state, *vpc_id);
    if (vpc == nullptr) return invalid("You specified an invalid VPC for Droplet creation.");
    wanted.vpc_id = vpc->id;
  }
  wanted.region = region.value_or(vpc != nullptr ? vpc->region : default_region);
  if (catalogue::find_region(wanted.region) == nullptr) {
    return invalid("You specified an invalid region for Droplet creation.");
  }
  if (vpc != nullptr && vpc->region != wanted.region) {
    return invalid("The VPC is not in the region that you specified for Droplet creation.");
  }
  return wanted;
}

Result<Wanted> check(State& state, const Json& body) {
  Wanted wanted;
  PAAS_TRY(wanted.names, names_of(body));
  PAAS_TRY(wanted, check_place(state, body, std::move(wanted)));
  PAAS_TRY(const auto size, text_field(body, "size"));
  if (catalogue::find_size(size.value_or("")) == nullptr) {
    return invalid("You specified an invalid size for Droplet creation.");
  }
  wanted.size = *size;
  const auto image_id = image_in(state, body);
  if (!image_id) return invalid("You specified an invalid image for Droplet creation.");
  wanted.image_id = *image_id;
  if (const auto* image = find_image(state, wanted.image_id)) {
    if (image->min_disk_size_gigabytes > catalogue::find_size(*size)->disk_gigabytes) {
      return invalid("The image is too large for the size that you specified.");
    }
    if (image->region != wanted.region) {
      return invalid("The image you specified is not available in the selected region.");
    }
  }
  PAAS_TRY(wanted.public_keys, public_keys_of(state, body));
  PAAS_TRY(wanted.tags, texts_field(body, "tags"));
  PAAS_CHECK(check_tag_names(wanted.tags));
  PAAS_TRY(wanted.volume_ids, volumes_of(state, body, wanted.region));
  PAAS_CHECK(check_volumes(state, wanted));
  PAAS_TRY(const auto user_data, text_field(body, "user_data"));
  wanted.user_data = user_data.value_or("");
  if (wanted.user_data.size() > max_user_data_bytes) {
    return invalid("User data is too long (maximum is 64 KiB)");
  }
  wanted.monitoring = flag(body, "monitoring");
  wanted.ipv6 = flag(body, "ipv6");
  wanted.backups = flag(body, "backups");
  const auto count =
      select(state.droplets, [](const Droplet& droplet) { return !droplet.leaving; }).size();
  if (count + wanted.names.size() > static_cast<std::size_t>(fault::droplet_limit(state))) {
    return invalid("creating this/these droplet(s) will exceed your droplet limit");
  }
  const auto* vpc = wanted.vpc_id.empty() ? find_default_vpc(state, wanted.region)
                                          : find_vpc(state, wanted.vpc_id);
  const auto free_addresses =
      std::min(free_public_addresses(state),
               vpc == nullptr ? max_names : free_private_addresses(state, *vpc));
  if (wanted.names.size() > free_addresses) {
    return invalid("No IP address is free for another Droplet.");
  }
  return wanted;
}

/// One action for the machine and its volumes; the droplet is locked until all of it is done.
Action& boot(Turn& turn, Droplet& droplet, const Wanted& wanted) {
  auto& action = start_action(turn, {"create", "droplet", droplet.id, "", droplet.region});
  droplet.pending_action = action.id;
  create_machine(turn, droplet, action.id);
  for (const auto& id : wanted.volume_ids) {
    auto& volume = turn.state.volumes[id];
    volume.pending_action = action.id;
    emit(turn, AttachVolume{id, volume.name, droplet.id}, action.id);
  }
  return action;
}

Droplet& add_droplet(Turn& turn, const Wanted& wanted, const std::string& name, Vpc& vpc) {
  auto& state = turn.state;
  Droplet droplet;
  droplet.id = state.next_id++;
  droplet.name = name;
  droplet.size = wanted.size;
  droplet.region = wanted.region;
  droplet.image_id = wanted.image_id;
  droplet.vpc_id = vpc.id;
  droplet.public_address = new_public_address(state).value_or("");
  droplet.private_address = new_private_address(state, vpc).value_or("");
  droplet.user_data = wanted.user_data;
  droplet.public_keys = wanted.public_keys;
  droplet.tags_to_come = wanted.tags;
  droplet.monitoring = wanted.monitoring;
  droplet.ipv6 = wanted.ipv6;
  droplet.backups = wanted.backups;
  droplet.created = turn.now();
  return state.droplets[droplet.id] = std::move(droplet);
}

Result<Reply> create(Turn& turn, const Call& call) {
  PAAS_TRY(const auto wanted, check(turn.state, call.body));
  auto& state = turn.state;
  auto* vpc = find_vpc(state, wanted.vpc_id);
  if (vpc == nullptr) {
    PAAS_TRY(vpc, default_vpc(turn, wanted.region));
  }
  ensure_network(turn, *vpc);
  ensure_tags(turn, wanted.tags);
  std::vector<Id> ids;
  for (const auto& name : wanted.names) ids.push_back(add_droplet(turn, wanted, name, *vpc).id);
  Json views = Json::array();
  Json links = Json::array();
  for (const auto id : ids) {
    const auto& action = boot(turn, state.droplets[id], wanted);
    links.push_back(view::action_link(action, "create", call.request.base_url));
    views.push_back(view::droplet(state, state.droplets[id]));
  }
  if (!wanted.tags.empty()) apply_tags_later(turn, std::move(ids));
  refresh_rules(turn);
  Json body = {{"links", {{"actions", std::move(links)}}}};
  if (call.body.contains("names")) {
    body["droplets"] = std::move(views);
  } else {
    body["droplet"] = std::move(views[0]);
  }
  return Reply{202, std::move(body)};
}

}  // namespace

std::vector<ApiRoute> droplet_creation_routes() { return {{"POST", "/v2/droplets", create}}; }

}  // namespace paas::cloud
