// Answers /v2/volumes/actions and /v2/volumes/{id}/actions: attaching, detaching and growing.
#include <fmt/format.h>

#include "base/text.hpp"
#include "cloud/action_list.hpp"
#include "cloud/routes.hpp"
#include "cloud/tags.hpp"
#include "cloud/views.hpp"

namespace paas::cloud {
namespace {

constexpr std::size_t max_volumes = 7;
constexpr std::int64_t max_size_gigabytes = 16'384;

Volume* find_volume(State& state, const std::string& id) {
  const auto found = state.volumes.find(id);
  return found == state.volumes.end() ? nullptr : &found->second;
}

Action& start(Turn& turn, Volume& volume, const std::string& type) {
  auto& action = start_action(turn, {type, "volume", 0, volume.id, volume.region});
  volume.pending_action = action.id;
  return action;
}

/// The droplet that the body names, when it can take an event now.
Result<Droplet*> idle_droplet(Turn& turn, const Json& body) {
  PAAS_TRY(const auto id, number_field(body, "droplet_id"));
  if (!id) return invalid("droplet_id is required");
  auto* droplet = find_droplet(turn.state, *id);
  if (droplet == nullptr) return not_found();
  if (droplet->pending_action != 0) return pending_event();
  return droplet;
}

Result<Reply> attach(Turn& turn, Volume& volume, const Json& body) {
  if (volume.droplet_id != 0) return invalid("This volume is already attached");
  PAAS_TRY(const auto tags, texts_field(body, "tags"));
  PAAS_CHECK(check_tag_names(tags));
  PAAS_TRY(auto* droplet, idle_droplet(turn, body));
  if (droplet->region != volume.region) {
    return invalid("The volume and the Droplet must be in the same region.");
  }
  if (droplet->volume_ids.size() >= max_volumes) {
    return invalid(fmt::format("A Droplet can have {} volumes at most.", max_volumes));
  }
  auto& action = start(turn, volume, "attach_volume");
  droplet->pending_action = action.id;
  ensure_tags(turn, tags);
  for (const auto& tag : tags) {
    if (!contains(volume.tags, tag)) volume.tags.push_back(tag);
  }
  emit(turn, AttachVolume{volume.id, volume.name, droplet->id}, action.id);
  return Reply{202, {{"action", view::action(action)}}};
}

Result<Reply> detach(Turn& turn, Volume& volume, const Json& body) {
  PAAS_TRY(const auto id, number_field(body, "droplet_id"));
  if (volume.droplet_id == 0 || (id && *id != volume.droplet_id)) {
    return invalid("Attachment not found");
  }
  auto* droplet = find_droplet(turn.state, volume.droplet_id);
  if (droplet == nullptr || droplet->pending_action != 0) return pending_event();
  auto& action = start(turn, volume, "detach_volume");
  droplet->pending_action = action.id;
  emit(turn, DetachVolume{volume.id, volume.name, droplet->id}, action.id);
  return Reply{202, {{"action", view::action(action)}}};
}

Result<Reply> resize(Turn& turn, Volume& volume, const Json& body) {
  PAAS_TRY(const auto size, number_field(body, "size_gigabytes"));
  if (!size || *size > max_size_gigabytes) {
    return invalid(fmt::format("size_gigabytes must be from 1 to {}", max_size_gigabytes));
  }
  if (*size <= volume.size_gigabytes) {
    return invalid("The new size must be larger than the volume's current size.");
  }
  auto& action = start(turn, volume, "resize");
  emit(turn, ResizeVolume{volume.id, static_cast<int>(*size)}, action.id);
  return Reply{202, {{"action", view::action(action)}}};
}

Result<Reply> act_on(Turn& turn, Volume& volume, const Json& body) {
  PAAS_TRY(const auto type, text_field(body, "type"));
  PAAS_TRY(const auto region, text_field(body, "region"));
  if (region && *region != volume.region) return not_found();
  if (volume.pending_action != 0) return invalid("The volume already has a pending event.");
  if (type == "attach") return attach(turn, volume, body);
  if (type == "detach") return detach(turn, volume, body);
  if (type == "resize") return resize(turn, volume, body);
  return invalid("type must be attach, detach or resize");
}

Result<Reply> act(Turn& turn, const Call& call) {
  auto* volume = find_volume(turn.state, call.arguments[0]);
  if (volume == nullptr) return not_found();
  return act_on(turn, *volume, call.body);
}

Result<Reply> act_by_name(Turn& turn, const Call& call) {
  PAAS_TRY(const auto name, text_field(call.body, "volume_name"));
  PAAS_TRY(const auto region, text_field(call.body, "region"));
  if (!name || name->empty()) return invalid("volume_name is required");
  for (auto& [id, volume] : turn.state.volumes) {
    if (volume.name == *name && (!region || volume.region == *region)) {
      return act_on(turn, volume, call.body);
    }
  }
  return not_found();
}

Result<Reply> list(Turn& turn, const Call& call) {
  if (find_volume(turn.state, call.arguments[0]) == nullptr) return not_found();
  return actions_reply(turn.state, call, [&](const Action& action) {
    return action.resource_type == "volume" && action.resource == call.arguments[0];
  });
}

Result<Reply> get(Turn& turn, const Call& call) {
  const auto found = turn.state.actions.find(text::to_integer(call.arguments[1]).value_or(0));
  if (found == turn.state.actions.end() || found->second.resource != call.arguments[0]) {
    return not_found();
  }
  return Reply{200, {{"action", view::action(found->second)}}};
}

}  // namespace

std::vector<ApiRoute> volume_action_routes() {
  return {{"POST", "/v2/volumes/actions", act_by_name},
          {"POST", "/v2/volumes/{}/actions", act},
          {"GET", "/v2/volumes/{}/actions", list},
          {"GET", "/v2/volumes/{}/actions/{}", get}};
}

}  // namespace paas::cloud
