// Ends effects in the order in which they are due.
#include "crash/support/provider.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>

#include "reconcile/support/world.hpp"

namespace paas::crash {
namespace {

constexpr std::uint64_t snapshot_bytes = 1'000;

template <typename... Kinds>
bool is_one_of(const cloud::EffectKind& kind) {
  return (std::holds_alternative<Kinds>(kind) || ...);
}

}  // namespace

Pace pace_of(std::uint64_t seed) {
  Pace pace;
  std::minstd_rand engine(static_cast<unsigned>(seed));
  for (auto* duration : {&pace.machine, &pace.other, &pace.tags, &pace.names, &pace.boot}) {
    *duration = *duration * (engine() % 200) / 100;
  }
  // A user who is quick, one who reads the message first, one who has had a coffee.
  constexpr std::array between = {Milliseconds(200), Milliseconds(4'000), Milliseconds(90'000)};
  pace.between = between.at(engine() % between.size());
  return pace;
}

Provider::Provider(const Pace& chosen) : state(reconcile::testing::World().cloud), pace(chosen) {}

cloud::Surroundings Provider::surroundings(Milliseconds now) {
  cloud::Surroundings around;
  around.now = std::chrono::system_clock::time_point(std::chrono::hours(500'000)) + now;
  return around;
}

Milliseconds Provider::duration_of(const cloud::Effect& effect) const {
  const bool is_slow =
      is_one_of<cloud::CreateMachine, cloud::DestroyMachine, cloud::ChangePower>(effect.kind);
  return effect.delay + (is_slow ? pace.machine : pace.other);
}

void Provider::take(const cloud::Effect& effect, Milliseconds now, Fate fate) {
  open_[effect.id] = {effect, now + duration_of(effect), fate};
}

void Provider::note_new_droplets(Milliseconds now) {
  for (const auto& [id, droplet] : state.droplets) created_.emplace(id, now);
}

bool Provider::end_next(Milliseconds until) {
  auto next = open_.end();
  for (auto entry = open_.begin(); entry != open_.end(); ++entry) {
    const auto& after = entry->second.effect.after;
    const bool is_blocked = std::any_of(after.begin(), after.end(),
                                        [&](std::int64_t id) { return open_.contains(id); });
    if (is_blocked || entry->second.fate == Fate::stuck || entry->second.due > until) continue;
    if (next == open_.end() || entry->second.due < next->second.due) next = entry;
  }
  if (next == open_.end()) return false;
  const auto ended = next->second;
  open_.erase(next);
  last_ = std::max(last_, ended.due);
  const auto completion = cloud::complete(
      state,
      {ended.effect.id, ended.fate == Fate::fails ? "the world refused it" : "", snapshot_bytes},
      surroundings(last_));
  // What waited for it begins now.
  for (auto& [id, waiting] : open_) {
    const auto& after = waiting.effect.after;
    if (std::find(after.begin(), after.end(), ended.effect.id) == after.end()) continue;
    waiting.due = std::max(waiting.due, last_ + duration_of(waiting.effect));
  }
  for (const auto& effect : completion.effects) take(effect, last_, Fate::done);
  if (const auto* made = std::get_if<cloud::CreateMachine>(&ended.effect.kind)) {
    if (ended.fate == Fate::done) booted_[made->droplet_id] = last_ + pace.boot;
  }
  return true;
}

void Provider::advance(Milliseconds now) {
  while (end_next(now)) {
  }
  last_ = std::max(last_, now);
}

void Provider::release_stuck(Milliseconds now) {
  for (auto& [id, open] : open_) {
    if (open.fate == Fate::stuck) open = {open.effect, now, Fate::done};
  }
}

void Provider::settle(Milliseconds& now) {
  constexpr Milliseconds step{60'000};
  release_stuck(now);
  while (!open_.empty()) {
    now += step;
    advance(now);
  }
}

void Provider::hide_droplets(Milliseconds until) {
  for (const auto& [id, droplet] : state.droplets) hidden_until_[id] = until;
}

bool Provider::is_hidden(cloud::Id droplet) const {
  const auto hidden = hidden_until_.find(droplet);
  return hidden != hidden_until_.end() && last_ < hidden->second;
}

bool Provider::asks_for_hidden(const cloud::Request& request) const {
  constexpr std::string_view droplets = "/v2/droplets/";
  if (request.method != "GET" || !request.path.starts_with(droplets)) return false;
  return is_hidden(std::strtoll(request.path.c_str() + droplets.size(), nullptr, 10));
}

void Provider::lose_power(cloud::Id droplet) {
  state.droplets.at(droplet).status = cloud::DropletStatus::off;
}

void Provider::reboot(cloud::Id droplet, Milliseconds now) { booted_[droplet] = now + pace.boot; }

const Milliseconds* Provider::booted_at(cloud::Id droplet) const {
  const auto found = booted_.find(droplet);
  return found == booted_.end() ? nullptr : &found->second;
}

Provider::Hiding::Hiding(Provider& provider, const cloud::Request& request) : provider_(provider) {
  if (request.method != "GET" || request.path != "/v2/droplets") return;
  const auto delay = request.query.contains("tag_name") ? provider.pace.tags : provider.pace.names;
  for (auto& [id, droplet] : provider.state.droplets) {
    const auto created = provider.created_.find(id);
    if (droplet.leaving || created == provider.created_.end()) continue;
    if (!provider.is_hidden(id) && created->second + delay <= provider.last_) continue;
    droplet.hidden_looks = 1;
    hidden_.push_back(id);
  }
}

Provider::Hiding::~Hiding() {
  for (const auto id : hidden_) provider_.state.droplets.at(id).hidden_looks = 0;
}

namespace {

/// Overloads, one a kind of effect: what it does, and the resource that it does it to.
struct Description {
  const cloud::State& state;

  std::string droplet(cloud::Id id) const {
    const auto found = state.droplets.find(id);
    return found == state.droplets.end() ? "a-droplet" : found->second.name;
  }
  std::string operator()(const cloud::CreateNetwork&) const { return "create-network"; }
  std::string operator()(const cloud::RemoveNetwork&) const { return "remove-network"; }
  std::string operator()(const cloud::CreateMachine& kind) const {
    return "create-machine " + kind.name;
  }
  std::string operator()(const cloud::DestroyMachine& kind) const {
    return "destroy-machine " + droplet(kind.droplet_id);
  }
  std::string operator()(const cloud::ChangePower& kind) const {
    return "change-power " + droplet(kind.droplet_id);
  }
  std::string operator()(const cloud::SetRules& kind) const {
    return "set-rules " + droplet(kind.droplet_id);
  }
  std::string operator()(const cloud::CreateVolume& kind) const {
    return "create-volume " + kind.name;
  }
  std::string operator()(const cloud::RemoveVolume&) const { return "remove-volume"; }
  std::string operator()(const cloud::ResizeVolume&) const { return "resize-volume"; }
  std::string operator()(const cloud::AttachVolume& kind) const {
    return "attach-volume " + droplet(kind.droplet_id);
  }
  std::string operator()(const cloud::DetachVolume& kind) const {
    return "detach-volume " + droplet(kind.droplet_id);
  }
  std::string operator()(const cloud::SnapshotMachine& kind) const {
    return "snapshot-machine " + droplet(kind.droplet_id);
  }
  std::string operator()(const cloud::RemoveMachineImage&) const { return "remove-image"; }
  std::string operator()(const cloud::AssignAddress& kind) const {
    return "assign-address " + droplet(kind.droplet_id);
  }
  std::string operator()(const cloud::UnassignAddress& kind) const {
    return "unassign-address " + droplet(kind.droplet_id);
  }
  std::string operator()(const cloud::DisturbMachine& kind) const {
    return "disturb-machine " + droplet(kind.droplet_id);
  }
  std::string operator()(const cloud::ApplyTags& kind) const {
    return "apply-tags " + droplet(kind.droplet_ids.front());
  }
  std::string operator()(const cloud::ApplyNetworks& kind) const {
    return "apply-networks " + droplet(kind.droplet_id);
  }
};

}  // namespace

std::string describe(const cloud::Effect& effect, const cloud::State& state) {
  return std::visit(Description{state}, effect.kind);
}

}  // namespace paas::crash
