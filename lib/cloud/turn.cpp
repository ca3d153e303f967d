// Orders effects, and follows actions from their start to their end.
#include "cloud/turn.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace paas::cloud {
namespace {

/// Something that an effect works on; two effects on one are kept apart unless both only share it.
struct Subject {
  std::string name;
  Hold hold = Hold::exclusive;
};

std::string droplet_subject(Id id) { return fmt::format("droplet/{}", id); }

/// Overloads, one a kind of effect; the first subject becomes the order key.
struct SubjectsOf {
  using Subjects = std::vector<Subject>;
  Subjects operator()(const CreateNetwork& kind) const { return {{"vpc/" + kind.vpc_id}}; }
  Subjects operator()(const RemoveNetwork& kind) const { return {{"vpc/" + kind.vpc_id}}; }
  Subjects operator()(const CreateMachine& kind) const {
    return {{droplet_subject(kind.droplet_id)},
            {"vpc/" + kind.vpc_id, Hold::shared},
            {"image/" + kind.machine_image, Hold::shared}};
  }
  Subjects operator()(const DestroyMachine& kind) const {
    return {{droplet_subject(kind.droplet_id)}};
  }
  Subjects operator()(const ChangePower& kind) const {
    return {{droplet_subject(kind.droplet_id)}};
  }
  Subjects operator()(const SetRules& kind) const { return {{droplet_subject(kind.droplet_id)}}; }
  Subjects operator()(const CreateVolume& kind) const { return {{"volume/" + kind.volume_id}}; }
  Subjects operator()(const RemoveVolume& kind) const { return {{"volume/" + kind.volume_id}}; }
  Subjects operator()(const ResizeVolume& kind) const { return {{"volume/" + kind.volume_id}}; }
  Subjects operator()(const AttachVolume& kind) const {
    return {{"volume/" + kind.volume_id}, {droplet_subject(kind.droplet_id)}};
  }
  Subjects operator()(const DetachVolume& kind) const {
    return {{"volume/" + kind.volume_id}, {droplet_subject(kind.droplet_id)}};
  }
  Subjects operator()(const SnapshotMachine& kind) const {
    return {{droplet_subject(kind.droplet_id)}, {"image/" + kind.machine_image}};
  }
  Subjects operator()(const RemoveMachineImage& kind) const {
    return {{"image/" + kind.machine_image}};
  }
  Subjects operator()(const AssignAddress& kind) const {
    return {{"address/" + kind.address}, {droplet_subject(kind.droplet_id)}};
  }
  Subjects operator()(const UnassignAddress& kind) const {
    return {{"address/" + kind.address}, {droplet_subject(kind.droplet_id)}};
  }
  Subjects operator()(const DisturbMachine& kind) const {
    return {{droplet_subject(kind.droplet_id)}};
  }
  /// It waits for no machine, and none waits for it.
  Subjects operator()(const ApplyTags& kind) const {
    return {{fmt::format("tags/{}", kind.droplet_ids.front())}};
  }
  Subjects operator()(const ApplyNetworks& kind) const {
    return {{fmt::format("networks/{}", kind.droplet_id)}};
  }
};

std::vector<Subject> subjects_of(const EffectKind& kind) { return std::visit(SubjectsOf{}, kind); }

void enter(Turn& turn, Id effect_id, const std::vector<Subject>& subjects) {
  for (const auto& subject : subjects) {
    turn.claims[subject.name].push_back({effect_id, subject.hold});
  }
}

/// Looking through everything outstanding for each of many effects would take the square of their
/// number.
void enter_outstanding(Turn& turn) {
  if (turn.knows_claims) return;
  turn.knows_claims = true;
  for (const auto& [id, outstanding] : turn.state.outstanding) {
    enter(turn, id, subjects_of(outstanding.effect.kind));
  }
}

/// What is outstanding and works on one of these, in the order in which it was asked for.
std::vector<Id> before(const Turn& turn, const std::vector<Subject>& subjects) {
  std::set<Id> effects;
  for (const auto& subject : subjects) {
    const auto claims = turn.claims.find(subject.name);
    if (claims == turn.claims.end()) continue;
    for (const auto& claim : claims->second) {
      const bool exclusive = subject.hold == Hold::exclusive || claim.hold == Hold::exclusive;
      // One that ended in this turn is still in the list.
      if (exclusive && turn.state.outstanding.contains(claim.effect_id)) {
        effects.insert(claim.effect_id);
      }
    }
  }
  return {effects.begin(), effects.end()};
}

/// A second after the first attempt, then twice as long each time, up to a minute.
std::chrono::milliseconds delay_after(int attempts) {
  constexpr std::chrono::seconds longest{60};
  constexpr int doublings = 6;
  return std::min(longest, std::chrono::seconds(1 << std::min(attempts - 1, doublings)));
}

/// More actions than this are forgotten, the oldest that ended first: an account's list is endless,
/// this machine's memory is not.
constexpr std::size_t max_actions = 20'000;

void forget_old_actions(State& state) {
  for (auto entry = state.actions.begin();
       entry != state.actions.end() && state.actions.size() > max_actions;) {
    entry = entry->second.status == ActionStatus::in_progress ? std::next(entry)
                                                              : state.actions.erase(entry);
  }
}

}  // namespace

