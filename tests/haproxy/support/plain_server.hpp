// A web program without a library between: answers what never changes, and becomes an echo when a
// client asks for a WebSocket.
#pragma once

#include <atomic>
#include <list>
#include <thread>

#include "haproxy/support/connection.hpp"

namespace paas::haproxy::test {

class PlainServer {
 public:
  PlainServer();
  ~PlainServer();
  PlainServer(const PlainServer&) = delete;
  PlainServer& operator=(const PlainServer&) = delete;
  int port() const { return port_; }

 private:
  void run();
  void serve(Socket visitor) const;

  Socket listener_;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::list<std::thread> visits_;
  std::thread thread_;
};

}  // namespace paas::haproxy::test
