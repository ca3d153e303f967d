// Implementation of the standard streams with POSIX calls.
#include "system/posix_terminal.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "system/descriptor.hpp"

namespace paas::system {

bool PosixTerminal::input_is_terminal() { return ::isatty(STDIN_FILENO) == 1; }
bool PosixTerminal::output_is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }
bool PosixTerminal::error_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

int PosixTerminal::columns() {
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
    winsize size{};
    if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  }
  return 80;
}

bool PosixTerminal::write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      // Somebody made the shared terminal non-blocking; wait until it takes more.
      pollfd waited{descriptor, POLLOUT, 0};
      ::poll(&waited, 1, 1000);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

void PosixTerminal::write_output(std::string_view text) {
  const std::scoped_lock lock(mutex_);
  if (!output_closed_) output_closed_ = !write_all(STDOUT_FILENO, text);
}

void PosixTerminal::write_error(std::string_view text) {
  const std::scoped_lock lock(mutex_);
  write_all(STDERR_FILENO, text);
}

bool PosixTerminal::output_closed() {
  const std::scoped_lock lock(mutex_);
  return output_closed_;
}

std::optional<std::string> PosixTerminal::read_line() {
  const StopEvent stop_event(stop_);
  while (true) {
    if (const auto end = input_.find('\n'); end != std::string::npos) {
      auto line = input_.substr(0, end);
      input_.erase(0, end + 1);
      return line;
    }
    std::array<pollfd, 2> waited{{{STDIN_FILENO, POLLIN, 0}, {stop_event.descriptor(), POLLIN, 0}}};
    if (::poll(waited.data(), waited.size(), -1) < 0) continue;
    if (stop_.stop_requested()) return std::nullopt;
    std::array<char, 4096> part{};
    const auto count = ::read(STDIN_FILENO, part.data(), part.size());
    if (count > 0) {
      input_.append(part.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
      if (input_.empty()) return std::nullopt;
      return std::exchange(input_, {});
    }
  }
}

}  // namespace paas::system
