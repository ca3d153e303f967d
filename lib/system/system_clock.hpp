// The machine's clocks, and waiting that an interruption ends.
#pragma once

#include <stop_token>
#include <utility>

#include "ports/clock.hpp"

namespace paas::system {

class SystemClock : public Clock {
 public:
  explicit SystemClock(std::stop_token stop = {}) : stop_(std::move(stop)) {}
  std::chrono::system_clock::time_point now() override;
  std::chrono::milliseconds monotonic() override;
  Status wait(std::chrono::milliseconds duration) override;

 private:
  std::stop_token stop_;
};

}  // namespace paas::system
