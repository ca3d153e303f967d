// Running programs: their streams, their ends, and what ends them.
#include "system/posix_processes.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <future>
#include <sstream>
#include <stop_token>
#include <thread>

#include "system/descriptor.hpp"
#include "system/posix_files.hpp"
#include "system/support/process_end.hpp"
#include "system/support/scratch_folder.hpp"

namespace {

using paas::ErrorKind;
using paas::ProcessRequest;
using paas::system::PosixProcesses;
using paas::tests::ends;
using std::chrono::milliseconds;

ProcessRequest shell(const std::string& script) {
  ProcessRequest request;
  request.arguments = {"sh", "-c", script};
  return request;
}

TEST_CASE("system: a program's outputs and exit status come back") {
  PosixProcesses processes;
  const auto result = processes.run(shell("echo out; echo err >&2; exit 7"));
  REQUIRE(result.has_value());
  CHECK(result->exit_status == 7);
  CHECK(result->output == "out\n");
  CHECK(result->error_output == "err\n");
}

TEST_CASE("system: a program's input can be a file, which has to be there") {
  const paas::tests::ScratchFolder folder;
  std::ofstream(folder.file("input")) << "of a file";
  PosixProcesses processes;
  auto request = shell("cat");
  request.input_file = folder.file("input");
  CHECK(processes.run(request)->output == "of a file");
  request.input_file = folder.file("missing");
  CHECK(processes.run(request).error().kind == ErrorKind::not_found);
}

TEST_CASE("system: the status of a program that a signal ended is 128 and the signal") {
  PosixProcesses processes;
  const auto result = processes.run(shell("kill -9 $$"));
  REQUIRE(result.has_value());
  CHECK(result->exit_status == 128 + SIGKILL);
}

TEST_CASE("system: a missing program is not_found") {
  PosixProcesses processes;
  ProcessRequest request;
  request.arguments = {"paas-no-such-program"};
  const auto result = processes.run(request);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().kind == ErrorKind::not_found);
  CHECK(result.error().message == "there is no program paas-no-such-program");
}

TEST_CASE("system: arguments reach the program unchanged") {
  PosixProcesses processes;
  ProcessRequest request;
  request.arguments = {"printf", "%s|", "a b", "'", "$(id)", "", "\n"};
  CHECK(processes.run(request)->output == "a b|'|$(id)||\n|");
}

TEST_CASE("system: much input and much output move without a deadlock") {
  PosixProcesses processes;
  ProcessRequest request = shell("tee /dev/stderr");
  request.input.assign(8'000'000, 'x');
  const auto result = processes.run(request);
  REQUIRE(result.has_value());
  CHECK(result->output == request.input);
  CHECK(result->error_output == request.input);
}

TEST_CASE("system: a program that leaves its input unread is no error") {
  PosixProcesses processes;
  ProcessRequest request = shell("exit 3");
  request.input.assign(8'000'000, 'x');
  CHECK(processes.run(request)->exit_status == 3);
}

TEST_CASE("system: output is given out as it comes") {
  const paas::tests::ScratchFolder folder;
  PosixProcesses processes;
  // The program goes on only when the receiver of its first line made the file.
  ProcessRequest request =
      shell("echo ready; until [ -e \"$GO\" ]; do sleep 0.01; done; echo done");
  request.environment = {"GO=" + folder.file("go")};
  std::string seen;
  request.on_output = [&](std::string_view part) {
    seen += part;
    std::ofstream(folder.file("go")) << "";
  };
  const auto result = processes.run(request);
  REQUIRE(result.has_value());
  CHECK(seen == "ready\ndone\n");
  CHECK(result->output.empty());
}

TEST_CASE("system: extra variables replace inherited ones") {
  PosixProcesses processes;
  ::setenv("PAAS_TEST_VARIABLE", "old", 1);
  ProcessRequest request = shell("echo $PAAS_TEST_VARIABLE $HOME");
  request.environment = {"PAAS_TEST_VARIABLE=new", "HOME=/somewhere"};
  CHECK(processes.run(request)->output == "new /somewhere\n");
}

TEST_CASE("system: a timeout ends the program and its children") {
  const paas::tests::ScratchFolder folder;
  PosixProcesses processes;
  ProcessRequest request = shell("sleep 1000 & echo $! > '" + folder.file("pid") + "'; wait");
  request.timeout = milliseconds(300);
  const auto result = processes.run(request);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().kind == ErrorKind::timed_out);
  int sleeper = 0;
  std::ifstream(folder.file("pid")) >> sleeper;
  REQUIRE(sleeper > 0);
  CHECK(ends(sleeper));
}

