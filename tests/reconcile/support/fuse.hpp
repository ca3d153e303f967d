// Ends a run after a number of effects, as if its process had been killed there.
#pragma once

#include <atomic>

#include "base/result.hpp"

namespace paas::reconcile::testing {

/// Counts effects on the world. The one that blows it takes place, but nobody hears of it, and
/// nothing takes place afterwards: as if the process had been killed there.
class Fuse {
 public:
  void set(int effects) { left_ = effects; }
  /// Whether anything still happens.
  bool blown() const { return blown_; }
  /// Called after an effect took place; an error when that was the last one.
  Status spend() {
    ++spent_;
    if (--left_ == 0) blown_ = true;
    return check();
  }
  Status check() const {
    if (blown_) return fail(ErrorKind::interrupted, "killed");
    return {};
  }
  int spent() const { return spent_; }

 private:
  std::atomic<int> left_{-1};
  std::atomic<int> spent_{0};
  std::atomic<bool> blown_{false};
};

}  // namespace paas::reconcile::testing
