// Answers /v2/reserved_ips with their actions.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "cloud/action_list.hpp"
#include "cloud/catalogue.hpp"
#include "cloud/ip_range.hpp"
#include "cloud/routes.hpp"
#include "cloud/views.hpp"

namespace paas::cloud {
namespace {

ReservedIp* find_reserved(State& state, const std::string& address) {
  const auto found = state.reserved_ips.find(address);
  return found == state.reserved_ips.end() ? nullptr : &found->second;
}

Action& start(Turn& turn, const ReservedIp& reserved, const std::string& type) {
  // DigitalOcean gives the address as a number.
  const auto number = static_cast<Id>(parse_ipv4(reserved.address).value_or(0));
  return start_action(turn, {type, "reserved_ip", number, reserved.address, reserved.region});
}

/// The droplet that may get the address: it exists in the region, is idle and has no other one.
Result<Droplet*> receiver(Turn& turn, Id droplet_id, const std::string& region) {
  auto* droplet = find_droplet(turn.state, droplet_id);
  if (droplet == nullptr) return invalid("Droplet not found");
  if (!region.empty() && droplet->region != region) {
    return invalid("The Droplet and the reserved IP must be in the same region.");
  }
  if (droplet->pending_action != 0) return pending_event();
  for (const auto& [address, reserved] : turn.state.reserved_ips) {
    if (reserved.droplet_id == droplet_id) {
      return invalid("The Droplet already has a reserved IP assigned.");
    }
  }
  return droplet;
}

Action& assign(Turn& turn, ReservedIp& reserved, Droplet& droplet) {
  auto& action = start(turn, reserved, "assign_ip");
  reserved.pending_action = action.id;
  droplet.pending_action = action.id;
  if (reserved.droplet_id != 0) {
    emit(turn, UnassignAddress{reserved.address, reserved.droplet_id}, action.id);
  }
  emit(turn, AssignAddress{reserved.address, droplet.id}, action.id);
  return action;
}

Result<Reply> list(Turn& turn, const Call& call) {
  return list_reply(
      call, "reserved_ips", select(turn.state.reserved_ips, [](const ReservedIp&) { return true; }),
      [&](const ReservedIp& reserved) { return view::reserved_ip(turn.state, reserved); });
}

Result<Reply> create(Turn& turn, const Call& call) {
  PAAS_TRY(const auto droplet_id, number_field(call.body, "droplet_id"));
  PAAS_TRY(const auto region, text_field(call.body, "region"));
  if (!droplet_id && !region) return invalid("Either droplet_id or region is required.");
  auto& state = turn.state;
  if (state.reserved_ips.size() >= static_cast<std::size_t>(state.settings.reserved_ip_limit)) {
    return invalid("You have reached your reserved IP limit.");
  }
  Droplet* droplet = nullptr;
  if (droplet_id) {
    PAAS_TRY(droplet, receiver(turn, *droplet_id, ""));
  } else if (catalogue::find_region(*region) == nullptr) {
    return invalid("Region is not available");
  }
  const auto address = new_reserved_address(state);
  if (!address) return invalid("No reserved IP is free.");
  auto& reserved = state.reserved_ips[*address];
  reserved.address = *address;
  reserved.region = droplet == nullptr ? *region : droplet->region;
  reserved.created = turn.now();
  Json links = Json::object();
  if (droplet != nullptr) {
    const auto& action = assign(turn, reserved, *droplet);
    links["droplets"] = Json::array(
        {{{"id", droplet->id},
          {"rel", "droplet"},
          {"href", fmt::format("{}/v2/droplets/{}", call.request.base_url, droplet->id)}}});
    links["actions"] = Json::array({view::action_link(action, "assign_ip", call.request.base_url)});
  }
  return Reply{202,
               {{"reserved_ip", view::reserved_ip(state, reserved)}, {"links", std::move(links)}}};
}

Result<Reply> get(Turn& turn, const Call& call) {
  const auto* reserved = find_reserved(turn.state, call.arguments[0]);
  if (reserved == nullptr) return not_found();
  return Reply{200, {{"reserved_ip", view::reserved_ip(turn.state, *reserved)}}};
}

Result<Reply> remove(Turn& turn, const Call& call) {
  const auto* reserved = find_reserved(turn.state, call.arguments[0]);
  if (reserved == nullptr) return not_found();
  if (reserved->pending_action != 0) return invalid("The reserved IP has a pending event.");
  if (reserved->droplet_id != 0) {
    emit(turn, UnassignAddress{reserved->address, reserved->droplet_id});
  }
  turn.state.reserved_ips.erase(call.arguments[0]);
  return Reply{204, {}};
}

Result<Reply> act(Turn& turn, const Call& call) {
  auto* reserved = find_reserved(turn.state, call.arguments[0]);
  if (reserved == nullptr) return not_found();
  PAAS_TRY(const auto type, text_field(call.body, "type"));
  PAAS_TRY(const auto droplet_id, number_field(call.body, "droplet_id"));
  if (reserved->pending_action != 0) return invalid("The reserved IP has a pending event.");
  if (type == "assign") {
    if (!droplet_id) return invalid("droplet_id is required");
    PAAS_TRY(auto* droplet, receiver(turn, *droplet_id, reserved->region));
    return Reply{201, {{"action", view::action(assign(turn, *reserved, *droplet))}}};
  }
  if (type == "unassign") {
    if (reserved->droplet_id == 0) return invalid("The reserved IP is not assigned.");
    auto* holder = find_droplet(turn.state, reserved->droplet_id);
    if (holder != nullptr && holder->pending_action != 0) return pending_event();
    auto& action = start(turn, *reserved, "unassign_ip");
    reserved->pending_action = action.id;
    if (holder != nullptr) holder->pending_action = action.id;
    emit(turn, UnassignAddress{reserved->address, reserved->droplet_id}, action.id);
    return Reply{201, {{"action", view::action(action)}}};
  }
  return invalid("type must be assign or unassign");
}

Result<Reply> list_actions(Turn& turn, const Call& call) {
  if (find_reserved(turn.state, call.arguments[0]) == nullptr) return not_found();
  return actions_reply(turn.state, call, [&](const Action& action) {
    return action.resource_type == "reserved_ip" && action.resource == call.arguments[0];
  });
}

Result<Reply> get_action(Turn& turn, const Call& call) {
  const auto found = turn.state.actions.find(text::to_integer(call.arguments[1]).value_or(0));
  if (found == turn.state.actions.end() || found->second.resource != call.arguments[0]) {
    return not_found();
  }
  return Reply{200, {{"action", view::action(found->second)}}};
}

void rename_member(Json& object, const char* from, const char* to) {
  const auto found = object.find(from);
  if (found == object.end()) return;
  auto value = std::move(*found);
  object.erase(from);
  object[to] = std::move(value);
}

/// Reserved IPs were called floating IPs until June 2022. The API still answers under the old name,
/// and clients of that time, such as python3-digitalocean and libcloud, ask for nothing else.
template <Handler handler>
Result<Reply> by_old_name(Turn& turn, const Call& call) {
  PAAS_TRY(auto reply, handler(turn, call));
  if (!reply.body.is_object()) return reply;
  rename_member(reply.body, "reserved_ip", "floating_ip");
  rename_member(reply.body, "reserved_ips", "floating_ips");
  const auto rename_type = [](Json& action) { action["resource_type"] = "floating_ip"; };
  if (reply.body.contains("action")) rename_type(reply.body["action"]);
  if (reply.body.contains("actions")) {
    for (auto& action : reply.body["actions"]) rename_type(action);
  }
  return reply;
}

}  // namespace

std::vector<ApiRoute> reserved_ip_routes() {
  return {{"GET", "/v2/reserved_ips", list},
          {"POST", "/v2/reserved_ips", create},
          {"GET", "/v2/reserved_ips/{}", get},
          {"DELETE", "/v2/reserved_ips/{}", remove},
          {"POST", "/v2/reserved_ips/{}/actions", act},
          {"GET", "/v2/reserved_ips/{}/actions", list_actions},
          {"GET", "/v2/reserved_ips/{}/actions/{}", get_action},
          {"GET", "/v2/floating_ips", by_old_name<list>},
          {"POST", "/v2/floating_ips", by_old_name<create>},
          {"GET", "/v2/floating_ips/{}", by_old_name<get>},
          {"DELETE", "/v2/floating_ips/{}", by_old_name<remove>},
          {"POST", "/v2/floating_ips/{}/actions", by_old_name<act>},
          {"GET", "/v2/floating_ips/{}/actions", by_old_name<list_actions>},
          {"GET", "/v2/floating_ips/{}/actions/{}", by_old_name<get_action>}};
}

}  // namespace paas::cloud
