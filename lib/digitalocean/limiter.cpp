// Decides from its windows, the headers and the last 429 whether a request may go.
#include "digitalocean/limiter.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "digitalocean/errors.hpp"
#include "digitalocean/header_time.hpp"

namespace paas::digitalocean {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int minute_limit_documented = 250;
constexpr int minute_limit_percent = 5;  ///< Of the hour's.
constexpr int key_list_limit = 10;
/// Requests are spread when fewer than this share of the hour's are left.
constexpr int scarce_percent = 20;

constexpr milliseconds pause_min{1000};

/// After a 429 that was another one's doing: the first distance, about the documented rate, and the
/// longest.
constexpr milliseconds slow_distance_first{240};
constexpr milliseconds slow_distance_max{8000};
/// So long without a 429, and the distance is halved.
constexpr milliseconds slow_step = minutes(1);

}  // namespace

Limiter::Limiter(Clock& clock) : clock_(clock) {}

int Limiter::minute_limit() const {
  return std::max(minute_limit_documented, hour_limit_ / (100 / minute_limit_percent));
}

int Limiter::left(milliseconds now) { return hour_limit_ - foreign_ - hour_.used(now); }

/// Zero while enough is left. The scarcer it is, the nearer this comes to the distance at which it
/// lasts.
milliseconds Limiter::scarce_distance(milliseconds now) {
  const int scarce = hour_limit_ / (100 / scarce_percent);
  const int remaining = left(now);
  if (remaining >= scarce || scarce == 0) return milliseconds(0);
  const auto even = hour_.even_distance(remaining, {foreign_, reset_at_}, now);
  return even * (scarce - std::max(0, remaining)) / scarce;
}

/// The distance that requests must have now; zero mostly. Many may wait and ask: what is scarce is
/// computed once a second, and again after each request.
milliseconds Limiter::distance(milliseconds now) {
  while (slow_distance_.count() > 0 && now - slowed_at_ >= slow_step) {
    slowed_at_ += slow_step;
    slow_distance_ = slow_distance_ <= slow_distance_first ? milliseconds(0) : slow_distance_ / 2;
  }
  if (!scarce_distance_at_ || now - *scarce_distance_at_ >= seconds(1)) {
    scarce_distance_ = scarce_distance(now);
    scarce_distance_at_ = now;
  }
  return std::max(slow_distance_, scarce_distance_);
}

/// Others' requests are forgotten at times that nobody tells: when the oldest is said to be
/// forgotten, one request goes ahead, and its answer tells how many remain.
Limiter::Pause Limiter::until_hour_has_room(milliseconds now) {
  Pause pause{pause_min, Cause::hour, 0, hour_limit_};
  if (hour_.in_flight() > 0) return pause;
  auto until = milliseconds::max();
  if (foreign_ < hour_limit_) until = now + hour_.until_at_most(hour_limit_ - foreign_ - 1, now);
  if (foreign_ > 0) until = std::min(until, reset_at_);
  pause.length = std::max(milliseconds(0), until - now);
  return pause;
}

std::optional<Limiter::Pause> Limiter::pause_for(Quota quota, milliseconds now) {
  const auto pause = [&](milliseconds length, Cause cause) -> std::optional<Pause> {
    return Pause{length, cause, std::max(0, left(now)), hour_limit_};
  };
  if (refused_until_ > now) return pause(refused_until_ - now, Cause::refused);
  if (quota == Quota::key_list) {
    if (key_lists_refused_until_ > now) {
      return pause(key_lists_refused_until_ - now, Cause::refused);
    }
    const auto until = key_lists_.until_at_most(key_list_limit - 1, now);
    if (until.count() > 0) return pause(until, Cause::minute);
  }
  const auto until = minute_.until_at_most(minute_limit() - 1, now);
  if (until.count() > 0) return pause(until, Cause::minute);
  if (left(now) <= 0) {
    const auto room = until_hour_has_room(now);
    if (room.length.count() > 0) return room;
    return std::nullopt;
  }
  if (last_sent_) {
    const auto next = *last_sent_ + distance(now);
    const bool is_slow = slow_distance_.count() > 0;
    if (next > now) return pause(next - now, is_slow ? Cause::slow : Cause::scarce);
  }
  return std::nullopt;
}

