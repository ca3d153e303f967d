// Signals: the first asks to stop, the second ends the process; clocks and randomness beside.
#include "system/interruption.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>
#include <thread>

#include "system/posix_processes.hpp"
#include "system/system_clock.hpp"
#include "system/system_environment.hpp"
#include "system/system_random.hpp"

namespace {

using paas::ErrorKind;
using paas::system::Interruption;
using paas::system::SystemClock;
using std::chrono::milliseconds;

/// Runs in a child process, so that signals do not reach the test itself.
template <typename Body>
int status_of(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST_CASE("case 22: the first signal asks to stop, and ends waits") {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    CHECK(status_of([number] {
            const Interruption interruption;
            SystemClock clock(interruption.token());
            if (interruption.requested()) return 1;
            ::kill(::getpid(), number);
            const auto waited = clock.wait(milliseconds(60'000));
            if (waited || waited.error().kind != ErrorKind::interrupted) return 2;
            return interruption.requested() ? 0 : 3;
          }) == 0);
  }
}

TEST_CASE("case 22: the second signal ends the process with 128 and its number") {
  CHECK(status_of([] {
          const Interruption interruption;
          SystemClock clock(interruption.token());
          ::kill(::getpid(), SIGINT);
          static_cast<void>(clock.wait(milliseconds(60'000)));
          ::kill(::getpid(), SIGINT);
          while (true) ::pause();
          return 0;
        }) == 130);
}

/// Waits without a clock that a stop would end.
void await(const std::stop_token& token) {
  while (!token.stop_requested()) std::this_thread::yield();
}

TEST_CASE("system: while something is finished first, the first signal ends no wait") {
  CHECK(status_of([] {
          Interruption interruption;
          SystemClock clock(interruption.token());
          auto patience = interruption.finish_first();
          ::kill(::getpid(), SIGINT);
          await(interruption.requests());
          if (!interruption.requested()) return 1;
          if (interruption.token().stop_requested()) return 2;
          if (!clock.wait(milliseconds(1))) return 3;
          // What comes after it is not waited for any more.
          patience.reset();
          return clock.wait(milliseconds(60'000)) ? 4 : 0;
        }) == 0);
}

TEST_CASE("system: the second signal ends the waits of what was to be finished") {
  CHECK(status_of([] {
          Interruption interruption;
          SystemClock clock(interruption.token());
          const auto patience = interruption.finish_first();
          ::kill(::getpid(), SIGINT);
          await(interruption.requests());
          ::kill(::getpid(), SIGINT);
          return clock.wait(milliseconds(60'000)) ? 1 : 0;
        }) == 0);
}

TEST_CASE("system: the third signal ends the process, and so does what does not end by itself") {
  CHECK(status_of([] {
          Interruption interruption;
          const auto patience = interruption.finish_first();
          for (const auto& token : {interruption.requests(), interruption.token()}) {
            ::kill(::getpid(), SIGTERM);
            await(token);
          }
          ::kill(::getpid(), SIGTERM);
          while (true) ::pause();
          return 0;
        }) == 128 + SIGTERM);
  CHECK(status_of([] {
          Interruption interruption(milliseconds(1));
          const auto patience = interruption.finish_first();
          ::kill(::getpid(), SIGINT);
          await(interruption.requests());
          ::kill(::getpid(), SIGINT);
          while (true) ::pause();
          return 0;
        }) == 130);
}

TEST_CASE("system: what is asked for without a signal is a first signal") {
  Interruption interruption;
  auto patience = interruption.finish_first();
  interruption.request();
  CHECK(interruption.requested());
  CHECK_FALSE(interruption.token().stop_requested());
  patience.reset();
  CHECK(interruption.token().stop_requested());
}

TEST_CASE("case 22: a closed pipe does not end the process") {
  CHECK(status_of([] {
          const Interruption interruption;
          int ends[2];
          if (::pipe(ends) != 0) return 1;
          ::close(ends[0]);
          return ::write(ends[1], "x", 1) == -1 && errno == EPIPE ? 0 : 2;
        }) == 0);
}

TEST_CASE("system: programs are started with usual signals although ours are blocked") {
  CHECK(status_of([] {
          const Interruption interruption;
          paas::system::PosixProcesses processes;
          paas::ProcessRequest request;
          request.arguments = {"sh", "-c", "kill -INT $$; exit 1"};
          if (processes.run(request)->exit_status != 130) return 1;
          request.arguments = {"sh", "-c", "kill -PIPE $$; exit 1"};
          return processes.run(request)->exit_status == 128 + SIGPIPE ? 0 : 2;
        }) == 0);
}

TEST_CASE("system: a signal that was ignored from outside stays ignored") {
  CHECK(status_of([] {
          std::signal(SIGHUP, SIG_IGN);
          const Interruption interruption;
          ::kill(::getpid(), SIGHUP);
          SystemClock clock(interruption.token());
          return clock.wait(milliseconds(50)) ? 0 : 1;
        }) == 0);
}

TEST_CASE("system: a wait lasts as long as it says when nothing stops it") {
  SystemClock clock;
  const auto before = clock.monotonic();
  CHECK(clock.wait(milliseconds(30)).has_value());
  CHECK(clock.monotonic() - before >= milliseconds(29));
}

TEST_CASE("system: a variable that is empty is a value, and one that is not set is none") {
  paas::system::SystemEnvironment environment;
  ::setenv("PAAS_TEST_EMPTY", "", 1);
  ::unsetenv("PAAS_TEST_UNSET");
  CHECK(environment.get("PAAS_TEST_EMPTY") == "");
  CHECK_FALSE(environment.get("PAAS_TEST_UNSET").has_value());
}

TEST_CASE("system: random bytes are as many as asked for, and do not repeat") {
  paas::system::SystemRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto bytes = random.bytes(32);
    CHECK(bytes.size() == 32);
    seen.insert(bytes);
  }
  CHECK(seen.size() == 100);
  CHECK(random.bytes(0).empty());
}

}  // namespace
