// Counts one's own requests in a window of time that slides.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

namespace paas::digitalocean {

/// Requests that the API may still count: those in flight, and those that ended less than the
/// window's length ago. The API counts a request between its sending and its answer, so that one
/// which is counted from its answer on is never forgotten too early. Times are on the monotonic
/// clock and do not go back. Memory does not grow with the number of requests.
class RequestWindow {
 public:
  explicit RequestWindow(std::chrono::milliseconds length);

  void begin() { ++in_flight_; }
  void end(std::chrono::milliseconds now);
  /// How many the API may count at that time.
  int used(std::chrono::milliseconds now);
  int in_flight() const { return in_flight_; }
  /// Until at most `count` are counted, when no other begins; zero when that is so already. Those
  /// in flight are taken to end now.
  std::chrono::milliseconds until_at_most(int count, std::chrono::milliseconds now);
  /// The API knows better: forgets the oldest that have ended.
  void forget_oldest(int count);
  /// Requests of others in the window. When the first of them expires is known, and the rest are
  /// taken to follow evenly.
  struct Others {
    int count = 0;
    std::chrono::milliseconds first_expiry{0};
  };
  /// The shortest even distance of requests for which `left` and what expires suffice through a
  /// whole window's length.
  std::chrono::milliseconds even_distance(int left, const Others& others,
                                          std::chrono::milliseconds now);

 private:
  /// Requests that ended within a short time of each other.
  struct Group {
    std::chrono::milliseconds first;
    std::chrono::milliseconds last;
    int count = 0;
  };
  void expire(std::chrono::milliseconds now);
  std::chrono::milliseconds expiry_of(const Group& group) const;

  std::chrono::milliseconds length_;
  int in_flight_ = 0;
  int ended_ = 0;  ///< The sum of the groups.
  std::deque<Group> groups_;
};

}  // namespace paas::digitalocean
