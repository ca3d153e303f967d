// Implementation of the machine's clocks.
#include "system/system_clock.hpp"

#include <condition_variable>
#include <mutex>

namespace paas::system {

std::chrono::system_clock::time_point SystemClock::now() {
  return std::chrono::system_clock::now();
}

std::chrono::milliseconds SystemClock::monotonic() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
}

Status SystemClock::wait(std::chrono::milliseconds duration) {
  std::mutex mutex;
  std::condition_variable_any condition;
  std::unique_lock lock(mutex);
  condition.wait_for(lock, stop_, duration, [] { return false; });
  if (stop_.stop_requested()) return fail(ErrorKind::interrupted, "interrupted");
  return {};
}

}  // namespace paas::system
