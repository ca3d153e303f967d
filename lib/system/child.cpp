// Implementation of starting and ending children with fork, exec and pidfd.
#include "system/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

namespace paas::system {
namespace {

/// What the child tells before its program runs: its own process id, or why it could not start.
struct Notice {
  pid_t process = 0;
  int error = 0;
};

/// Everything that needs memory is made before the fork: other threads may hold malloc's mutex.
struct Prepared {
  std::vector<char*> arguments;
  std::vector<std::string> variables;
  std::vector<char*> environment;
};

Prepared prepare(const ChildOptions& options) {
  Prepared result;
  for (const auto& argument : options.arguments) {
    result.arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  result.arguments.push_back(nullptr);
  const auto overrides = [&options](std::string_view variable) {
    const auto name = variable.substr(0, variable.find('=') + 1);
    for (const auto& extra : options.environment) {
      if (std::string_view(extra).substr(0, name.size()) == name) return true;
    }
    return false;
  };
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    if (!overrides(*variable)) result.variables.emplace_back(*variable);
  }
  for (const auto& extra : options.environment) result.variables.push_back(extra);
  for (auto& variable : result.variables) result.environment.push_back(variable.data());
  result.environment.push_back(nullptr);
  return result;
}

/// Runs in the child, where only async-signal-safe calls are allowed.
[[noreturn]] void become_program(const ChildOptions& options, const Prepared& prepared,
                                 pid_t parent, int notice_end) {
  if (options.place == ChildPlace::own_group) ::setpgid(0, 0);
  if (options.place == ChildPlace::detached_session) {
    // Forked twice: nobody here has to wait for it, so it never stays as a zombie.
    const pid_t second = ::fork();
    if (second != 0) ::_exit(second < 0 ? 1 : 0);
    ::setsid();
  } else {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(1);
  }
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    // What was ignored from outside (nohup) stays so; only our own SIGPIPE is given back.
    if (number == SIGPIPE ||
        (::sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_IGN)) {
      // One that the terminal sent before this child had a group of its own was for the parent,
      // which ends the group itself: ignoring drops it.
      if (options.place == ChildPlace::own_group) ::signal(number, SIG_IGN);
      ::signal(number, SIG_DFL);
    }
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const std::array<int, 3> streams{options.input, options.output, options.error_output};
  for (int target = 0; target < 3; ++target) {
    if (streams[target] >= 0) ::dup2(streams[target], target);
  }
  // Libraries may have opened descriptors without O_CLOEXEC; none of them is for the program.
  ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  Notice notice{::getpid(), 0};
  [[maybe_unused]] auto written = ::write(notice_end, &notice, sizeof notice);
  ::execvpe(prepared.arguments.front(), prepared.arguments.data(), prepared.environment.data());
  notice.error = errno;
  written = ::write(notice_end, &notice, sizeof notice);
  ::_exit(127);
}

/// Reads notices until the program runs, which closes the other end.
Notice await_start(int notices) {
  Notice last;
  Notice notice;
  while (true) {
    const auto count = ::read(notices, &notice, sizeof notice);
    if (count == sizeof notice) {
      last = notice;
    } else if (count >= 0 || errno != EINTR) {
      return last;
    }
  }
}

int wait_for(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

int Child::wait() const {
  const int status = wait_for(process_);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void Child::end_group(std::chrono::milliseconds grace) const {
  ::kill(-process_, SIGTERM);
  pollfd waited{exit_event(), POLLIN, 0};
  ::poll(&waited, 1, static_cast<int>(grace.count()));
  ::kill(-process_, SIGKILL);
}

Result<Child> start_child(const ChildOptions& options) {
  if (options.arguments.empty()) return fail(ErrorKind::failed, "no program to run");
  const auto& program = options.arguments.front();
  const auto prepared = prepare(options);
  std::array<int, 2> notice_pipe{};
  if (::pipe2(notice_pipe.data(), O_CLOEXEC) != 0) return fail_errno(errno, "running " + program);
  const Descriptor notices(notice_pipe[0]);
  Descriptor notice_end(notice_pipe[1]);
  const pid_t parent = ::getpid();
  const pid_t forked = ::fork();
  if (forked < 0) return fail_errno(errno, "running " + program);
  if (forked == 0) become_program(options, prepared, parent, notice_end.get());
  notice_end.reset();
  const auto notice = await_start(notices.get());
  const bool detached = options.place == ChildPlace::detached_session;
  Child child(detached ? notice.process : forked,
              Descriptor(detached ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, forked, 0U))));
  const int pidfd_error = errno;
  if (detached || notice.error != 0) wait_for(forked);
  if (notice.error == ENOENT) {
    return fail(ErrorKind::not_found, fmt::format("there is no program {}", program));
  }
  if (notice.error != 0) return fail_errno(notice.error, "running " + program);
  if (notice.process == 0)
    return fail(ErrorKind::failed, "running " + program + ": it did not start");
  if (!detached && child.exit_event() < 0) {
    child.end_group(std::chrono::milliseconds(0));
    child.wait();
    return fail_errno(pidfd_error, "watching " + program);
  }
  return child;
}

}  // namespace paas::system
