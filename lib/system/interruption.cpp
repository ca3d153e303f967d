// Receives signals on a descriptor in a thread of its own, so that no handler code is needed.
#include "system/interruption.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>

namespace paas::system {

Interruption::Interruption() {
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

void Interruption::listen(const std::stop_token& end) {
  const StopEvent end_event(end);
  while (!end.stop_requested()) {
    std::array<pollfd, 2> waited{
        {{arrivals_.get(), POLLIN, 0}, {end_event.descriptor(), POLLIN, 0}}};
    if (::poll(waited.data(), waited.size(), -1) <= 0) continue;
    signalfd_siginfo arrival{};
    while (::read(arrivals_.get(), &arrival, sizeof arrival) == sizeof arrival) {
      // Whoever asks twice does not want to wait for anything, not even for destructors.
      if (!source_.request_stop()) ::_exit(128 + static_cast<int>(arrival.ssi_signo));
    }
  }
}

}  // namespace paas::system
