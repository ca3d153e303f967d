// Decides which faults strike a request, and does to its outcome what they say.
#include "cloud/fault.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace paas::cloud::fault {
namespace {

using Json = nlohmann::json;

/// SplitMix64 of the rule's seed and the request's number: the same share of the same requests each
/// time, however many other rules there are.
double draw(std::uint64_t seed, std::uint64_t number) {
  auto value = seed * 0x9e3779b97f4a7c15U + number * 0xd1b54a32d192ed03U;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  value ^= value >> 31;
  return static_cast<double>(value >> 11) / static_cast<double>(std::uint64_t{1} << 53);
}

bool is_used_up(const Rule& rule) {
  return rule.times > 0 && rule.hits >= static_cast<std::uint64_t>(rule.times);
}

std::string text_of(const Json& body, const char* name) {
  const auto found = body.is_object() ? body.find(name) : body.end();
  return found != body.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// The type of the action that the request starts if it is accepted; empty when it starts none.
std::string action_of(const Request& request, const Json& body) {
  if (request.path == "/v2/droplets") return "create";
  if (request.path == "/v2/reserved_ips") return body.contains("droplet_id") ? "assign_ip" : "";
  if (!request.path.ends_with("/actions")) return "";
  const auto type = text_of(body, "type");
  const bool of_volume = request.path.starts_with("/v2/volumes/");
  if (of_volume && (type == "attach" || type == "detach")) return type + "_volume";
  if (request.path.starts_with("/v2/reserved_ips/")) return type + "_ip";
  return type;
}

/// Looks at the body only for rules that are about what it says.
bool concerns_body(const Rule& rule, const Request& request) {
  if (rule.kind != Kind::sold_out && rule.kind != Kind::action_error) return true;
  const auto parsed = Json::parse(request.body, nullptr, false);
  const auto body = parsed.is_object() ? parsed : Json::object();
  if (rule.kind == Kind::sold_out) {
    return (rule.size.empty() || rule.size == text_of(body, "size")) &&
           (rule.region.empty() || rule.region == text_of(body, "region"));
  }
  const auto action = action_of(request, body);
  return !action.empty() && (rule.action.empty() || rule.action == action);
}

/// Whether the rule is about the request at all. A limit of droplets is judged where they are made.
bool concerns(const Rule& rule, const Request& request) {
  return !is_of_machine(rule.kind) && rule.kind != Kind::droplet_limit &&
         (rule.method.empty() || rule.method == request.method) &&
         matches_path(rule.path, request.path) && concerns_body(rule, request);
}

/// Counts the request, and says whether it is one of those that are struck.
bool strikes(Rule& rule) {
  ++rule.matched;
  const bool reached = rule.matched >= static_cast<std::uint64_t>(rule.first);
  return reached && !is_used_up(rule) &&
         (rule.share >= 1 || draw(rule.seed, rule.matched) < rule.share);
}

bool is_of_creation(Kind kind) {
  return kind == Kind::missing || kind == Kind::action_error || kind == Kind::stuck;
}

/// Droplets that the request made, in their order.
std::vector<Droplet*> new_droplets(State& state, Id first_id) {
  std::vector<Droplet*> droplets;
  for (auto each = state.droplets.lower_bound(first_id); each != state.droplets.end(); ++each) {
    droplets.push_back(&each->second);
  }
  return droplets;
}

/// The effect as it waits in the state and as it is handed to the world.
template <typename Change>
void change_effects(State& state, Outcome& outcome, Change change) {
  for (auto& effect : outcome.effects) {
    auto& outstanding = state.outstanding.at(effect.id);
    if (!change(effect, outstanding)) continue;
    outstanding.effect.held_by = effect.held_by;
    outstanding.effect.fault = effect.fault;
  }
}

bool hide(State& state, const Rule& rule, Id first_id) {
  const auto droplets = new_droplets(state, first_id);
  for (auto* droplet : droplets) {
    droplet->hidden_looks = rule.looks;
    droplet->hidden_by = rule.id;
  }
  return !droplets.empty();
}

bool hold_back(State& state, const Rule& rule, Outcome& outcome) {
  bool held = false;
  change_effects(state, outcome, [&](Effect& effect, const Outstanding&) {
    if (!std::holds_alternative<CreateMachine>(effect.kind)) return false;
    effect.held_by = rule.id;
    return held = true;
  });
  return held;
}

/// What the operation wrote down before its action succeeds.
void restore_droplet(State& state, const Before& before, Id droplet_id) {
  const auto was = before.droplets.find(droplet_id);
  auto* is = find_droplet(state, droplet_id);
  if (was == before.droplets.end() || is == nullptr) return;
  is->name = was->second.name;
  is->size = was->second.size;
  is->image_id = was->second.image_id;
}

bool let_actions_error(State& state, const Before& before, Outcome& outcome) {
  change_effects(state, outcome, [&](Effect& effect, const Outstanding& outstanding) {
    if (outstanding.action_id < before.next_id) return false;
    effect.fault = "a fault was asked for";
    return true;
  });
  const auto started = state.actions.lower_bound(before.next_id);
  for (auto each = started; each != state.actions.end(); ++each) {
    auto& action = each->second;
    // What needs no work in the world has ended already.
    if (action.status == ActionStatus::completed) action.status = ActionStatus::errored;
    if (action.resource_type == "droplet") restore_droplet(state, before, action.resource_id);
  }
  return started != state.actions.end();
}

template <typename Use>
void for_each_held(State& state, Use use) {
  for (auto& [id, outstanding] : state.outstanding) {
    if (outstanding.effect.held_by != 0) use(outstanding);
  }
}

/// The newest effect that brings a droplet its firewall's rules; 0 when there is none.
Id rules_under_way(const State& state, Id droplet_id) {
  Id newest = 0;
  for (const auto& [id, outstanding] : state.outstanding) {
    const auto* rules = std::get_if<SetRules>(&outstanding.effect.kind);
    if (rules != nullptr && rules->droplet_id == droplet_id) newest = id;
  }
  return newest;
}

bool is_in_force(const Rule& rule) { return rule.hits > 0 && rule.effect_id == 0 && !rule.leaving; }

void ask_again(Turn& turn, Rule& rule, Disturbance what) {
  rule.effect_id = emit(turn, DisturbMachine{rule.droplet_id, what});
}

bool concerns_droplet(const Effect& effect, Id droplet_id) {
  const auto* kind = std::get_if<CreateMachine>(&effect.kind);
  return kind != nullptr && kind->droplet_id == droplet_id;
}

}  // namespace

Decision decide(State& state, const Request& request) {
  Decision decision;
  for (auto& [id, rule] : state.faults) {
    if (!concerns(rule, request) || !strikes(rule)) continue;
    if (rule.kind == Kind::delay) {
      ++rule.hits;
      decision.delay += std::chrono::milliseconds(rule.delay_milliseconds);
    } else if (!decision.rule) {
      // What is done to new droplets is only known to strike when there are any.
      if (!is_of_creation(rule.kind)) ++rule.hits;
      decision.rule = rule;
    }
  }
  return decision;
}

bool answers_instead(const Rule& rule) {
  const bool of_answer = rule.kind == Kind::status || rule.kind == Kind::cut ||
                         rule.kind == Kind::half || rule.kind == Kind::html;
  return rule.kind == Kind::sold_out || (of_answer && !rule.after);
}

Before look_before(const State& state, const Decision& decision) {
  const bool changes = decision.rule && decision.rule->kind == Kind::action_error;
  return {state.next_id, changes ? state.droplets : std::map<Id, Droplet>()};
}

void follow(State& state, const Rule& rule, const Before& before, Outcome& outcome) {
  if (outcome.answer.status >= 400 || !is_of_creation(rule.kind)) return;
  bool hit = false;
  if (rule.kind == Kind::missing) hit = hide(state, rule, before.next_id);
  if (rule.kind == Kind::stuck) hit = hold_back(state, rule, outcome);
  if (rule.kind == Kind::action_error) hit = let_actions_error(state, before, outcome);
  if (hit) ++state.faults.at(rule.id).hits;
}

int droplet_limit(const State& state) {
  std::int64_t limit = state.settings.droplet_limit;
  for (const auto& [id, rule] : state.faults) {
    if (rule.kind == Kind::droplet_limit) limit = std::min(limit, rule.limit);
  }
  return static_cast<int>(limit);
}

bool is_sold_out(const State& state, std::string_view size, std::string_view region) {
  return std::any_of(state.faults.begin(), state.faults.end(), [&](const auto& entry) {
    const auto& rule = entry.second;
    return rule.kind == Kind::sold_out && !is_used_up(rule) &&
           (rule.size.empty() || rule.size == size) &&
           (rule.region.empty() || rule.region == region);
  });
}

bool is_hidden_from(Droplet& droplet) {
  if (droplet.hidden_looks == 0) return false;
  --droplet.hidden_looks;
  return true;
}

void release_effect(Turn& turn, Outstanding& outstanding, const std::string& error) {
  outstanding.effect.held_by = 0;
  outstanding.effect.fault = error;
  turn.effects.push_back(outstanding.effect);
}

void effect_ended(State& state, Id effect_id, const std::string& error) {
  for (auto entry = state.faults.begin(); entry != state.faults.end(); ++entry) {
    auto& rule = entry->second;
    if (rule.effect_id == 0 || rule.effect_id != effect_id) continue;
    rule.error = error;
    // A firewall's rules are tried again until they are in force.
    rule.effect_id = rule.kind == Kind::unplug && !error.empty()
                         ? rules_under_way(state, rule.droplet_id)
                         : Id(0);
    if (rule.effect_id != 0) return;
    if (error.empty() && rule.leaving) {
      state.faults.erase(entry);
      return;
    }
    rule.leaving = false;
    if (error.empty()) rule.hits = 1;
    return;
  }
}

void resume(Turn& turn) {
  for (auto& [id, rule] : turn.state.faults) {
    if (!is_in_force(rule)) continue;
    if (rule.kind == Kind::freeze) ask_again(turn, rule, Disturbance::freeze);
    if (rule.kind == Kind::fill_disk) ask_again(turn, rule, Disturbance::fill_disk);
  }
}

void machine_started(Turn& turn, Id droplet_id) {
  std::erase_if(turn.state.faults, [&](const auto& entry) {
    const auto& rule = entry.second;
    return rule.kind == Kind::freeze && rule.droplet_id == droplet_id && is_in_force(rule);
  });
  for (auto& [id, rule] : turn.state.faults) {
    const bool full = rule.kind == Kind::fill_disk && rule.droplet_id == droplet_id;
    if (full && is_in_force(rule)) ask_again(turn, rule, Disturbance::fill_disk);
  }
}

void droplet_leaves(Turn& turn, Id droplet_id) {
  for_each_held(turn.state, [&](Outstanding& outstanding) {
    if (concerns_droplet(outstanding.effect, droplet_id)) {
      release_effect(turn, outstanding, "the droplet was destroyed");
    }
  });
  std::erase_if(turn.state.faults, [&](const auto& entry) {
    return is_of_machine(entry.second.kind) && entry.second.droplet_id == droplet_id;
  });
}

}  // namespace paas::cloud::fault
