// The lockfile while steps run side by side: every change is flushed before the next one is made.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "lockfile/store.hpp"

namespace paas::reconcile {

class State {
 public:
  State(lockfile::Store& store, lockfile::Lockfile lockfile)
      : store_(store), lockfile_(std::move(lockfile)) {}

  /// As it was stored last.
  lockfile::Lockfile read() const;

  /// What `look` finds in it, without a copy of the whole.
  template <typename Look>
  auto look(const Look& look) const {
    const std::scoped_lock lock(mutex_);
    return look(lockfile_);
  }

  /// Applies the change and stores the result; on failure nothing is changed. Storing takes time
  /// that grows with the stack: changes that come meanwhile are stored together afterwards, and
  /// fail together.
  Status change(const std::function<void(lockfile::Lockfile&)>& change);

 private:
  struct Waiting {
    const std::function<void(lockfile::Lockfile&)>& change;
    std::optional<Status> stored;
  };
  Status store(const std::vector<Waiting*>& changes, std::unique_lock<std::mutex>& lock);

  lockfile::Store& store_;
  mutable std::mutex mutex_;
  std::condition_variable stored_;
  bool is_storing_ = false;
  std::vector<Waiting*> waiting_;
  lockfile::Lockfile lockfile_;
};

}  // namespace paas::reconcile
