// A real sshd on loopback with its own keys and settings, for the current user.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "ssh/connections.hpp"
#include "ssh/keys.hpp"
#include "system/support/scratch_folder.hpp"

namespace paas::tests {

class TestSshd {
 public:
  /// Accepts `user_key` of the current user. A machine without sshd fails the test.
  static std::unique_ptr<TestSshd> start(const std::string& name, const std::string& user_key);
  ~TestSshd();
  TestSshd(const TestSshd&) = delete;
  TestSshd& operator=(const TestSshd&) = delete;

  const ssh::Host& host() const { return host_; }
  /// Cuts every connection; the server goes on.
  void kill_connections();
  /// Ends every connection and the server itself.
  void kill();
  /// Starts again on the same port, with another host key.
  void restart_with_new_key();
  /// Connections that were authenticated so far.
  int accepted() const;
  /// The user that the server lets in.
  static std::string user();

 private:
  TestSshd() = default;
  bool launch();
  void make_host_key();
  std::string log() const;

  ScratchFolder folder_;
  ssh::Host host_;
  pid_t process_ = -1;
};

}  // namespace paas::tests
