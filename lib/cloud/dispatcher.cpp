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
    const auto now = std::chrono::steady_clock::now();
    for (auto& effect : effects) {
      if (let_go(effect)) continue;
      hasten_before(effect);
      const auto due = now + effect.delay;
      add(std::move(effect), due);
    }
  }
  changed_.notify_all();
}

void Dispatcher::stop() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
    waiting_.clear();
    waiting_by_id_.clear();
    waiting_by_key_.clear();
  }
  changed_.notify_all();
  for (auto& worker : workers_) {
    if (worker.joinable()) worker.join();
  }
}

void Dispatcher::work() {
  std::unique_lock guard(mutex_);
  while (true) {
    const auto ready = await_ready(guard);
    if (stopping_) return;
    const auto effect = take(ready);
    busy_keys_.insert(effect.order_key);
    const bool skip = superseded(effect);
    guard.unlock();
    if (skip || !effect.fault.empty()) {
      on_done_({effect.id, effect.fault, 0});
    } else {
      on_done_(world_.apply(effect));
    }
    guard.lock();
    busy_keys_.erase(effect.order_key);
    unfinished_.erase(effect.id);
    changed_.notify_all();
  }
}

void Dispatcher::add(Effect effect, Time due) {
  unfinished_.insert(effect.id);
  const auto place = waiting_.insert(waiting_.end(), {std::move(effect), due});
  waiting_by_id_[place->effect.id] = place;
  waiting_by_key_[place->effect.order_key].push_back(place);
}

Effect Dispatcher::take(Queue::iterator ready) {
  auto effect = std::move(ready->effect);
  waiting_by_id_.erase(effect.id);
  const auto of_key = waiting_by_key_.find(effect.order_key);
  of_key->second.pop_front();
  if (of_key->second.empty()) waiting_by_key_.erase(of_key);
  waiting_.erase(ready);
  return effect;
}

Dispatcher::Queue::iterator Dispatcher::await_ready(std::unique_lock<std::mutex>& guard) {
  while (true) {
    auto next_due = Time::max();
    const auto ready = next_ready(next_due);
    if (stopping_ || ready != waiting_.end()) return ready;
    if (next_due == Time::max()) {
      changed_.wait(guard);
    } else {
      changed_.wait_until(guard, next_due);
    }
  }
}

Dispatcher::Queue::iterator Dispatcher::next_ready(Time& next_due) {
  const auto now = std::chrono::steady_clock::now();
  for (auto each = waiting_.begin(); each != waiting_.end(); ++each) {
    const auto& effect = each->effect;
    const bool first_of_key = waiting_by_key_.at(effect.order_key).front() == each;
    if (!first_of_key || effect.held_by != 0 || busy_keys_.contains(effect.order_key)) continue;
    const bool blocked = std::any_of(effect.after.begin(), effect.after.end(),
                                     [&](auto id) { return unfinished_.contains(id); });
    if (blocked) continue;
    if (each->due <= now) return each;
    next_due = std::min(next_due, each->due);
  }
  return waiting_.end();
}

void Dispatcher::hasten_before(const Effect& effect) {
  for (const auto id : effect.after) {
    const auto followed = waiting_by_id_.find(id);
    if (followed != waiting_by_id_.end()) followed->second->due = Time::min();
  }
  const auto of_key = waiting_by_key_.find(effect.order_key);
  if (of_key == waiting_by_key_.end()) return;
  for (const auto& earlier : of_key->second) earlier->due = Time::min();
}

bool Dispatcher::let_go(const Effect& effect) {
  const auto known = waiting_by_id_.find(effect.id);
  if (known == waiting_by_id_.end()) return false;
  known->second->effect = effect;
  return true;
}

bool Dispatcher::superseded(const Effect& effect) const {
  if (!std::holds_alternative<SetRules>(effect.kind)) return false;
  const auto later = waiting_by_key_.find(effect.order_key);
  return later != waiting_by_key_.end() &&
         std::holds_alternative<SetRules>(later->second.front()->effect.kind);
}

}  // namespace paas::cloud
