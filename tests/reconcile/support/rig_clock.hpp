// Time that passes only while a run waits.
#pragma once

#include <atomic>
#include <chrono>

#include "ports/clock.hpp"
#include "reconcile/support/fuse.hpp"

namespace paas::reconcile::testing {

/// Moves only when somebody waits.
class RigClock : public Clock {
 public:
  explicit RigClock(Fuse& fuse) : fuse_(fuse) {}
  std::chrono::system_clock::time_point now() override;
  std::chrono::milliseconds monotonic() override { return time_.load(); }
  Status wait(std::chrono::milliseconds duration) override;

 private:
  Fuse& fuse_;
  std::atomic<std::chrono::milliseconds> time_{std::chrono::milliseconds{1000}};
};

}  // namespace paas::reconcile::testing
