// The lockfile while steps run side by side: every change is flushed before the next one is made.
#pragma once

#include <mutex>
#include <utility>

#include "lockfile/store.hpp"

namespace paas::reconcile {

class State {
 public:
  State(lockfile::Store& store, lockfile::Lockfile lockfile)
      : store_(store), lockfile_(std::move(lockfile)) {}

  lockfile::Lockfile read() const {
    const std::scoped_lock lock(mutex_);
    return lockfile_;
  }

  /// What `look` finds in it, without a copy of the whole.
  template <typename Look>
  auto look(const Look& look) const {
    const std::scoped_lock lock(mutex_);
    return look(lockfile_);
  }

  /// Applies the change and stores the result; on failure nothing is changed.
  template <typename Change>
  Status change(const Change& change) {
    const std::scoped_lock lock(mutex_);
    auto next = lockfile_;
    change(next);
    if (next == lockfile_) return {};
    PAAS_CHECK(store_.save(next));
    lockfile_ = std::move(next);
    return {};
  }

 private:
  lockfile::Store& store_;
  mutable std::mutex mutex_;
  lockfile::Lockfile lockfile_;
};

}  // namespace paas::reconcile
