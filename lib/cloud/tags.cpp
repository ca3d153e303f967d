// Answers /v2/tags.
#include "cloud/tags.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.hpp"
#include "cloud/routes.hpp"
#include "cloud/views.hpp"

namespace paas::cloud {
namespace {

constexpr std::size_t max_name_length = 255;

bool is_tag_name(const std::string& name) {
  return !name.empty() && name.size() <= max_name_length &&
         std::all_of(name.begin(), name.end(), [](unsigned char character) {
           return std::isalnum(character) != 0 || character == '_' || character == '-' ||
                  character == ':';
         });
}

void remove_tag(std::vector<std::string>& tags, const std::string& name) {
  tags.erase(std::remove(tags.begin(), tags.end(), name), tags.end());
}

/// The lists of tags that a resource has: a new droplet's are still to come.
struct TagsOf {
  std::vector<std::string>* tags = nullptr;
  std::vector<std::string>* to_come = nullptr;
};

/// The tags of the resource that a request names, or an error.
Result<TagsOf> tags_of(State& state, const Json& resource) {
  if (!resource.is_object()) return invalid("resources must be an array of objects");
  PAAS_TRY(const auto id, text_field(resource, "resource_id"));
  PAAS_TRY(const auto type, text_field(resource, "resource_type"));
  if (!id || !type) return invalid("resource_id and resource_type are required");
  const auto number = text::to_integer(*id).value_or(0);
  if (*type == "droplet") {
    if (auto* droplet = find_droplet(state, number)) {
      return TagsOf{&droplet->tags, &droplet->tags_to_come};
    }
  } else if (*type == "image") {
    if (auto* image = find_image(state, number)) return TagsOf{&image->tags};
  } else if (*type == "volume") {
    if (const auto found = state.volumes.find(*id); found != state.volumes.end()) {
      return TagsOf{&found->second.tags};
    }
  } else {
    return invalid(fmt::format("invalid resource_type: {}", *type));
  }
  return not_found();
}

/// All of the body's resources, or an error before anything is changed.
Result<std::vector<TagsOf>> all_tags_of(State& state, const Json& body) {
  const auto resources = body.find("resources");
  if (resources == body.end() || !resources->is_array()) return invalid("resources is required");
  std::vector<TagsOf> all;
  for (const auto& resource : *resources) {
    PAAS_TRY(const auto tags, tags_of(state, resource));
    all.push_back(tags);
  }
  return all;
}

Result<Reply> list(Turn& turn, const Call& call) {
  std::vector<std::string> names;
  for (const auto& [name, created] : turn.state.tags) names.push_back(name);
  std::vector<const std::string*> items;
  for (const auto& name : names) items.push_back(&name);
  return list_reply(call, "tags", items, [&](const std::string& name) {
    return view::tag(turn.state, name, call.request.base_url);
  });
}

Result<Reply> create(Turn& turn, const Call& call) {
  PAAS_TRY(const auto name, text_field(call.body, "name"));
  if (!name) return invalid("Name can't be blank");
  PAAS_CHECK(check_tag_names({*name}));
  ensure_tags(turn, {*name});
  return Reply{201, {{"tag", view::tag(turn.state, *name, call.request.base_url)}}};
}

Result<Reply> get(Turn& turn, const Call& call) {
  const auto& name = call.arguments[0];
  if (!turn.state.tags.contains(name)) return not_found();
  return Reply{200, {{"tag", view::tag(turn.state, name, call.request.base_url)}}};
}

Result<Reply> remove(Turn& turn, const Call& call) {
  auto& state = turn.state;
  const auto& name = call.arguments[0];
  if (state.tags.erase(name) == 0) return not_found();
  for (auto& [id, droplet] : state.droplets) remove_tag(droplet.tags, name);
  for (auto& [id, image] : state.images) remove_tag(image.tags, name);
  for (auto& [id, volume] : state.volumes) remove_tag(volume.tags, name);
  for (auto& [id, firewall] : state.firewalls) {
    remove_tag(firewall.tags, name);
    for (auto* rules : {&firewall.inbound, &firewall.outbound}) {
      for (auto& rule : *rules) remove_tag(rule.peers.tags, name);
    }
  }
  refresh_rules(turn);
  return Reply{204, {}};
}

Result<Reply> tag_resources(Turn& turn, const Call& call) {
  const auto& name = call.arguments[0];
  if (!turn.state.tags.contains(name)) return not_found();
  PAAS_TRY(const auto all, all_tags_of(turn.state, call.body));
  for (const auto& [tags, to_come] : all) {
    if (!contains(*tags, name)) tags->push_back(name);
  }
  refresh_rules(turn);
  return Reply{204, {}};
}

Result<Reply> untag_resources(Turn& turn, const Call& call) {
  const auto& name = call.arguments[0];
  if (!turn.state.tags.contains(name)) return not_found();
  PAAS_TRY(const auto all, all_tags_of(turn.state, call.body));
  for (const auto& [tags, to_come] : all) {
    remove_tag(*tags, name);
    if (to_come != nullptr) remove_tag(*to_come, name);
  }
  refresh_rules(turn);
  return Reply{204, {}};
}

}  // namespace

Status check_tag_names(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    if (!is_tag_name(name)) {
      return invalid(fmt::format(
          "tag {} is invalid: only letters, numbers, colons, dashes and underscores are allowed",
          name));
    }
  }
  return {};
}

void ensure_tags(Turn& turn, const std::vector<std::string>& names) {
  for (const auto& name : names) turn.state.tags.emplace(name, turn.now());
}

std::vector<ApiRoute> tag_routes() {
  return {{"GET", "/v2/tags", list},
          {"POST", "/v2/tags", create},
          {"GET", "/v2/tags/{}", get},
          {"DELETE", "/v2/tags/{}", remove},
          {"POST", "/v2/tags/{}/resources", tag_resources},
          {"DELETE", "/v2/tags/{}/resources", untag_resources}};
}

}  // namespace paas::cloud
