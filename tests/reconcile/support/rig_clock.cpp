// Moves the clock of a run.
#include "reconcile/support/rig_clock.hpp"

namespace paas::reconcile::testing {

std::chrono::system_clock::time_point RigClock::now() {
  return std::chrono::system_clock::time_point(std::chrono::hours(500'000)) + monotonic();
}

Status RigClock::wait(std::chrono::milliseconds duration) {
  PAAS_CHECK(fuse_.check());
  auto before = time_.load();
  while (!time_.compare_exchange_weak(before, before + duration)) {
  }
  return {};
}

}  // namespace paas::reconcile::testing
