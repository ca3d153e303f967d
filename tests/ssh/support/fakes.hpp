// A clock that moves only when told, a user's own configuration, and a master that dies.
#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <thread>
#include <utility>

#include "ports/clock.hpp"
#include "ports/process.hpp"
#include "system/descriptor.hpp"

namespace paas::tests {

class SteppedClock : public Clock {
 public:
  std::chrono::system_clock::time_point now() override {
    return std::chrono::system_clock::time_point(elapsed_);
  }
  std::chrono::milliseconds monotonic() override { return elapsed_; }
  Status wait(std::chrono::milliseconds duration) override {
    advance(duration);
    return {};
  }
  void advance(std::chrono::milliseconds duration) { elapsed_ += duration; }

 private:
  std::chrono::milliseconds elapsed_{0};
};

/// Gives a configuration file to each ssh that is started, in the place of the user's own. The
/// client finds that one by the user and not by the environment, so a test cannot put one there.
class ConfiguredProcesses : public Processes {
 public:
  ConfiguredProcesses(Processes& real, std::string configuration_file)
      : real_(real), configuration_file_(std::move(configuration_file)) {}

  Result<ProcessResult> run(const ProcessRequest& request) override {
    auto configured = request;
    configured.arguments = with_configuration(request.arguments);
    return real_.run(configured);
  }
  Result<int> run_attached(const std::vector<std::string>& arguments) override {
    return real_.run_attached(with_configuration(arguments));
  }
  Result<int> start_detached(const std::vector<std::string>& arguments,
                             const std::string& log_file) override {
    return real_.start_detached(with_configuration(arguments), log_file);
  }

 private:
  std::vector<std::string> with_configuration(std::vector<std::string> arguments) const {
    if (arguments.at(0) == "ssh") {
      arguments.insert(arguments.begin() + 1, {"-F", configuration_file_});
    }
    return arguments;
  }

  Processes& real_;
  std::string configuration_file_;
};

/// Listens where a master did, and closes each connection without a word: what a client sees of a
/// master that is killed while it is spoken to.
class DyingMaster {
 public:
  explicit DyingMaster(const std::string& control_socket)
      : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    control_socket.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_.get(), 8) == 0);
    thread_ = std::thread([this] {
      while (
          system::Descriptor(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)).open()) {
      }
    });
  }
  ~DyingMaster() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  DyingMaster(const DyingMaster&) = delete;
  DyingMaster& operator=(const DyingMaster&) = delete;

 private:
  system::Descriptor listener_;
  std::thread thread_;
};

}  // namespace paas::tests
