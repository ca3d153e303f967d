// A list of waiting effects and a few threads that take the first ready one.
#include "cloud/dispatcher.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace paas::cloud {

Dispatcher::Dispatcher(World& world, std::function<void(const EffectDone&)> on_done, int workers)
    : world_(world), on_done_(std::move(on_done)) {
  for (int index = 0; index < workers; ++index) workers_.emplace_back([this] { work(); });
}

Dispatcher::~Dispatcher() { stop(); }

void Dispatcher::submit(std::vector<Effect> effects) {
  if (effects.empty()) return;
  {
    const std::lock_guard guard(mutex_);
    if (stopping_) return;
    for (auto& effect : effects) {
      unfinished_.insert(effect.id);
      waiting_.push_back(std::move(effect));
    }
  }
  changed_.notify_all();
}

void Dispatcher::stop() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  for (auto& worker : workers_) {
    if (worker.joinable()) worker.join();
  }
}

void Dispatcher::work() {
  std::unique_lock guard(mutex_);
  while (true) {
    auto ready = waiting_.end();
    changed_.wait(guard, [&] {
      ready = next_ready();
      return stopping_ || ready != waiting_.end();
    });
    if (stopping_) return;
    const auto effect = std::move(*ready);
    waiting_.erase(ready);
    busy_keys_.insert(effect.order_key);
    const bool skip = superseded(effect);
    guard.unlock();
    on_done_(skip ? EffectDone{effect.id, "", 0} : world_.apply(effect));
    guard.lock();
    busy_keys_.erase(effect.order_key);
    unfinished_.erase(effect.id);
    changed_.notify_all();
  }
}

std::list<Effect>::iterator Dispatcher::next_ready() {
  std::set<std::string> keys_before;
  for (auto effect = waiting_.begin(); effect != waiting_.end(); ++effect) {
    const bool first_of_key = keys_before.insert(effect->order_key).second;
    if (!first_of_key || busy_keys_.contains(effect->order_key)) continue;
    const bool blocked = std::any_of(effect->after.begin(), effect->after.end(),
                                     [&](auto id) { return unfinished_.contains(id); });
    if (!blocked) return effect;
  }
  return waiting_.end();
}

bool Dispatcher::superseded(const Effect& effect) const {
  if (!std::holds_alternative<SetRules>(effect.kind)) return false;
  const auto later = std::find_if(waiting_.begin(), waiting_.end(), [&](const Effect& other) {
    return other.order_key == effect.order_key;
  });
  return later != waiting_.end() && std::holds_alternative<SetRules>(later->kind);
}

}  // namespace paas::cloud
