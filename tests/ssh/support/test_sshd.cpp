// Implementation of the test server with OpenSSH's sshd.
#include "ssh/support/test_sshd.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "base/text.hpp"
#include "system/descriptor.hpp"
#include "system/posix_files.hpp"
#include "system/posix_processes.hpp"

namespace paas::tests {
namespace {

constexpr const char* program = "/usr/sbin/sshd";

int free_port() {
  const system::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  ::bind(socket.get(), generic, length);
  ::getsockname(socket.get(), generic, &length);
  return ntohs(address.sin_port);
}

bool answers(int port) {
  const system::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

std::string TestSshd::user() { return ::getpwuid(::getuid())->pw_name; }

std::unique_ptr<TestSshd> TestSshd::start(const std::string& name, const std::string& user_key) {
  REQUIRE_MESSAGE(::access(program, X_OK) == 0, program << " is missing: install openssh-server");
  // sshd run by root refuses to start without it; its service makes it elsewhere.
  if (::getuid() == 0) ::mkdir("/run/sshd", 0755);
  std::unique_ptr<TestSshd> server(new TestSshd());
  system::PosixFiles files;
  REQUIRE(files.write_atomically(server->folder_.file("authorized"), user_key + "\n", 0600));
  server->host_.name = name;
  server->host_.address = "127.0.0.1";
  server->make_host_key();
  // Another program may take the port between asking for it and using it.
  for (int attempt = 0; attempt < 5; ++attempt) {
    server->host_.port = free_port();
    if (server->launch()) return server;
  }
  throw std::runtime_error("sshd does not start: " + server->log());
}

TestSshd::~TestSshd() { kill(); }

void TestSshd::make_host_key() {
  system::PosixFiles files;
  system::PosixProcesses processes;
  const auto key = ssh::generate_key(processes, files, folder_.path(), "host").value();
  REQUIRE(files.write_atomically(folder_.file("host_key"), key.private_key.reveal(), 0600));
  host_.host_key = key.public_key;
}

bool TestSshd::launch() {
  system::PosixFiles files;
  const auto settings = fmt::format(
      "ListenAddress 127.0.0.1\nPort {}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n"
      "StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
      "PermitRootLogin prohibit-password\nLogLevel INFO\nSetEnv HOME={}\n",
      // The user's own start files have no part in the tests.
      host_.port, folder_.file("host_key"), folder_.file("authorized"), folder_.path());
  REQUIRE(files.write_atomically(folder_.file("config"), settings, 0600));
  const auto config = folder_.file("config");
  const auto log_file = folder_.file("log");
  process_ = ::fork();
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execl(program, program, "-D", "-f", config.c_str(), "-E", log_file.c_str(),
            static_cast<char*>(nullptr));
    ::_exit(127);
  }
  while (!answers(host_.port)) {
    if (::waitpid(process_, nullptr, WNOHANG) != 0) {
      process_ = -1;
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

void TestSshd::kill_connections() {
  // Each one is a child of the server in a session of its own.
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", process_));
  for (pid_t child = 0; children >> child;) ::kill(child, SIGKILL);
}

void TestSshd::kill() {
  if (process_ <= 0) return;
  ::kill(process_, SIGSTOP);
  kill_connections();
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

std::string TestSshd::log() const {
  return system::PosixFiles().read(folder_.file("log")).value_or("");
}

int TestSshd::accepted() const {
  int count = 0;
  for (const auto& line : text::lines(log())) {
    if (line.starts_with("Accepted publickey")) ++count;
  }
  return count;
}

void TestSshd::restart_with_new_key() {
  const auto pinned = host_.host_key;
  kill();
  make_host_key();
  host_.host_key = pinned;
  REQUIRE(launch());
}

}  // namespace paas::tests