TEST_CASE("system: endless output does not keep a timeout from ending the program") {
  PosixProcesses processes;
  ProcessRequest request;
  request.arguments = {"yes"};
  request.timeout = milliseconds(200);
  request.on_output = [](std::string_view) {};
  const auto result = processes.run(request);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().kind == ErrorKind::timed_out);
}

TEST_CASE("system: a run ends with its program although a background child keeps the pipes") {
  const paas::tests::ScratchFolder folder;
  PosixProcesses processes;
  ProcessRequest request = shell("sleep 1000 & echo $!");
  request.timeout = milliseconds(20'000);
  const auto result = processes.run(request);
  REQUIRE(result.has_value());
  const int sleeper = std::stoi(result->output);
  CHECK(::kill(sleeper, SIGKILL) == 0);
}

TEST_CASE("system: a stop ends a running program and refuses later ones") {
  std::stop_source stop;
  PosixProcesses processes(stop.get_token());
  ProcessRequest request = shell("echo ready; sleep 1000");
  request.on_output = [&stop](std::string_view) { stop.request_stop(); };
  const auto result = processes.run(request);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().kind == ErrorKind::interrupted);
  CHECK(processes.run(shell("true")).error().kind == ErrorKind::interrupted);
  ProcessRequest tidying = shell("echo tidied");
  tidying.on_stop = paas::OnStop::finish;
  CHECK(processes.run(tidying)->output == "tidied\n");
}

TEST_CASE("system: no descriptor of this process reaches a program") {
  // Opened without O_CLOEXEC, as libraries do.
  const paas::system::Descriptor leaky(::open("/dev/null", O_RDONLY));
  PosixProcesses processes;
  ProcessRequest request;
  request.arguments = {"ls", "/proc/self/fd"};
  // 3 is the folder that ls itself reads.
  CHECK(processes.run(request)->output == "0\n1\n2\n3\n");
}

TEST_CASE("system: programs run side by side from several threads") {
  PosixProcesses processes;
  std::vector<std::future<bool>> runs;
  for (int i = 0; i < 30; ++i) {
    runs.push_back(std::async(std::launch::async, [&processes, i] {
      ProcessRequest request = shell("cat");
      request.input = std::string(200'000, static_cast<char>('a' + i % 26));
      const auto result = processes.run(request);
      return result && result->output == request.input;
    }));
  }
  for (auto& run : runs) CHECK(run.get());
}

TEST_CASE("system: an attached program's exit status comes back") {
  PosixProcesses processes;
  CHECK(processes.run_attached({"sh", "-c", "exit 5"}).value() == 5);
  CHECK(processes.run_attached({"paas-no-such-program"}).error().kind == ErrorKind::not_found);
}

TEST_CASE("system: a detached program leads its own session and writes to its log") {
  const paas::tests::ScratchFolder folder;
  PosixProcesses processes;
  const auto log = folder.file("log");
  const auto process =
      processes.start_detached({"sh", "-c", "cut -d' ' -f1,6 /proc/$$/stat; exec sleep 1000"}, log);
  REQUIRE(process.has_value());
  paas::system::PosixFiles files;
  for (int attempt = 0; attempt < 500 && files.read(log)->empty(); ++attempt) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  const auto number = std::to_string(*process);
  CHECK(files.read(log).value() == number + " " + number + "\n");
  CHECK(::kill(*process, SIGKILL) == 0);
  CHECK(ends(*process));
  CHECK(processes.start_detached({"paas-no-such-program"}, log).error().kind ==
        ErrorKind::not_found);
}

TEST_CASE("system: a program ends when the process that runs it is killed") {
  const paas::tests::ScratchFolder folder;
  const pid_t runner = ::fork();
  if (runner == 0) {
    PosixProcesses processes;
    ProcessRequest request = shell("echo $$ > '" + folder.file("pid") + "'; exec sleep 1000");
    static_cast<void>(processes.run(request));
    ::_exit(0);
  }
  int sleeper = 0;
  for (int attempt = 0; attempt < 500 && sleeper == 0; ++attempt) {
    std::ifstream(folder.file("pid")) >> sleeper;
    std::this_thread::sleep_for(milliseconds(10));
  }
  REQUIRE(sleeper > 0);
  ::kill(runner, SIGKILL);
  ::waitpid(runner, nullptr, 0);
  CHECK(ends(sleeper));
}

}  // namespace
