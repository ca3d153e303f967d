// The world's time, as a run sees it: it passes while somebody waits.
#pragma once

#include <atomic>
#include <mutex>

#include "crash/support/world.hpp"
#include "ports/clock.hpp"
#include "reconcile/support/fuse.hpp"

namespace paas::crash {

class WorldClock : public Clock {
 public:
  /// `jump` is by how much the clock on the wall is set during the second wait.
  WorldClock(World& world, reconcile::testing::Fuse& fuse, std::recursive_mutex& mutex,
             Milliseconds jump)
      : world_(world), fuse_(fuse), mutex_(mutex), jump_(jump) {}

  std::chrono::system_clock::time_point now() override {
    return std::chrono::system_clock::time_point(std::chrono::hours(500'000)) + monotonic() +
           (waits_ > 1 ? jump_ : Milliseconds(0));
  }
  Milliseconds monotonic() override {
    const std::scoped_lock lock(mutex_);
    return world_.time;
  }
  Status wait(Milliseconds duration) override {
    const std::scoped_lock lock(mutex_);
    PAAS_CHECK(fuse_.check());
    world_.time += duration;
    ++waits_;
    return {};
  }

 private:
  World& world_;
  reconcile::testing::Fuse& fuse_;
  std::recursive_mutex& mutex_;
  Milliseconds jump_;
  std::atomic<int> waits_ = 0;
};

}  // namespace paas::crash
