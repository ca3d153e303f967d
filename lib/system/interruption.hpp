// What a signal asks for: the first one to stop in an orderly way, the second one at once.
#pragma once

#include <chrono>
#include <csignal>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "system/descriptor.hpp"

namespace paas::system {

/// Made by main before any other thread, so that all threads inherit its signal mask. The first
/// SIGINT, SIGTERM or SIGHUP requests a stop of token(), which ends the waits of Clock, Http,
/// Processes and Terminal with Error interrupted; the second one ends the process with 128 +
/// signal. While finish_first() holds it is one later: the first is only a request, the second
/// stops token(), and what does not end within `patience` of that is ended. SIGPIPE is ignored: a
/// closed output is an error of write(2). Signals that were ignored when the program was started
/// (nohup, background jobs) stay ignored.
class Interruption {
 public:
  explicit Interruption(std::chrono::milliseconds patience = std::chrono::seconds(5));
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  /// Stops when waits shall end.
  std::stop_token token() const { return source_.get_token(); }
  /// Stops with the first signal; its callbacks run in the listener's thread.
  std::stop_token requests() const { return requests_.get_token(); }
  /// Asks for the stop as the first signal does.
  void request() { take_request(); }
  bool requested() const { return requests_.stop_requested(); }

  /// While what it gives lives, a first signal ends no waits: what is under way is finished. After
  /// that the waits of a run that was asked to stop end.
  std::shared_ptr<void> finish_first();

 private:
  void listen(const std::stop_token& end);
  /// Whether it was the first one.
  bool take_request();
  void take_signal(int number);
  void end_finishing();

  std::stop_source source_;
  std::stop_source requests_;
  std::mutex mutex_;
  int finishing_ = 0;  ///< How many results of finish_first() live.
  std::chrono::milliseconds patience_;
  std::optional<int> pressing_;  ///< The signal that stopped what was to be finished.
  std::chrono::steady_clock::time_point deadline_;  ///< With pressing_: when patience ends.
  sigset_t signals_{};
  sigset_t previous_mask_{};
  Descriptor arrivals_;
  std::jthread listener_;  ///< Last: ends before what it uses.
};

}  // namespace paas::system
