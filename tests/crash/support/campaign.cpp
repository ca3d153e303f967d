// Spreads points over the processors and collects what failed.
#include "crash/support/campaign.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <mutex>
#include <thread>

#include "base/parallel.hpp"
#include "base/text.hpp"

namespace paas::crash {
namespace {

constexpr std::size_t told_max = 8;
constexpr int tries_again = 5;

std::int64_t number_from(const char* variable, std::int64_t otherwise) {
  const auto* text = std::getenv(variable);
  if (text == nullptr) return otherwise;
  return text::to_integer(text).value_or(otherwise);
}

/// What failed, as the test tells it.
class Failures {
 public:
  void add(const std::string& replay, const Verdict& verdict) {
    const std::scoped_lock lock(mutex_);
    if (++count_ > told_max) return;
    text_ += fmt::format("{} ({})\n", replay, verdict.at);
    for (const auto& problem : verdict.problems) text_ += "    " + problem + "\n";
  }
  void judge() const { CHECK_MESSAGE(count_ == 0, count_, " failed:\n", text_); }

 private:
  std::mutex mutex_;
  std::size_t count_ = 0;
  std::string text_;
};

int processors() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

}  // namespace

int stride(int otherwise) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  otherwise *= 8;
#endif
  return static_cast<int>(std::max<std::int64_t>(1, number_from("PAASCTL_CRASH_EVERY", otherwise)));
}

std::uint64_t first_seed() {
  return static_cast<std::uint64_t>(number_from("PAASCTL_CRASH_SEED", 1));
}

void attempt_all(const Stage& stage, const std::vector<Point>& points, int every,
                 const std::string& what) {
  Failures failures;
  const auto step = static_cast<std::size_t>(every);
  const auto first = static_cast<std::size_t>(stage.seed()) % step;
  const auto count = points.size() > first ? (points.size() - first + step - 1) / step : 0;
  run_side_by_side(count, processors(), [&](std::size_t index) {
    const auto& point = points[first + index * step];
    const auto verdict = stage.attempt(point);
    if (!verdict.problems.empty()) {
      failures.add("PAASCTL_CRASH_POINT=" + to_text(point), verdict);
    }
  });
  fmt::print("{}: {} of {} {} tried (seed {})\n", stage.scenario().name, count, points.size(), what,
             stage.seed());
  failures.judge();
}

void stumble_all(const Stage& stage, std::uint64_t first, int count) {
  Failures failures;
  run_side_by_side(static_cast<std::size_t>(count), processors(), [&](std::size_t index) {
    const auto seed = first + index;
    const auto verdict = stage.stumble(seed);
    if (verdict.problems.empty()) return;
    // Steps that run side by side may meet in another order.
    int again = 0;
    for (int i = 0; i < tries_again; ++i) again += stage.stumble(seed).problems.empty() ? 0 : 1;
    failures.add(fmt::format("PAASCTL_CRASH_SEED={} ({}), failed again in {} of {} tries", seed,
                             stage.scenario().name, again, tries_again),
                 verdict);
  });
  fmt::print("{}: seeds {} to {} tried\n", stage.scenario().name, first, first + count - 1);
  failures.judge();
}

}  // namespace paas::crash
