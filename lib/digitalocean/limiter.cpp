// Reads the rate limit's headers and says how long to wait.
#include "digitalocean/limiter.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "digitalocean/errors.hpp"

namespace paas::digitalocean {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A reset far away (a wrong clock, the hourly limit) is approached in steps of this length.
constexpr milliseconds wait_max = std::chrono::minutes(5);
constexpr milliseconds wait_min = seconds(1);

}  // namespace

Limiter::Limiter(Clock& clock) : clock_(clock) {}

milliseconds Limiter::before_request() {
  const std::lock_guard lock(mutex_);
  if (!remaining_) return milliseconds(0);
  const auto now = clock_.monotonic();
  if (now >= reset_at_) {
    // The oldest requests are forgotten by now; the next answer tells how many remain.
    remaining_.reset();
    return milliseconds(0);
  }
  if (*remaining_ <= 0) return reset_at_ - now;
  --*remaining_;
  return milliseconds(0);
}

void Limiter::learn(const HttpResponse& response) {
  const auto remaining = text::to_integer(header(response, "ratelimit-remaining"));
  const auto wait = until_reset(response);
  if (!remaining || !wait) return;
  const std::lock_guard lock(mutex_);
  remaining_ = *remaining;
  reset_at_ = clock_.monotonic() + *wait;
}

std::optional<milliseconds> Limiter::asked_to_wait(const HttpResponse& response) {
  if (const auto after = text::to_integer(header(response, "retry-after"))) {
    return std::clamp<milliseconds>(seconds(std::clamp<std::int64_t>(*after, 0, 86'400)), wait_min,
                                    wait_max);
  }
  return until_reset(response);
}

std::optional<milliseconds> Limiter::until_reset(const HttpResponse& response) {
  const auto reset = text::to_integer(header(response, "ratelimit-reset"));
  if (!reset || *reset < 0 || *reset > 100'000'000'000) return std::nullopt;
  const auto now = std::chrono::duration_cast<milliseconds>(clock_.now().time_since_epoch());
  return std::clamp<milliseconds>(seconds(*reset) - now, wait_min, wait_max);
}

}  // namespace paas::digitalocean
