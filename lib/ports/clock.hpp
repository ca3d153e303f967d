// Time: what it is, and waiting for it to pass in a way that an interruption ends.
#pragma once

#include <chrono>

#include "base/result.hpp"

namespace paas {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::chrono::system_clock::time_point now() = 0;
  /// Never goes backwards; only differences mean anything.
  virtual std::chrono::milliseconds monotonic() = 0;
  /// Waits between two polls. Error: interrupted.
  virtual Status wait(std::chrono::milliseconds duration) = 0;
};

}  // namespace paas
