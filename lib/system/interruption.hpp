// What a signal asks for: the first one to stop in an orderly way, the second one at once.
#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

#include "system/descriptor.hpp"

namespace paas::system {

/// Made by main before any other thread, so that all threads inherit its signal mask. The first
/// SIGINT, SIGTERM or SIGHUP requests a stop of token(), which ends the waits of Clock, Http,
/// Processes and Terminal with Error interrupted; the second one ends the process with 128 +
/// signal. SIGPIPE is ignored: a closed output is an error of write(2). Signals that were ignored
/// when the program was started (nohup, background jobs) stay ignored.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  /// Asks for the stop as the first signal does.
  void request() { source_.request_stop(); }
  bool requested() const { return source_.stop_requested(); }

 private:
  void listen(const std::stop_token& end);

  std::stop_source source_;
  sigset_t signals_{};
  sigset_t previous_mask_{};
  Descriptor arrivals_;
  std::jthread listener_;  ///< Last: ends before what it uses.
};

}  // namespace paas::system
