// Implementation of running programs: their streams are moved by one poll(2) loop.
#include "system/posix_processes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "system/child.hpp"

namespace paas::system {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds grace{2000};

/// Keeps SIGPIPE from the calling thread while it writes to a program that may have closed its
/// input; write(2) then fails with EPIPE, whether or not the process ignores the signal.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set_, &previous_);
  }
  ~WithoutSigpipe() {
    if (sigismember(&previous_, SIGPIPE) == 0) {
      const timespec at_once{};
      while (::sigtimedwait(&set_, nullptr, &at_once) > 0) {
      }
      pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
    }
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t set_{};
  sigset_t previous_{};
};

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(errno, "making a pipe");
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

void set_nonblocking(const Descriptor& descriptor) {
  ::fcntl(descriptor.get(), F_SETFL, ::fcntl(descriptor.get(), F_GETFL) | O_NONBLOCK);
}

/// One of the program's outputs, on its way into a text or a callback.
class OutputStream {
 public:
  OutputStream(Descriptor source, std::string& collected,
               const std::function<void(std::string_view)>& receiver)
      : source_(std::move(source)), collected_(collected), receiver_(receiver) {
    set_nonblocking(source_);
  }

  int descriptor() const { return source_.get(); }

  /// Takes some of what is there now, so that the others and the time get their turn.
  void take() {
    std::array<char, 65536> part{};
    const auto count = source_.open() ? ::read(source_.get(), part.data(), part.size()) : 0;
    if (count > 0) {
      const std::string_view text(part.data(), static_cast<std::size_t>(count));
      receiver_ ? receiver_(text) : static_cast<void>(collected_.append(text));
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      source_.reset();
    }
  }

  /// After the program's end: takes what it left in the pipe. Bounded by a pipe's usual capacity,
  /// because a background child may go on writing for ever.
  void take_rest() {
    for (int part = 0; part < 32 && source_.open() && readable(); ++part) take();
  }

 private:
  bool readable() const {
    pollfd waited{source_.get(), POLLIN, 0};
    return ::poll(&waited, 1, 0) > 0;
  }

  Descriptor source_;
  std::string& collected_;
  const std::function<void(std::string_view)>& receiver_;
};

/// The program's input, of which as much is written as its pipe takes.
class InputStream {
 public:
  InputStream(Descriptor target, std::string_view text) : target_(std::move(target)), text_(text) {
    if (target_.open()) set_nonblocking(target_);
  }

  int descriptor() const { return target_.get(); }

  void feed() {
    while (target_.open() && !text_.empty()) {
      const auto written = ::write(target_.get(), text_.data(), text_.size());
      if (written >= 0) {
        text_.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno == EAGAIN) {
        return;
      } else if (errno != EINTR) {
        break;  // EPIPE: the program does not want the rest.
      }
    }
    target_.reset();
  }

 private:
  Descriptor target_;
  std::string_view text_;
};

int poll_timeout(std::chrono::milliseconds limit, Steady::time_point deadline) {
  if (limit.count() == 0) return -1;
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Steady::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left + 1, 0, 3'600'000));
}

Error stopped_error() { return make_error(ErrorKind::interrupted, "interrupted"); }

}  // namespace

Result<ProcessResult> PosixProcesses::run(const ProcessRequest& request) {
  if (request.arguments.empty()) return fail(ErrorKind::failed, "no program to run");
  const auto stop = request.on_stop == OnStop::end ? stop_ : std::stop_token{};
  if (stop.stop_requested()) return fail(stopped_error());
  const auto deadline = Steady::now() + request.timeout;

  Pipe input;
  if (request.input.empty()) {
    const auto path = request.input_file.empty() ? "/dev/null" : request.input_file;
    input.read_end = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!input.read_end.open()) return fail_errno(errno, "opening " + path);
  } else {
    PAAS_TRY(input, make_pipe());
  }
  PAAS_TRY(Pipe output, make_pipe());
  PAAS_TRY(Pipe error_output, make_pipe());
  PAAS_TRY(const Child child, start_child({.arguments = request.arguments,
                                           .environment = request.environment,
                                           .place = ChildPlace::own_group,
                                           .input = input.read_end.get(),
                                           .output = output.write_end.get(),
                                           .error_output = error_output.write_end.get()}));
  input.read_end.reset();
  output.write_end.reset();
  error_output.write_end.reset();

  const WithoutSigpipe without_sigpipe;
  const StopEvent stop_event(stop);
  ProcessResult result;
  InputStream in(std::move(input.write_end), request.input);
  OutputStream out(std::move(output.read_end), result.output, request.on_output);
  OutputStream err(std::move(error_output.read_end), result.error_output, request.on_error_output);
  while (true) {
    std::array<pollfd, 5> waited{{{child.exit_event(), POLLIN, 0},
                                  {stop_event.descriptor(), POLLIN, 0},
                                  {in.descriptor(), POLLOUT, 0},
                                  {out.descriptor(), POLLIN, 0},
                                  {err.descriptor(), POLLIN, 0}}};
    ::poll(waited.data(), waited.size(), poll_timeout(request.timeout, deadline));
    const bool ended = waited[0].revents != 0;
    const bool late = request.timeout.count() != 0 && Steady::now() >= deadline;
    if (!ended && (stop.stop_requested() || late)) {
      child.end_group(grace);
      child.wait();
      if (stop.stop_requested()) return fail(stopped_error());
      return fail(ErrorKind::timed_out,
                  fmt::format("{} did not end within {:.1f} s", request.arguments.front(),
                              static_cast<double>(request.timeout.count()) / 1000));
    }
    if (waited[2].revents != 0) in.feed();
    if (waited[3].revents != 0) out.take();
    if (waited[4].revents != 0) err.take();
    if (ended) break;
  }
  out.take_rest();
  err.take_rest();
  result.exit_status = child.wait();
  return result;
}

Result<int> PosixProcesses::run_attached(const std::vector<std::string>& arguments) {
  if (stop_.stop_requested()) return fail(stopped_error());
  PAAS_TRY(const Child child,
           start_child({.arguments = arguments, .place = ChildPlace::same_group}));
  const StopEvent stop_event(stop_);
  std::array<pollfd, 2> waited{
      {{child.exit_event(), POLLIN, 0}, {stop_event.descriptor(), POLLIN, 0}}};
  while (::poll(waited.data(), waited.size(), -1) < 0 && errno == EINTR) {
  }
  if (waited[0].revents == 0) {
    // Ctrl-C has reached the program as well and it may be tidying up; a SIGTERM came only to us.
    pollfd exit_event{child.exit_event(), POLLIN, 0};
    if (::poll(&exit_event, 1, static_cast<int>(grace.count())) == 0) {
      ::kill(child.process(), SIGTERM);
    }
  }
  return child.wait();
}

Result<int> PosixProcesses::start_detached(const std::vector<std::string>& arguments,
                                           const std::string& log_file) {
  const Descriptor log(
      ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!log.open()) return fail_errno(errno, "opening " + log_file);
  const Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  PAAS_TRY(const Child child, start_child({.arguments = arguments,
                                           .place = ChildPlace::detached_session,
                                           .input = nothing.get(),
                                           .output = log.get(),
                                           .error_output = log.get()}));
  return child.process();
}

}  // namespace paas::system
