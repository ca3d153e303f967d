// Changes of several threads, stored by the first of them.
#include "reconcile/state.hpp"

#include <utility>

namespace paas::reconcile {

lockfile::Lockfile State::read() const {
  const std::scoped_lock lock(mutex_);
  return lockfile_;
}

Status State::store(const std::vector<Waiting*>& changes, std::unique_lock<std::mutex>& lock) {
  auto next = lockfile_;
  for (const auto* waiting : changes) waiting->change(next);
  if (next == lockfile_) return {};
  lock.unlock();
  auto saved = store_.save(next);
  lock.lock();
  if (saved) lockfile_ = std::move(next);
  return saved;
}

Status State::change(const std::function<void(lockfile::Lockfile&)>& change) {
  std::unique_lock lock(mutex_);
  Waiting own{change, {}};
  waiting_.push_back(&own);
  stored_.wait(lock, [&] { return own.stored || !is_storing_; });
  if (own.stored) return *own.stored;
  is_storing_ = true;
  const auto changes = std::exchange(waiting_, {});
  const auto stored = store(changes, lock);
  for (auto* waiting : changes) waiting->stored = stored;
  is_storing_ = false;
  stored_.notify_all();
  return stored;
}

}  // namespace paas::reconcile
