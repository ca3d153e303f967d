// A HAProxy in memory with the habits of 2.6.12: what it is told, it records; its checks run on a
// clock that only moves when somebody waits.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "haproxy/runtime.hpp"
#include "ports/clock.hpp"

namespace paas::haproxy::test {

class FakeClock : public Clock {
 public:
  std::chrono::system_clock::time_point now() override {
    return std::chrono::system_clock::time_point(time_);
  }
  std::chrono::milliseconds monotonic() override { return time_; }
  Status wait(std::chrono::milliseconds duration) override;

  /// From then on waiting is interrupted.
  std::chrono::milliseconds interrupted_at = std::chrono::milliseconds::max();

 private:
  std::chrono::milliseconds time_{1000};
};

struct FakeServer {
  std::string address;
  std::string admin = "MAINT";  ///< MAINT, DRAIN or READY.
  bool has_check = false;
  bool is_up = true;
  int weight = 1;
  std::string check_status = "INI";
  std::chrono::milliseconds next_check{0};
  /// Whose requests end at that time.
  std::chrono::milliseconds busy_until{0};
  /// Connections that outlive their sessions until then.
  std::chrono::milliseconds connected_until{0};
};

class FakeHaproxy {
 public:
  explicit FakeHaproxy(FakeClock& clock) : clock_(clock) {}

  Send send();
  /// Servers of the backend "web" by name.
  std::map<std::string, FakeServer> servers;
  /// What a check of an address finds at a time; by default all is well.
  std::function<std::string(const std::string& address, std::chrono::milliseconds now)>
      check_result;
  /// Commands that begin so get the answer instead.
  std::map<std::string, std::string> answers;
  /// Commands in their order, without `show stat`.
  std::vector<std::string> commands;
  /// Weight was given to a server whose last check had not passed.
  bool gave_weight_unchecked = false;
  int sessions_shut_down = 0;

 private:
  std::string answer(const std::string& line);
  std::string answer_to(const std::string& command);
  std::string answer_about(FakeServer& server, const std::string& verb,
                           const std::vector<std::string>& words);
  std::string remove(const std::string& name);
  void run_checks();
  std::string statistics();
  bool is_busy(const FakeServer& server) const;

  FakeClock& clock_;
};

}  // namespace paas::haproxy::test