std::variant<Limiter::Ticket, Limiter::Pause> Limiter::admit(Quota quota) {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.monotonic();
  if (const auto pause = pause_for(quota, now)) return *pause;
  hour_.begin();
  minute_.begin();
  if (quota == Quota::key_list) key_lists_.begin();
  last_sent_ = now;
  scarce_distance_at_.reset();
  return Ticket{quota, ++sent_, ended_, now};
}

void Limiter::end(const Ticket& ticket, milliseconds now) {
  hour_.end(now);
  minute_.end(now);
  if (ticket.quota == Quota::key_list) key_lists_.end(now);
  ++ended_;
  scarce_distance_at_.reset();
}

void Limiter::unanswered(const Ticket& ticket) {
  const std::lock_guard lock(mutex_);
  end(ticket, clock_.monotonic());
}

void Limiter::answered(const Ticket& ticket, const HttpResponse& response, milliseconds jitter) {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.monotonic();
  end(ticket, now);
  const bool is_burst = response.status == 429 && retry_after(response, clock_.now());
  if (!is_burst) learn(ticket, response, now);
  if (response.status == 429) refuse(ticket, response, jitter, now);
}

/// What remains was counted when this request was: those that were on their way at the same time
/// may be in it or not.
void Limiter::learn(const Ticket& ticket, const HttpResponse& response, milliseconds now) {
  const auto remaining = text::to_integer(header(response, "ratelimit-remaining"));
  const auto limit = text::to_integer(header(response, "ratelimit-limit"));
  constexpr std::int64_t limit_max = 1'000'000'000;
  if (!remaining || *remaining < 0 || *remaining > limit_max) return;
  if (ticket.number < learned_from_) return;
  learned_from_ = ticket.number;
  if (limit && *limit >= std::max<std::int64_t>(1, *remaining) && *limit <= limit_max) {
    hour_limit_ = static_cast<int>(*limit);
  }
  const auto at_the_same_time =
      hour_.in_flight() + static_cast<int>(ended_ - 1 - ticket.ended_before);
  const auto counted_max =
      static_cast<int>(std::max<std::int64_t>(0, hour_limit_ - *remaining)) + at_the_same_time;
  const auto own = hour_.used(now);
  foreign_ = std::max(0, counted_max - own);
  hour_.forget_oldest(own - counted_max);
  if (const auto reset = until_reset(response)) reset_at_ = now + *reset;
}

void Limiter::refuse(const Ticket& ticket, const HttpResponse& response, milliseconds jitter,
                     milliseconds now) {
  const auto asked = retry_after(response, clock_.now());
  if (!asked) {
    const auto until = now + until_reset(response).value_or(milliseconds(0)) + jitter;
    refused_until_ = std::max(refused_until_, until);
    return;
  }
  const auto until = now + std::max(*asked, pause_min) + jitter;
  if (ticket.quota == Quota::key_list) {
    // If it was the general limit after all, the next general request learns it.
    key_lists_refused_until_ = std::max(key_lists_refused_until_, until);
    return;
  }
  refused_until_ = std::max(refused_until_, until);
  // Requests that were on their way together are refused together, which is one reason only.
  if (slow_distance_.count() > 0 && ticket.sent < slowed_at_) return;
  slow_distance_ = slow_distance_.count() == 0 ? slow_distance_first
                                               : std::min(slow_distance_ * 2, slow_distance_max);
  slowed_at_ = until;
}

bool Limiter::tells_when(const HttpResponse& response) {
  return retry_after(response, clock_.now()) || until_reset(response);
}

/// The API's reset is a time of day, and its `date` header says what it takes for now. Our own time
/// of day serves where there is none.
std::optional<milliseconds> Limiter::until_reset(const HttpResponse& response) {
  const auto reset = text::to_integer(header(response, "ratelimit-reset"));
  if (!reset || *reset < 0 || *reset > 100'000'000'000) return std::nullopt;
  const auto date = parse_http_date(header(response, "date"));
  const auto now =
      std::chrono::duration_cast<milliseconds>(date.value_or(clock_.now()).time_since_epoch());
  return std::clamp(milliseconds(seconds(*reset)) - now, pause_min,
                    date ? wait_max : wait_max_by_own_clock);
}

}  // namespace paas::digitalocean
