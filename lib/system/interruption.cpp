// Receives signals on a descriptor in a thread of its own, so that no handler code is needed.
#include "system/interruption.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>

namespace paas::system {

Interruption::Interruption(std::chrono::milliseconds patience) : patience_(patience) {
  std::signal(SIGPIPE, SIG_IGN);
  sigemptyset(&signals_);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    // A blocked signal arrives even when it is ignored, so an ignored one is not listened for.
    if (::sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) {
      sigaddset(&signals_, number);
    }
  }
  pthread_sigmask(SIG_BLOCK, &signals_, &previous_mask_);
  arrivals_ = Descriptor(::signalfd(-1, &signals_, SFD_CLOEXEC | SFD_NONBLOCK));
  listener_ = std::jthread([this](const std::stop_token& end) { listen(end); });
}

Interruption::~Interruption() {
  listener_.request_stop();
  listener_.join();
  pthread_sigmask(SIG_SETMASK, &previous_mask_, nullptr);
}

std::shared_ptr<void> Interruption::finish_first() {
  {
    const std::scoped_lock lock(mutex_);
    ++finishing_;
  }
  return {static_cast<void*>(this), [this](void*) { end_finishing(); }};
}

void Interruption::end_finishing() {
  bool last = false;
  {
    const std::scoped_lock lock(mutex_);
    last = --finishing_ == 0;
  }
  if (last && requested()) source_.request_stop();
}

bool Interruption::take_request() {
  if (!requests_.request_stop()) return false;
  bool waits = false;
  {
    // Only now: what ends before this sees the request and stops the waits itself.
    const std::scoped_lock lock(mutex_);
    waits = finishing_ == 0;
  }
  if (waits) source_.request_stop();
  return true;
}

void Interruption::take_signal(int number) {
  if (take_request()) return;
  if (source_.request_stop()) {
    pressing_ = number;
    deadline_ = std::chrono::steady_clock::now() + patience_;
    return;
  }
  // Whoever asks once more does not want to wait for anything, not even for destructors.
  ::_exit(128 + number);
}

void Interruption::listen(const std::stop_token& end) {
  const StopEvent end_event(end);
  while (!end.stop_requested()) {
    int timeout_ms = -1;
    if (pressing_) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          deadline_ - std::chrono::steady_clock::now());
      if (left.count() <= 0) ::_exit(128 + *pressing_);
      timeout_ms = static_cast<int>(left.count()) + 1;
    }
    std::array<pollfd, 2> waited{
        {{arrivals_.get(), POLLIN, 0}, {end_event.descriptor(), POLLIN, 0}}};
    if (::poll(waited.data(), waited.size(), timeout_ms) <= 0) continue;
    signalfd_siginfo arrival{};
    while (::read(arrivals_.get(), &arrival, sizeof arrival) == sizeof arrival) {
      take_signal(static_cast<int>(arrival.ssi_signo));
    }
  }
}

}  // namespace paas::system
