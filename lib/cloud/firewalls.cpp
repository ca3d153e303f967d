// Answers /v2/firewalls with their droplets, tags and rules.
#include <algorithm>

#include "base/text.hpp"
#include "cloud/firewall_request.hpp"
#include "cloud/routes.hpp"
#include "cloud/views.hpp"

namespace paas::cloud {
namespace {

Firewall* named(Turn& turn, const Call& call) {
  const auto found = turn.state.firewalls.find(call.arguments[0]);
  return found == turn.state.firewalls.end() ? nullptr : &found->second;
}

void put_in_place(Turn& turn, Firewall& firewall, WantedFirewall wanted) {
  firewall.name = std::move(wanted.name);
  firewall.inbound = std::move(wanted.inbound);
  firewall.outbound = std::move(wanted.outbound);
  firewall.droplet_ids = std::move(wanted.droplet_ids);
  firewall.tags = std::move(wanted.tags);
  refresh_rules(turn);
}

Result<Reply> list(Turn& turn, const Call& call) {
  return list_reply(call, "firewalls",
                    select(turn.state.firewalls, [](const Firewall&) { return true; }),
                    view::firewall);
}

Result<Reply> list_of_droplet(Turn& turn, const Call& call) {
  const auto* droplet = find_droplet(turn.state, text::to_integer(call.arguments[0]).value_or(0));
  if (droplet == nullptr) return not_found();
  return list_reply(
      call, "firewalls",
      select(turn.state.firewalls,
             [&](const Firewall& firewall) { return is_shown_at(firewall, *droplet); }),
      view::firewall);
}

Result<Reply> create(Turn& turn, const Call& call) {
  PAAS_TRY(auto wanted, checked_firewall(turn.state, call.body, ""));
  const auto id = new_uuid(turn.state);
  auto& firewall = turn.state.firewalls[id];
  firewall.id = id;
  firewall.created = turn.now();
  put_in_place(turn, firewall, std::move(wanted));
  return Reply{202, {{"firewall", view::firewall(firewall)}}};
}

Result<Reply> get(Turn& turn, const Call& call) {
  const auto* firewall = named(turn, call);
  if (firewall == nullptr) return not_found();
  return Reply{200, {{"firewall", view::firewall(*firewall)}}};
}

Result<Reply> replace(Turn& turn, const Call& call) {
  auto* firewall = named(turn, call);
  if (firewall == nullptr) return not_found();
  PAAS_TRY(auto wanted, checked_firewall(turn.state, call.body, firewall->id));
  put_in_place(turn, *firewall, std::move(wanted));
  return Reply{200, {{"firewall", view::firewall(*firewall)}}};
}

Result<Reply> remove(Turn& turn, const Call& call) {
  if (named(turn, call) == nullptr) return not_found();
  turn.state.firewalls.erase(call.arguments[0]);
  refresh_rules(turn);
  return Reply{204, {}};
}

WantedFirewall as_wanted(const Firewall& firewall) {
  return {firewall.name, firewall.inbound, firewall.outbound, firewall.droplet_ids, firewall.tags};
}

template <typename Value>
void add_new(std::vector<Value>& values, const std::vector<Value>& added) {
  for (const auto& value : added) {
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
  }
}

template <typename Value>
void take_out(std::vector<Value>& values, const std::vector<Value>& removed) {
  std::erase_if(values, [&](const Value& value) {
    return std::find(removed.begin(), removed.end(), value) != removed.end();
  });
}

/// The parts of a firewall that have paths of their own: what is given there is added or taken out.
Result<Reply> change_part(Turn& turn, const Call& call, const WantedFirewall& part) {
  auto* firewall = named(turn, call);
  auto wanted = as_wanted(*firewall);
  if (call.request.method == "POST") {
    add_new(wanted.droplet_ids, part.droplet_ids);
    add_new(wanted.tags, part.tags);
    add_new(wanted.inbound, part.inbound);
    add_new(wanted.outbound, part.outbound);
    PAAS_CHECK(check_limits(wanted));
  } else {
    take_out(wanted.droplet_ids, part.droplet_ids);
    take_out(wanted.tags, part.tags);
    take_out(wanted.inbound, part.inbound);
    take_out(wanted.outbound, part.outbound);
  }
  put_in_place(turn, *firewall, std::move(wanted));
  return Reply{204, {}};
}

Result<Reply> change_droplets(Turn& turn, const Call& call) {
  if (named(turn, call) == nullptr) return not_found();
  WantedFirewall part;
  PAAS_TRY(part.droplet_ids, checked_droplets(turn.state, call.body));
  if (part.droplet_ids.empty()) return invalid("droplet_ids is required");
  return change_part(turn, call, part);
}

Result<Reply> change_tags(Turn& turn, const Call& call) {
  if (named(turn, call) == nullptr) return not_found();
  WantedFirewall part;
  PAAS_TRY(part.tags, checked_tags(turn.state, call.body));
  if (part.tags.empty()) return invalid("tags is required");
  return change_part(turn, call, part);
}

Result<Reply> change_rules(Turn& turn, const Call& call) {
  if (named(turn, call) == nullptr) return not_found();
  WantedFirewall part;
  PAAS_TRY(part.inbound, checked_rules(turn.state, call.body, "inbound_rules", "sources"));
  PAAS_TRY(part.outbound, checked_rules(turn.state, call.body, "outbound_rules", "destinations"));
  if (part.inbound.empty() && part.outbound.empty()) return invalid("a rule is required");
  return change_part(turn, call, part);
}

}  // namespace

std::vector<ApiRoute> firewall_routes() {
  return {{"GET", "/v2/firewalls", list},
          {"POST", "/v2/firewalls", create},
          {"GET", "/v2/firewalls/{}", get},
          {"PUT", "/v2/firewalls/{}", replace},
          {"DELETE", "/v2/firewalls/{}", remove},
          {"POST", "/v2/firewalls/{}/droplets", change_droplets},
          {"DELETE", "/v2/firewalls/{}/droplets", change_droplets},
          {"POST", "/v2/firewalls/{}/tags", change_tags},
          {"DELETE", "/v2/firewalls/{}/tags", change_tags},
          {"POST", "/v2/firewalls/{}/rules", change_rules},
          {"DELETE", "/v2/firewalls/{}/rules", change_rules},
          {"GET", "/v2/droplets/{}/firewalls", list_of_droplet}};
}

}  // namespace paas::cloud
