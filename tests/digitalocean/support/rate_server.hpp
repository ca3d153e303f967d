// The API's rate limit as its document has it, on a clock that only moves when told.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <ctime>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "digitalocean/limiter.hpp"
#include "ports/clock.hpp"
#include "ports/http.hpp"

namespace paas::digitalocean::testing {

/// Safe to use from several threads: whoever waits moves it on for all.
class SharedClock : public Clock {
 public:
  std::chrono::system_clock::time_point now() override {
    return std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000)) +
           elapsed_.load() + jumped_.load();
  }
  std::chrono::milliseconds monotonic() override { return elapsed_; }
  Status wait(std::chrono::milliseconds duration) override {
    auto before = elapsed_.load();
    while (!elapsed_.compare_exchange_weak(before, before + duration)) {
    }
    return {};
  }
  void set(std::chrono::milliseconds time) { elapsed_ = time; }
  /// Changes the time of day and nothing else.
  void jump(std::chrono::milliseconds by) { jumped_ = jumped_.load() + by; }

 private:
  std::atomic<std::chrono::milliseconds> elapsed_{std::chrono::milliseconds(0)};
  std::atomic<std::chrono::milliseconds> jumped_{std::chrono::milliseconds(0)};
};

/// Windows that slide: 5,000 requests an hour, 250 a minute, 10 a minute for lists of SSH keys.
class RateServer {
 public:
  HttpResponse answer(Quota quota, std::chrono::milliseconds now) {
    const std::lock_guard lock(mutex_);
    if (quota == Quota::key_list && recent(key_lists_, minute_, now) >= 10) {
      return refusal(key_lists_, minute_, 10, now);
    }
    if (recent(requests_, minute_, now) >= 250) return refusal(requests_, minute_, 250, now);
    if (recent(requests_, hour_, now) >= hour_limit) {
      ++refused;
      return {429, headers(now), "{}"};
    }
    requests_.push_back(now);
    if (quota == Quota::key_list) key_lists_.push_back(now);
    ++accepted;
    return {200, headers(now), R"({"account": {"status": "active"}})"};
  }
  /// Somebody else's request with the same token; whether it was let through.
  bool take(std::chrono::milliseconds now) {
    const std::lock_guard lock(mutex_);
    if (recent(requests_, minute_, now) >= 250 || recent(requests_, hour_, now) >= hour_limit) {
      return false;
    }
    requests_.push_back(now);
    return true;
  }

  int hour_limit = 5000;
  int accepted = 0;
  int refused = 0;
  /// Its time of day is what the client's clock says; it may not be sent.
  bool sends_date = true;

 private:
  using Times = std::deque<std::chrono::milliseconds>;

  static std::ptrdiff_t recent(const Times& times, std::chrono::milliseconds length,
                               std::chrono::milliseconds now) {
    return times.end() - std::upper_bound(times.begin(), times.end(), now - length);
  }
  HttpResponse refusal(const Times& times, std::chrono::milliseconds length, int limit,
                       std::chrono::milliseconds now) {
    ++refused;
    const auto first_to_go = times[times.size() - static_cast<std::size_t>(limit)];
    const auto seconds =
        std::chrono::ceil<std::chrono::seconds>(first_to_go + length - now).count();
    auto all = headers(now);
    all["retry-after"] = std::to_string(seconds);
    return {429, std::move(all), "{}"};
  }
  std::map<std::string, std::string> headers(std::chrono::milliseconds now) const {
    const auto used = recent(requests_, hour_, now);
    const auto oldest =
        used == 0 ? now : requests_[requests_.size() - static_cast<std::size_t>(used)];
    const auto day = [](std::chrono::milliseconds time) {
      return 1'700'000'000 + std::chrono::floor<std::chrono::seconds>(time).count();
    };
    std::map<std::string, std::string> all = {
        {"ratelimit-limit", std::to_string(hour_limit)},
        {"ratelimit-remaining", std::to_string(hour_limit - used)},
        {"ratelimit-reset", std::to_string(day(oldest + hour_) + 1)}};
    if (sends_date) all["date"] = date_of(day(now));
    return all;
  }
  /// 1,700,000,000 is Tue, 14 Nov 2023 22:13:20 GMT.
  static std::string date_of(std::int64_t seconds) {
    const auto time = static_cast<std::time_t>(seconds);
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return text.data();
  }

  static constexpr std::chrono::milliseconds minute_ = std::chrono::minutes(1);
  static constexpr std::chrono::milliseconds hour_ = std::chrono::hours(1);
  std::mutex mutex_;
  Times requests_;
  Times key_lists_;
};

}  // namespace paas::digitalocean::testing
