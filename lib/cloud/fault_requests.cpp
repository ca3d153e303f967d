// Answers /paasctl/faults: adding, listing and removing faults. No part of DigitalOcean's API.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "cloud/fault.hpp"
#include "cloud/routes.hpp"

namespace paas::cloud {
namespace {

using fault::Kind;
using fault::Rule;

constexpr std::size_t max_faults = 1000;

/// What a fault of requests strikes, in words for a table: "POST /v2/droplets".
std::string target_of(const Rule& rule) {
  if (fault::is_of_machine(rule.kind)) return rule.droplet;
  auto text = fmt::format("{} {}", rule.method.empty() ? "*" : rule.method, rule.path);
  for (const auto* detail : {&rule.size, &rule.region, &rule.action}) {
    if (!detail->empty()) text += " " + *detail;
  }
  return text;
}

std::string_view state_of(const Rule& rule) {
  if (rule.leaving) return "leaving";
  if (rule.effect_id != 0) return "pending";
  if (!rule.error.empty()) return "failed";
  if (fault::lasts_on_machine(rule.kind)) return "active";
  const bool used_up = rule.times > 0 && rule.hits >= static_cast<std::uint64_t>(rule.times);
  return used_up ? "done" : "active";
}

/// Only what says something of this kind of fault.
Json view_of(const Rule& rule) {
  Json view = {{"id", rule.id},
               {"fault", fault::name_of(rule.kind)},
               {"target", target_of(rule)},
               {"state", state_of(rule)},
               {"matched", rule.matched},
               {"hits", rule.hits}};
  if (fault::is_of_machine(rule.kind)) {
    view["droplet_id"] = rule.droplet_id;
    if (!rule.error.empty()) view["error"] = rule.error;
    return view;
  }
  const auto add = [&](const char* name, const auto& value, const auto& usual) {
    if (value != usual) view[name] = value;
  };
  const Rule usual;
  view["path"] = rule.path;
  add("method", rule.method, usual.method);
  add("first", rule.first, usual.first);
  add("times", rule.times, usual.times);
  if (rule.share < 1) view.update({{"share", rule.share}, {"seed", rule.seed}});
  add("after", rule.after, usual.after);
  add("status", rule.status, usual.status);
  add("body", rule.body, usual.body);
  add("retry_after", rule.retry_after_seconds, usual.retry_after_seconds);
  add("delay_milliseconds", rule.delay_milliseconds, usual.delay_milliseconds);
  add("looks", rule.looks, usual.looks);
  add("size", rule.size, usual.size);
  add("region", rule.region, usual.region);
  add("action", rule.action, usual.action);
  if (rule.kind == Kind::droplet_limit) view["limit"] = rule.limit;
  return view;
}

/// By name or identifier. Error (not_found), with the nearest name.
Result<Droplet*> named_droplet(State& state, const std::string& name) {
  std::vector<std::string> names;
  std::vector<Droplet*> found;
  for (auto& [id, droplet] : state.droplets) {
    if (droplet.leaving) continue;
    if (droplet.name == name || std::to_string(id) == name) found.push_back(&droplet);
    names.push_back(droplet.name);
  }
  if (found.size() > 1) {
    return invalid(fmt::format("{} droplets have the name {}; give the identifier of one: {} ...",
                               found.size(), name, found.front()->id));
  }
  if (found.size() == 1) return found.front();
  const auto near = text::nearest(name, names);
  return fail(ErrorKind::not_found,
              fmt::format("there is no droplet \"{}\"{}", name,
                          near ? fmt::format("; did you mean {}?", *near) : ""));
}

/// The effect that brings the droplet its present rules, after they changed.
Id change_cable(Turn& turn, Droplet& droplet, bool unplugged) {
  droplet.unplugged = unplugged;
  refresh_rules(turn);
  for (const auto& effect : turn.effects) {
    const auto* rules = std::get_if<SetRules>(&effect.kind);
    if (rules != nullptr && rules->droplet_id == droplet.id) return effect.id;
  }
  return 0;
}

Status strike_machine(Turn& turn, Rule& rule) {
  PAAS_TRY(auto* droplet, named_droplet(turn.state, rule.droplet));
  rule.droplet = droplet->name;
  rule.droplet_id = droplet->id;
  if (!droplet->booted) return invalid(droplet->name + " has not booted yet");
  const bool again =
      std::any_of(turn.state.faults.begin(), turn.state.faults.end(), [&](const auto& entry) {
        return fault::lasts_on_machine(rule.kind) && entry.second.kind == rule.kind &&
               entry.second.droplet_id == droplet->id;
      });
  if (again) {
    return fail(ErrorKind::exists, fmt::format("{} has the fault {} already", droplet->name,
                                               fault::name_of(rule.kind)));
  }
  if (rule.kind == Kind::unplug) {
    rule.effect_id = change_cable(turn, *droplet, true);
    if (rule.effect_id == 0) rule.hits = 1;
    return {};
  }
  if (droplet->status != DropletStatus::active) return invalid(droplet->name + " does not run");
  const auto what = rule.kind == Kind::kill     ? Disturbance::kill
                    : rule.kind == Kind::reboot ? Disturbance::reboot
                    : rule.kind == Kind::freeze ? Disturbance::freeze
                                                : Disturbance::fill_disk;
  rule.effect_id = emit(turn, DisturbMachine{droplet->id, what});
  return {};
}

/// Asks for a machine as it was before. What needs no work in the world is gone at once.
void undo(Turn& turn, Rule& rule) {
  auto* droplet = find_droplet(turn.state, rule.droplet_id);
  rule.leaving = true;
  if (droplet == nullptr) return;
  if (rule.kind == Kind::unplug) {
    rule.effect_id = change_cable(turn, *droplet, false);
  } else {
    rule.effect_id =
        emit(turn, DisturbMachine{droplet->id, rule.kind == Kind::freeze ? Disturbance::thaw
                                                                         : Disturbance::free_disk});
  }
}

void remove_rule(Turn& turn, Rule& rule) {
  for (auto& [id, outstanding] : turn.state.outstanding) {
    if (outstanding.effect.held_by == rule.id) fault::release_effect(turn, outstanding, "");
  }
  for (auto& [id, droplet] : turn.state.droplets) {
    if (droplet.hidden_by == rule.id) droplet.hidden_looks = 0;
  }
  if (fault::lasts_on_machine(rule.kind) && !rule.leaving) undo(turn, rule);
  if (rule.effect_id == 0 || !rule.leaving) turn.state.faults.erase(Id(rule.id));
}

Result<Reply> list(Turn& turn, const Call&) {
  Json faults = Json::array();
  for (const auto& [id, rule] : turn.state.faults) faults.push_back(view_of(rule));
  return Reply{200, {{"faults", std::move(faults)}}};
}

Result<Reply> add(Turn& turn, const Call& call) {
  if (turn.state.faults.size() >= max_faults) {
    return invalid(fmt::format("there are {} faults already", max_faults));
  }
  const auto made = fault::wanted_from(call.body).and_then(fault::make);
  if (!made) {
    const auto& error = made.error();
    return invalid(error.hint.empty() ? error.message : error.message + "; " + error.hint);
  }
  auto rule = *made;
  if (fault::is_of_machine(rule.kind)) PAAS_CHECK(strike_machine(turn, rule));
  rule.id = turn.state.next_id++;
  const auto& kept = turn.state.faults[rule.id] = std::move(rule);
  return Reply{201, {{"fault", view_of(kept)}}};
}

Result<Reply> get(Turn& turn, const Call& call) {
  const auto found = turn.state.faults.find(text::to_integer(call.arguments[0]).value_or(0));
  if (found == turn.state.faults.end()) return not_found();
  return Reply{200, {{"fault", view_of(found->second)}}};
}

Result<Reply> remove(Turn& turn, const Call& call) {
  const auto found = turn.state.faults.find(text::to_integer(call.arguments[0]).value_or(0));
  if (found == turn.state.faults.end()) return not_found();
  remove_rule(turn, found->second);
  return Reply{204, {}};
}

Result<Reply> remove_all(Turn& turn, const Call&) {
  std::vector<Id> ids;
  for (const auto& [id, rule] : turn.state.faults) ids.push_back(id);
  for (const auto id : ids) remove_rule(turn, turn.state.faults.at(id));
  return Reply{204, {}};
}

}  // namespace

std::vector<ApiRoute> fault_routes() {
  return {{"GET", "/paasctl/faults", list},
          {"POST", "/paasctl/faults", add},
          {"DELETE", "/paasctl/faults", remove_all},
          {"GET", "/paasctl/faults/{}", get},
          {"DELETE", "/paasctl/faults/{}", remove}};
}

}  // namespace paas::cloud
