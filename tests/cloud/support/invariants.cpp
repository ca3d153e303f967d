// Looks through a cloud's state for what must not be.
#include "cloud/support/invariants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <variant>

namespace paas::cloud::testing {

namespace {

/// Collects what does not hold.
class Judge {
 public:
  explicit Judge(const State& state) : state_(state) {}

  void addresses();
  void references();
  void firewalls();
  void actions();
  void effects();
  void ranges();

  std::vector<std::string> found;

 private:
  void demand(bool holds, const std::string& what) {
    if (!holds) found.push_back(what);
  }
  void busy(Id pending, const std::string& what);

  const State& state_;
};

void Judge::addresses() {
  std::set<std::string> taken;
  for (const auto& [id, droplet] : state_.droplets) {
    demand(taken.insert(droplet.public_address).second,
           fmt::format("{} is given twice", droplet.public_address));
    demand(taken.insert(droplet.vpc_id + "/" + droplet.private_address).second,
           fmt::format("{} is given twice in a VPC", droplet.private_address));
    demand(state_.vpcs.contains(droplet.vpc_id), fmt::format("droplet {} is in no VPC", id));
  }
  for (const auto& [address, reserved] : state_.reserved_ips) {
    demand(taken.insert(address).second, fmt::format("{} is given twice", address));
  }
}

void Judge::references() {
  for (const auto& [id, volume] : state_.volumes) {
    if (volume.droplet_id == 0) continue;
    const auto holder = state_.droplets.find(volume.droplet_id);
    demand(holder != state_.droplets.end() && contains(holder->second.volume_ids, id),
           fmt::format("volume {} is on a droplet that does not have it", id));
  }
  std::set<Id> holders;
  for (const auto& [address, reserved] : state_.reserved_ips) {
    if (reserved.droplet_id == 0) continue;
    demand(state_.droplets.contains(reserved.droplet_id),
           fmt::format("{} is assigned to a droplet that is gone", address));
    demand(holders.insert(reserved.droplet_id).second,
           fmt::format("droplet {} has two reserved addresses", reserved.droplet_id));
  }
}

void Judge::firewalls() {
  for (const auto& [id, firewall] : state_.firewalls) {
    for (const auto droplet : firewall.droplet_ids) {
      demand(find_droplet(state_, droplet) != nullptr,
             fmt::format("firewall {} names a droplet that is gone", id));
    }
    for (const auto& tag : firewall.tags) {
      demand(state_.tags.contains(tag), fmt::format("firewall {} names a tag that is gone", id));
    }
    for (const auto& change : firewall.pending) {
      demand(state_.outstanding.contains(change.effect_id),
             fmt::format("firewall {} waits for nothing", id));
    }
  }
}

/// What is busy has an action in progress, and that has an effect to wait for.
void Judge::busy(Id pending, const std::string& what) {
  if (pending == 0) return;
  const auto action = state_.actions.find(pending);
  demand(action != state_.actions.end() && action->second.status == ActionStatus::in_progress,
         fmt::format("{} is busy with no action", what));
  demand(std::any_of(state_.outstanding.begin(), state_.outstanding.end(),
                     [&](const auto& entry) { return entry.second.action_id == pending; }),
         fmt::format("{} is busy for ever", what));
}

void Judge::actions() {
  for (const auto& [id, droplet] : state_.droplets) {
    busy(droplet.pending_action, fmt::format("droplet {}", id));
  }
  for (const auto& [id, volume] : state_.volumes) busy(volume.pending_action, "volume " + id);
  for (const auto& [address, reserved] : state_.reserved_ips) {
    busy(reserved.pending_action, address);
  }
}

void Judge::effects() {
  const auto known = [&](Id droplet) { return state_.droplets.contains(droplet); };
  for (const auto& [id, outstanding] : state_.outstanding) {
    demand(outstanding.effect.id == id, fmt::format("effect {} has another number", id));
    for (const auto before : outstanding.effect.after) {
      demand(before < id, fmt::format("effect {} waits for a later one", id));
    }
    if (const auto* kind = std::get_if<SetRules>(&outstanding.effect.kind)) {
      demand(known(kind->droplet_id), fmt::format("effect {} filters what is gone", id));
    }
    if (const auto* kind = std::get_if<DestroyMachine>(&outstanding.effect.kind)) {
      demand(known(kind->droplet_id), fmt::format("effect {} destroys what is gone", id));
    }
  }
}

void Judge::ranges() {
  std::set<std::string> taken;
  for (const auto& [id, vpc] : state_.vpcs) {
    demand(taken.insert(vpc.ip_range).second, fmt::format("{} is given twice", vpc.ip_range));
  }
}

}  // namespace

std::vector<std::string> disorder_in(const State& state) {
  Judge judge(state);
  judge.addresses();
  judge.references();
  judge.firewalls();
  judge.actions();
  judge.effects();
  judge.ranges();
  return std::move(judge.found);
}

}  // namespace paas::cloud::testing
