// One moment of one scenario: what goes wrong there, and what is wrong afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "crash/support/scenario.hpp"

namespace paas::crash {

/// What happens at a moment.
struct Mishap {
  enum class Kind {
    stop,   ///< The process ends after an effect: kill -9.
    power,  ///< The machine ends with it, and what was not flushed is gone.
    fault,  ///< Something else fails, and the process goes on.
  };
  Kind kind = Kind::stop;
  FaultKind fault = FaultKind::reset_before;
};

/// Where a mishap happens. Written "SCENARIO:MISHAP:SEED:K", it can be repeated.
struct Point {
  std::string scenario;
  Mishap mishap;
  std::uint64_t seed = 1;
  /// The number of the effect, or of the operation in their sorted list; from 1 on.
  int k = 1;
};

std::string to_text(const Point& point);
std::optional<Point> point_from(const std::string& text);

struct Verdict {
  std::vector<std::string> problems;  ///< Empty: all is well.
  std::string at;                     ///< The operation, for people.
};

/// A scenario with its beginning and the undisturbed run that moments are counted in.
class Stage {
 public:
  /// `between` happens to the world between the mishap and the run after it.
  Stage(const Scenario& scenario, std::uint64_t seed, std::function<void(World&)> between = {});

  int effects() const { return effects_; }
  /// Those after which it matters that the power fails.
  const std::vector<int>& unsettled() const { return unsettled_; }
  /// Sorted, because lists are asked for side by side.
  const std::vector<Operation>& operations() const { return operations_; }
  const Scenario& scenario() const { return scenario_; }
  std::uint64_t seed() const { return seed_; }

  Verdict attempt(const Point& point) const;
  /// Several stops one after another at random, with steps side by side.
  Verdict stumble(std::uint64_t seed) const;

 private:
  Verdict stop(const Point& point) const;
  Verdict disturb(const Point& point) const;
  void finish(World& world, Verdict& verdict) const;

  const Scenario& scenario_;
  std::uint64_t seed_;
  std::function<void(World&)> between_;
  World beginning_;
  Expected expected_;
  int effects_ = 0;
  std::vector<int> unsettled_;
  std::vector<Operation> operations_;
};

}  // namespace paas::crash