Id emit(Turn& turn, EffectKind kind, Id action_id) {
  enter_outstanding(turn);
  const auto subjects = subjects_of(kind);
  Effect effect;
  effect.id = turn.state.next_id++;
  effect.order_key = subjects.front().name;
  effect.after = before(turn, subjects);
  enter(turn, effect.id, subjects);
  effect.kind = std::move(kind);
  turn.state.outstanding[effect.id] = {effect, action_id, 1};
  turn.effects.push_back(std::move(effect));
  return turn.effects.back().id;
}

Id emit_again(Turn& turn, EffectKind kind, const Outstanding& failed) {
  const auto id = emit(turn, std::move(kind), failed.action_id);
  auto& record = turn.state.outstanding[id];
  record.attempt = failed.attempt + 1;
  for (auto* effect : {&record.effect, &turn.effects.back()}) {
    effect->repeated = true;
    effect->delay = delay_after(failed.attempt);
  }
  return id;
}

namespace {

/// Long enough that who asks at once does not see it yet.
void emit_later(Turn& turn, EffectKind kind, Id action_id) {
  constexpr std::chrono::milliseconds delay{200};
  const auto id = emit(turn, std::move(kind), action_id);
  for (auto* effect : {&turn.state.outstanding[id].effect, &turn.effects.back()}) {
    effect->delay = delay;
  }
}

}  // namespace

void apply_tags_later(Turn& turn, std::vector<Id> droplet_ids) {
  emit_later(turn, ApplyTags{std::move(droplet_ids)}, 0);
}

void apply_networks_later(Turn& turn, Droplet& droplet, Id action_id) {
  droplet.networks_to_come = true;
  emit_later(turn, ApplyNetworks{droplet.id}, action_id);
}

Action& start_action(Turn& turn, ActionTarget target) {
  forget_old_actions(turn.state);
  Action action;
  action.id = turn.state.next_id++;
  action.type = std::move(target.type);
  action.resource_type = std::move(target.resource_type);
  action.resource_id = target.resource_id;
  action.resource =
      target.resource.empty() ? std::to_string(target.resource_id) : std::move(target.resource);
  action.region = std::move(target.region);
  action.started = turn.now();
  return turn.state.actions[action.id] = std::move(action);
}

void finish_action(Turn& turn, Action& action, const std::string& error) {
  if (action.status != ActionStatus::in_progress) return;
  action.status = error.empty() ? ActionStatus::completed : ActionStatus::errored;
  action.error = error;
  action.completed = turn.now();
  const auto release = [&](auto& resources) {
    for (auto& [id, resource] : resources) {
      if (resource.pending_action == action.id) resource.pending_action = 0;
    }
  };
  release(turn.state.droplets);
  release(turn.state.volumes);
  release(turn.state.reserved_ips);
}

}  // namespace paas::cloud
