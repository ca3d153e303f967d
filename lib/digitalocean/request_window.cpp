// Keeps ended requests in groups that expire as a whole.
#include "digitalocean/request_window.hpp"

#include <algorithm>

namespace paas::digitalocean {
namespace {

using std::chrono::milliseconds;

/// The API may count in whole seconds.
constexpr milliseconds slack{1000};
/// A group expires with its last request, which is late by at most this share of the window.
constexpr int groups_a_window = 600;

}  // namespace

RequestWindow::RequestWindow(milliseconds length) : length_(length) {}

milliseconds RequestWindow::expiry_of(const Group& group) const {
  return group.last + length_ + slack;
}

void RequestWindow::expire(milliseconds now) {
  while (!groups_.empty() && expiry_of(groups_.front()) <= now) {
    ended_ -= groups_.front().count;
    groups_.pop_front();
  }
}

void RequestWindow::end(milliseconds now) {
  --in_flight_;
  ++ended_;
  if (groups_.empty() || now - groups_.back().first > length_ / groups_a_window) {
    groups_.push_back({now, now, 1});
    return;
  }
  groups_.back().last = now;
  ++groups_.back().count;
}

int RequestWindow::used(milliseconds now) {
  expire(now);
  return in_flight_ + ended_;
}

milliseconds RequestWindow::until_at_most(int count, milliseconds now) {
  int excess = used(now) - count;
  if (excess <= 0) return milliseconds(0);
  for (const auto& group : groups_) {
    excess -= group.count;
    if (excess <= 0) return expiry_of(group) - now;
  }
  return length_ + slack;
}

void RequestWindow::forget_oldest(int count) {
  while (count > 0 && !groups_.empty()) {
    auto& oldest = groups_.front();
    const auto taken = std::min(count, oldest.count);
    oldest.count -= taken;
    ended_ -= taken;
    count -= taken;
    if (oldest.count == 0) groups_.pop_front();
  }
}

milliseconds RequestWindow::even_distance(int left, const Others& others, milliseconds now) {
  expire(now);
  const auto length = length_ + slack;
  const auto first = std::clamp(others.first_expiry - now, milliseconds(0), length_);
  const auto expired_of_others = [&](milliseconds in) {
    if (in <= first) return 0;
    return static_cast<int>(others.count * (in - first).count() / (length - first).count());
  };
  milliseconds distance{0};
  int available = std::max(1, left);
  if (others.count > 0) distance = first / available;
  for (const auto& group : groups_) {
    const auto in = expiry_of(group) - now;
    distance = std::max(distance, in / (available + expired_of_others(in)));
    available += group.count;
  }
  return std::max(distance, length / (available + others.count));
}

}  // namespace paas::digitalocean
