// Answers every effect with success, or with the failure that a test asked for.
#include "cloud/metadata_world.hpp"

#include <utility>
#include <variant>

namespace paas::cloud {
namespace {

constexpr std::uint64_t snapshot_bytes = 1'200'000'000;

template <typename... Kinds>
bool is_one_of(const EffectKind& kind) {
  return (std::holds_alternative<Kinds>(kind) || ...);
}

}  // namespace

MetadataWorld::MetadataWorld(Clock& clock, MetadataDelays delays)
    : clock_(clock), delays_(delays) {}

Result<ServiceAddresses> MetadataWorld::start() { return ServiceAddresses{}; }

EffectDone MetadataWorld::apply(const Effect& effect) {
  EffectDone done{effect.id, "", 0};
  {
    const std::lock_guard guard(mutex_);
    if (recording_) applied_.push_back(effect);
    if (const auto failure = failures_.find(effect.order_key); failure != failures_.end()) {
      done.error = failure->second;
    }
  }
  const bool machine =
      is_one_of<CreateMachine, DestroyMachine, ChangePower, SnapshotMachine>(effect.kind);
  const auto delay = machine ? delays_.machine : delays_.other;
  // An interrupted wait ends the process anyway; the effect is asked for again by the next one.
  if (delay.count() > 0) static_cast<void>(clock_.wait(delay));
  if (std::holds_alternative<SnapshotMachine>(effect.kind)) done.size_bytes = snapshot_bytes;
  return done;
}

void MetadataWorld::watch(std::function<void(std::int64_t, bool)> on_change) {
  const std::lock_guard guard(mutex_);
  on_change_ = std::move(on_change);
}

Status MetadataWorld::stop() { return {}; }

Result<int> MetadataWorld::running_machines() { return 0; }

Status MetadataWorld::purge() { return {}; }

void MetadataWorld::record() {
  const std::lock_guard guard(mutex_);
  recording_ = true;
}

std::vector<Effect> MetadataWorld::applied() const {
  const std::lock_guard guard(mutex_);
  return applied_;
}

void MetadataWorld::fail_subject(const std::string& order_key, const std::string& error) {
  const std::lock_guard guard(mutex_);
  if (error.empty()) {
    failures_.erase(order_key);
  } else {
    failures_[order_key] = error;
  }
}

void MetadataWorld::change_machine(std::int64_t droplet_id, bool running) {
  std::function<void(std::int64_t, bool)> on_change;
  {
    const std::lock_guard guard(mutex_);
    on_change = on_change_;
  }
  if (on_change) on_change(droplet_id, running);
}

}  // namespace paas::cloud
