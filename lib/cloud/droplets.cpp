// Answers /v2/droplets: listing and destroying.
#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "cloud/fault.hpp"
#include "cloud/routes.hpp"
#include "cloud/views.hpp"

namespace paas::cloud {
namespace {

/// The API's document has names compared without regard to case.
bool has_name(const Droplet& droplet, const std::string& name) {
  return name.empty() || text::lower(droplet.name) == text::lower(name);
}

Result<Reply> list(Turn& turn, const Call& call) {
  const auto name = call.query("name");
  const auto tag = call.query("tag_name");
  if (!name.empty() && !tag.empty()) return invalid("name and tag_name cannot be combined");
  const bool gpus = call.query("type") == "gpus";
  std::vector<const Droplet*> droplets;
  for (auto& [id, droplet] : turn.state.droplets) {
    const bool asked_for = !gpus && is_shown(droplet) && has_name(droplet, name) &&
                           (tag.empty() || contains(droplet.tags, tag));
    if (asked_for && !fault::is_hidden_from(droplet)) droplets.push_back(&droplet);
  }
  return list_reply(call, "droplets", droplets,
                    [&](const Droplet& droplet) { return view::droplet(turn.state, droplet); });
}

Droplet* named(Turn& turn, const Call& call) {
  auto* droplet = find_shown_droplet(turn.state, text::to_integer(call.arguments[0]).value_or(0));
  return droplet == nullptr || fault::is_hidden_from(*droplet) ? nullptr : droplet;
}

Result<Reply> get(Turn& turn, const Call& call) {
  const auto* droplet = named(turn, call);
  if (droplet == nullptr) return not_found();
  return Reply{200, {{"droplet", view::droplet(turn.state, *droplet)}}};
}

Result<Reply> remove(Turn& turn, const Call& call) {
  auto* droplet = named(turn, call);
  if (droplet == nullptr) return not_found();
  if (droplet->pending_action != 0) return pending_event();
  destroy_droplet(turn, *droplet);
  refresh_rules(turn);
  return Reply{204, {}};
}

/// Without a tag this would be every droplet, so there has to be one.
Result<Reply> remove_tagged(Turn& turn, const Call& call) {
  const auto tag = call.query("tag_name");
  if (tag.empty()) return invalid("tag_name is required");
  for (auto& [id, droplet] : turn.state.droplets) {
    if (!droplet.leaving && contains(droplet.tags, tag)) destroy_droplet(turn, droplet);
  }
  refresh_rules(turn);
  return Reply{204, {}};
}

Result<Reply> list_snapshots(Turn& turn, const Call& call) {
  const auto* droplet = named(turn, call);
  if (droplet == nullptr) return not_found();
  return list_reply(call, "snapshots",
                    select(turn.state.images,
                           [&](const Image& image) {
                             return image.droplet_id == droplet->id && !image.pending &&
                                    !image.leaving;
                           }),
                    view::droplet_snapshot);
}

Result<Reply> list_backups(Turn& turn, const Call& call) {
  if (named(turn, call) == nullptr) return not_found();
  return list_reply(call, "backups", std::vector<const Image*>{}, view::droplet_snapshot);
}

/// Reserved IPs that the droplet has, or is just getting.
std::set<std::string> addresses_of(const State& state, const Droplet& droplet) {
  std::set<std::string> addresses;
  for (const auto& [address, reserved] : state.reserved_ips) {
    if (reserved.droplet_id == droplet.id) addresses.insert(address);
  }
  for (const auto& [id, outstanding] : state.outstanding) {
    const auto* kind = std::get_if<AssignAddress>(&outstanding.effect.kind);
    if (kind != nullptr && kind->droplet_id == droplet.id) addresses.insert(kind->address);
  }
  return addresses;
}

}  // namespace

void destroy_droplet(Turn& turn, Droplet& droplet) {
  auto& state = turn.state;
  // Deleting by tag takes busy droplets as well: what they were doing ends here.
  if (const auto busy = state.actions.find(droplet.pending_action); busy != state.actions.end()) {
    finish_action(turn, busy->second, "the droplet was destroyed");
  }
  auto& action = start_action(turn, {"destroy", "droplet", droplet.id, "", droplet.region});
  for (const auto& address : addresses_of(state, droplet)) {
    emit(turn, UnassignAddress{address, droplet.id}, action.id);
  }
  // Its volumes come free with it: while it runs, one that is in use could not be taken away.
  emit(turn, DestroyMachine{droplet.id}, action.id);
  droplet.leaving = true;
  droplet.pending_action = action.id;
  fault::droplet_leaves(turn, droplet.id);
  for (auto& [id, firewall] : state.firewalls) {
    std::erase(firewall.droplet_ids, droplet.id);
    std::erase_if(firewall.pending,
                  [&](const auto& change) { return change.droplet_id == droplet.id; });
    for (auto* rules : {&firewall.inbound, &firewall.outbound}) {
      for (auto& rule : *rules) std::erase(rule.peers.droplet_ids, droplet.id);
    }
  }
}

std::vector<ApiRoute> droplet_routes() {
  return {{"GET", "/v2/droplets", list},
          {"DELETE", "/v2/droplets", remove_tagged},
          {"GET", "/v2/droplets/{}", get},
          {"DELETE", "/v2/droplets/{}", remove},
          {"GET", "/v2/droplets/{}/snapshots", list_snapshots},
          {"GET", "/v2/droplets/{}/backups", list_backups}};
}

}  // namespace paas::cloud
