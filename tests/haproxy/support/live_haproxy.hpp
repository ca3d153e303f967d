// A real HAProxy with a rendered configuration, on the loopback and sockets of a folder of its own.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "haproxy/configuration.hpp"
#include "haproxy/runtime.hpp"
#include "haproxy/support/web_server.hpp"
#include "system/system_clock.hpp"

namespace paas::haproxy::test {

class LiveHaproxy {
 public:
  /// With `setup.listen` empty a free port is taken.
  explicit LiveHaproxy(Setup setup);
  ~LiveHaproxy();
  LiveHaproxy(const LiveHaproxy&) = delete;
  LiveHaproxy& operator=(const LiveHaproxy&) = delete;

  Setup setup;  ///< A restart or a reload reads it again.
  int port() const { return setup.listen.at(0); }
  Send send() const;
  Runtime runtime() { return Runtime(send(), clock_); }

  void restart();
  /// What it wrote into its log since it was started first.
  std::string log() const;
  /// Asks the master for new workers and waits until the new one answers.
  void reload();
  /// Process of the worker that answers the admin socket; zero while none does.
  int worker() const;

  /// Waits until `condition` holds; whether it did within 15 seconds.
  bool eventually(const std::function<bool()>& condition);
  /// Statistics of a server of the backend "web"; empty when it is not there.
  ServerStatistics server(const std::string& name);

 private:
  void write_configuration() const;
  void start();
  void stop();

  std::filesystem::path folder_;
  int peer_port_ = 0;
  pid_t process_ = 0;
  system::SystemClock clock_;
};

Server server_of(const WebServer& web_server);
/// One backend "web" with these servers, checked four times a second, behind every path.
Setup web_setup(const std::vector<const WebServer*>& servers);

}  // namespace paas::haproxy::test
