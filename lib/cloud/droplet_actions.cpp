// Answers /v2/droplets/{id}/actions: power, snapshots, names and rebuilding.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "cloud/action_list.hpp"
#include "cloud/catalogue.hpp"
#include "cloud/droplet_request.hpp"
#include "cloud/fault.hpp"
#include "cloud/routes.hpp"
#include "cloud/views.hpp"

namespace paas::cloud {
namespace {

Droplet* named(Turn& turn, const Call& call) {
  auto* droplet = find_shown_droplet(turn.state, text::to_integer(call.arguments[0]).value_or(0));
  return droplet == nullptr || fault::is_hidden_from(*droplet) ? nullptr : droplet;
}

Action& start(Turn& turn, Droplet& droplet, const std::string& type) {
  auto& action = start_action(turn, {type, "droplet", droplet.id, "", droplet.region});
  droplet.pending_action = action.id;
  return action;
}

Reply accepted(const Action& action) { return Reply{201, {{"action", view::action(action)}}}; }

/// What needs no work in the world: it is answered as in progress, as DigitalOcean does, and done
/// when it is looked at again.
Reply accepted_and_done(Turn& turn, Action& action) {
  auto reply = accepted(action);
  finish_action(turn, action, "");
  return reply;
}

Result<Reply> change_power(Turn& turn, Droplet& droplet, const std::string& type,
                           PowerChange change) {
  const bool off = droplet.status == DropletStatus::off;
  // Not even an error: Terraform counts on it.
  if (off && change == PowerChange::shutdown) {
    return accepted_and_done(turn, start(turn, droplet, type));
  }
  if (change == PowerChange::on) {
    if (!off) return invalid("Droplet is already powered on.");
  } else if (off && change != PowerChange::cycle) {
    return invalid(change == PowerChange::reboot ? "Droplet is currently powered off."
                                                 : "Droplet is already powered off.");
  }
  auto& action = start(turn, droplet, type);
  emit(turn, ChangePower{droplet.id, change}, action.id);
  return accepted(action);
}

Result<Reply> snapshot(Turn& turn, Droplet& droplet, const Json& body) {
  PAAS_TRY(const auto name, text_field(body, "name"));
  auto& state = turn.state;
  const auto* size = catalogue::find_size(droplet.size);
  Image image;
  image.id = state.next_id++;
  image.name = name && !name->empty() ? *name : fmt::format("{}-{}", droplet.name, turn.now());
  image.machine_image = fmt::format("paas-cloud-{}/snapshot:{}", state.settings.name, image.id);
  image.region = droplet.region;
  image.created = turn.now();
  image.min_disk_size_gigabytes = size == nullptr ? 0 : size->disk_gigabytes;
  image.droplet_id = droplet.id;
  image.pending = true;
  auto& action = start(turn, droplet, "snapshot");
  emit(turn, SnapshotMachine{droplet.id, image.machine_image}, action.id);
  state.images[image.id] = std::move(image);
  return accepted(action);
}

Result<Reply> rename(Turn& turn, Droplet& droplet, const Json& body) {
  PAAS_TRY(const auto name, text_field(body, "name"));
  PAAS_CHECK(check_droplet_name(name.value_or("")));
  auto& action = start(turn, droplet, "rename");
  droplet.name = *name;
  return accepted_and_done(turn, action);
}

/// A new machine from the image with the old one's addresses and volumes.
Result<Reply> rebuild(Turn& turn, Droplet& droplet, const Json& body, const std::string& type) {
  const auto image = body.contains("image") ? image_in(turn.state, body) : droplet.image_id;
  if (!image) return invalid("You specified an invalid image.");
  auto& action = start(turn, droplet, type);
  std::vector<std::string> addresses;
  for (const auto& [address, reserved] : turn.state.reserved_ips) {
    if (reserved.droplet_id == droplet.id) addresses.push_back(address);
  }
  // Detaching clears the droplet's list, so what comes back is noted here.
  const auto volume_ids = droplet.volume_ids;
  for (const auto& address : addresses) {
    emit(turn, UnassignAddress{address, droplet.id}, action.id);
  }
  // What is in use can only be detached when the old machine is gone.
  emit(turn, DestroyMachine{droplet.id}, action.id);
  for (const auto& id : volume_ids) {
    emit(turn, DetachVolume{id, turn.state.volumes[id].name, droplet.id}, action.id);
  }
  droplet.image_id = *image;
  create_machine(turn, droplet, action.id);
  for (const auto& id : volume_ids) {
    turn.state.volumes[id].pending_action = action.id;
    emit(turn, AttachVolume{id, turn.state.volumes[id].name, droplet.id}, action.id);
  }
  for (const auto& address : addresses) {
    turn.state.reserved_ips[address].pending_action = action.id;
    emit(turn, AssignAddress{address, droplet.id}, action.id);
  }
  return accepted(action);
}

/// Memory and processors are records only: containers share this machine's.
Result<Reply> resize(Turn& turn, Droplet& droplet, const Json& body) {
  PAAS_TRY(const auto slug, text_field(body, "size"));
  const auto* size = catalogue::find_size(slug.value_or(""));
  const auto* current = catalogue::find_size(droplet.size);
  if (size == nullptr) return invalid("You specified an invalid size.");
  if (droplet.status != DropletStatus::off) {
    return invalid("Droplet must be powered off before it can be resized.");
  }
  if (current != nullptr && size->disk_gigabytes < current->disk_gigabytes) {
    return invalid("This size is not available because it has a smaller disk.");
  }
  auto& action = start(turn, droplet, "resize");
  droplet.size = size->slug;
  return accepted_and_done(turn, action);
}

/// What is only remembered, so that who asks for it sees that it was asked for.
bool* feature_of(Droplet& droplet, const std::string& action) {
  if (action == "enable_ipv6") return &droplet.ipv6;
  if (action == "enable_backups" || action == "disable_backups") return &droplet.backups;
  return nullptr;
}

Result<Reply> act_on(Turn& turn, Droplet& droplet, const Json& body) {
  PAAS_TRY(const auto given, text_field(body, "type"));
  const auto type = given.value_or("");
  if (droplet.pending_action != 0) return pending_event();
  if (type == "reboot") return change_power(turn, droplet, type, PowerChange::reboot);
  if (type == "power_cycle") return change_power(turn, droplet, type, PowerChange::cycle);
  if (type == "power_off") return change_power(turn, droplet, type, PowerChange::off);
  if (type == "power_on") return change_power(turn, droplet, type, PowerChange::on);
  if (type == "shutdown") return change_power(turn, droplet, type, PowerChange::shutdown);
  if (type == "snapshot") return snapshot(turn, droplet, body);
  if (type == "rename") return rename(turn, droplet, body);
  if (type == "rebuild" || type == "restore") return rebuild(turn, droplet, body, type);
  if (type == "resize") return resize(turn, droplet, body);
  if (auto* feature = feature_of(droplet, type)) {
    *feature = type != "disable_backups";
    return accepted_and_done(turn, start(turn, droplet, type));
  }
  if (type.empty()) return invalid("type is required");
  return invalid(fmt::format("The action {} is not available on the local cloud.", type));
}

Result<Reply> act(Turn& turn, const Call& call) {
  auto* droplet = named(turn, call);
  if (droplet == nullptr) return not_found();
  return act_on(turn, *droplet, call.body);
}

/// One action a droplet that has the tag and can take it; the others are left out.
Result<Reply> act_on_tagged(Turn& turn, const Call& call) {
  const auto tag = call.query("tag_name");
  if (tag.empty()) return invalid("tag_name is required");
  PAAS_TRY(const auto type, text_field(call.body, "type"));
  if (!type || type->empty()) return invalid("type is required");
  std::vector<Id> ids;
  for (const auto& [id, droplet] : turn.state.droplets) {
    if (!droplet.leaving && contains(droplet.tags, tag)) ids.push_back(id);
  }
  Json actions = Json::array();
  for (const auto id : ids) {
    auto reply = act_on(turn, turn.state.droplets[id], call.body);
    if (reply) actions.push_back(std::move(reply->body["action"]));
  }
  return Reply{201, {{"actions", std::move(actions)}}};
}

Result<Reply> list_actions(Turn& turn, const Call& call) {
  const auto* droplet = named(turn, call);
  if (droplet == nullptr) return not_found();
  return actions_reply(turn.state, call, [&](const Action& action) {
    return action.resource_type == "droplet" && action.resource_id == droplet->id;
  });
}

Result<Reply> get_action(Turn& turn, const Call& call) {
  const auto found = turn.state.actions.find(text::to_integer(call.arguments[1]).value_or(0));
  if (found == turn.state.actions.end() || found->second.resource_type != "droplet" ||
      found->second.resource != call.arguments[0]) {
    return not_found();
  }
  return Reply{200, {{"action", view::action(found->second)}}};
}

}  // namespace

std::vector<ApiRoute> droplet_action_routes() {
  return {{"POST", "/v2/droplets/actions", act_on_tagged},
          {"POST", "/v2/droplets/{}/actions", act},
          {"GET", "/v2/droplets/{}/actions", list_actions},
          {"GET", "/v2/droplets/{}/actions/{}", get_action}};
}

}  // namespace paas::cloud
