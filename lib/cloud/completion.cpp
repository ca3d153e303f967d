// What follows when the world reports that an effect ended.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cloud/core.hpp"
#include "cloud/fault.hpp"
#include "cloud/turn.hpp"

namespace paas::cloud {
namespace {

template <typename Value>
void remove_value(std::vector<Value>& values, const Value& value) {
  values.erase(std::remove(values.begin(), values.end(), value), values.end());
}

template <typename Map, typename Key>
auto* value_at(Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

/// Overloads, one a kind of effect: the state afterwards.
class Consequences {
 public:
  Consequences(Turn& turn, const EffectDone& done, const Outstanding& outstanding)
      : turn_(turn), state_(turn.state), done_(done), outstanding_(outstanding) {}

  void operator()(const CreateNetwork& kind) {
    if (auto* vpc = value_at(state_.vpcs, kind.vpc_id)) vpc->made = succeeded();
  }

  void operator()(const RemoveNetwork& kind) { state_.vpcs.erase(kind.vpc_id); }

  void operator()(const CreateMachine& kind) {
    auto* droplet = find_droplet(state_, kind.droplet_id);
    if (droplet == nullptr) return;
    if (succeeded()) {
      if (!droplet->booted) apply_networks_later(turn_, *droplet, outstanding_.action_id);
      droplet->booted = true;
      droplet->status = DropletStatus::active;
      fault::machine_started(turn_, droplet->id);
      return;
    }
    // A rebuild that a fault has error leaves the machine that there is.
    if (droplet->booted && !outstanding_.effect.fault.empty()) return;
    // As on DigitalOcean when a placement fails: the action errored, and the droplet is not found.
    if (auto* action = value_at(state_.actions, outstanding_.action_id)) {
      finish_action(turn_, *action, done_.error);
    }
    destroy_droplet(turn_, *droplet);
    refresh_rules(turn_);
  }

  void operator()(const DestroyMachine& kind) {
    auto* droplet = value_at(state_.droplets, kind.droplet_id);
    // A rebuild's old machine is not the last one.
    if (droplet == nullptr || !droplet->leaving || is_to_be_destroyed(kind.droplet_id)) return;
    // It may run until it is gone, so that its volumes and addresses are nobody else's before.
    if (!succeeded()) {
      emit_again(turn_, kind, outstanding_);
      retried_ = true;
      return;
    }
    for (auto& [id, volume] : state_.volumes) {
      if (volume.droplet_id == kind.droplet_id) volume.droplet_id = 0;
    }
    for (auto& [address, reserved] : state_.reserved_ips) {
      if (reserved.droplet_id == kind.droplet_id) reserved.droplet_id = 0;
    }
    state_.droplets.erase(kind.droplet_id);
    release_images(turn_);
  }

  void operator()(const ChangePower& kind) {
    auto* droplet = find_droplet(state_, kind.droplet_id);
    if (droplet == nullptr || !succeeded()) return;
    const bool off = kind.change == PowerChange::off || kind.change == PowerChange::shutdown;
    droplet->status = off ? DropletStatus::off : DropletStatus::active;
    if (!off) fault::machine_started(turn_, droplet->id);
  }

  void operator()(const ApplyTags& kind) {
    for (const auto id : kind.droplet_ids) {
      auto* droplet = find_droplet(state_, id);
      if (droplet == nullptr) continue;
      for (auto& tag : std::exchange(droplet->tags_to_come, {})) {
        // One that was deleted meanwhile stays so.
        const bool is_new = state_.tags.contains(tag) && !contains(droplet->tags, tag);
        if (is_new) droplet->tags.push_back(std::move(tag));
      }
    }
    refresh_rules(turn_);
  }

  void operator()(const ApplyNetworks& kind) {
    if (auto* droplet = value_at(state_.droplets, kind.droplet_id)) {
      droplet->networks_to_come = false;
    }
  }

  void operator()(const DisturbMachine& kind) {
    auto* droplet = find_droplet(state_, kind.droplet_id);
    if (droplet == nullptr || !succeeded()) return;
    if (kind.what == Disturbance::kill) droplet->status = DropletStatus::off;
    if (kind.what == Disturbance::reboot) fault::machine_started(turn_, droplet->id);
  }

  void operator()(const SetRules& kind) {
    if (succeeded()) return;
    auto* droplet = find_droplet(state_, kind.droplet_id);
    if (droplet != nullptr) repeat_rules(turn_, *droplet, done_.effect_id, outstanding_);
  }

  void operator()(const CreateVolume& kind) {
    if (!succeeded()) state_.volumes.erase(kind.volume_id);
  }

  void operator()(const RemoveVolume&) {}

  void operator()(const ResizeVolume& kind) {
    auto* volume = value_at(state_.volumes, kind.volume_id);
    if (volume != nullptr && succeeded()) volume->size_gigabytes = kind.size_gigabytes;
  }

  void operator()(const AttachVolume& kind) {
    auto* volume = value_at(state_.volumes, kind.volume_id);
    auto* droplet = value_at(state_.droplets, kind.droplet_id);
    if (volume == nullptr || droplet == nullptr || !succeeded()) return;
    volume->droplet_id = kind.droplet_id;
    if (!contains(droplet->volume_ids, kind.volume_id)) {
      droplet->volume_ids.push_back(kind.volume_id);
    }
  }

  void operator()(const DetachVolume& kind) {
    auto* volume = value_at(state_.volumes, kind.volume_id);
    if (volume == nullptr || !succeeded() || volume->droplet_id != kind.droplet_id) return;
    volume->droplet_id = 0;
    if (auto* droplet = value_at(state_.droplets, kind.droplet_id)) {
      remove_value(droplet->volume_ids, kind.volume_id);
    }
  }

  void operator()(const SnapshotMachine& kind) {
    const auto found =
        std::find_if(state_.images.begin(), state_.images.end(), [&](const auto& entry) {
          return entry.second.machine_image == kind.machine_image && entry.second.pending;
        });
    if (found == state_.images.end()) return;
    if (!succeeded()) {
      state_.images.erase(found);
      return;
    }
    found->second.pending = false;
    found->second.size_bytes = done_.size_bytes;
    if (auto* droplet = value_at(state_.droplets, kind.droplet_id)) {
      droplet->snapshot_ids.push_back(found->first);
    }
  }

  void operator()(const RemoveMachineImage&) {}

  void operator()(const AssignAddress& kind) {
    auto* reserved = value_at(state_.reserved_ips, kind.address);
    if (reserved != nullptr && succeeded()) reserved->droplet_id = kind.droplet_id;
  }

  void operator()(const UnassignAddress& kind) {
    auto* reserved = value_at(state_.reserved_ips, kind.address);
    if (reserved == nullptr || !succeeded()) return;
    if (reserved->droplet_id == kind.droplet_id) reserved->droplet_id = 0;
  }

  /// The effect was asked for again, so that this attempt is not the end of it.
  bool retried() const { return retried_; }

 private:
  bool succeeded() const { return done_.error.empty(); }

  bool is_to_be_destroyed(Id droplet_id) const {
    return std::any_of(state_.outstanding.begin(), state_.outstanding.end(),
                       [&](const auto& entry) {
                         const auto* kind = std::get_if<DestroyMachine>(&entry.second.effect.kind);
                         return kind != nullptr && kind->droplet_id == droplet_id;
                       });
  }

  Turn& turn_;
  State& state_;
  const EffectDone& done_;
  const Outstanding& outstanding_;
  bool retried_ = false;
};

bool has_effects(const State& state, Id action_id) {
  return std::any_of(state.outstanding.begin(), state.outstanding.end(),
                     [&](const auto& entry) { return entry.second.action_id == action_id; });
}

}  // namespace

Completion complete(State& state, const EffectDone& done, const Surroundings& surroundings) {
  const auto found = state.outstanding.find(done.effect_id);
  if (found == state.outstanding.end()) return {};
  const auto outstanding = std::move(found->second);
  state.outstanding.erase(found);

  Turn turn{state, surroundings};
  Consequences consequences(turn, done, outstanding);
  std::visit(consequences, outstanding.effect.kind);
  for (auto& [id, firewall] : state.firewalls) {
    std::erase_if(firewall.pending,
                  [&](const auto& change) { return change.effect_id == done.effect_id; });
  }
  fault::effect_ended(state, done.effect_id, done.error);
  Completion completion;
  if (!done.error.empty()) {
    completion.failure = fmt::format("{}: {}", outstanding.effect.order_key, done.error);
  }
  if (const auto action = state.actions.find(outstanding.action_id);
      action != state.actions.end()) {
    // The action's other effects still run; it errors when the last one has ended.
    const bool failed = !done.error.empty() && !consequences.retried();
    if (failed && action->second.error.empty()) action->second.error = done.error;
    if (!has_effects(state, action->first)) {
      finish_action(turn, action->second, std::string(action->second.error));
    }
  }
  completion.effects = std::move(turn.effects);
  return completion;
}

/// What is told while an event is pending may be older or newer than its end: it is told again.
bool machine_changed(State& state, Id droplet_id, bool running) {
  auto* droplet = find_droplet(state, droplet_id);
  if (droplet == nullptr || droplet->pending_action != 0) return false;
  const auto status = running ? DropletStatus::active : DropletStatus::off;
  if (droplet->status == status) return false;
  droplet->status = status;
  return true;
}

std::vector<Effect> resume(State& state, const Surroundings& surroundings) {
  std::vector<Effect> effects;
  for (auto& [id, outstanding] : state.outstanding) {
    outstanding.effect.repeated = true;
    effects.push_back(outstanding.effect);
  }
  Turn turn{state, surroundings};
  for (auto& [id, droplet] : state.droplets) {
    if (droplet.booted && !droplet.leaving) droplet.rules_digest = "unknown";
  }
  refresh_rules(turn);
  fault::resume(turn);
  effects.insert(effects.end(), turn.effects.begin(), turn.effects.end());
  return effects;
}

}  // namespace paas::cloud
