// A web program that promises to keep a connection and then closes it when the second request is on
// its way, as happens to any server whose idle time ends at the wrong moment.
#pragma once

#include <atomic>
#include <thread>

#include "haproxy/support/connection.hpp"

namespace paas::haproxy::test {

class ImpatientServer {
 public:
  /// How many requests are answered on a connection before it is closed under the next; health
  /// checks always are.
  explicit ImpatientServer(int patience);
  ~ImpatientServer();
  ImpatientServer(const ImpatientServer&) = delete;
  ImpatientServer& operator=(const ImpatientServer&) = delete;
  int port() const { return port_; }
  std::atomic<int> unanswered{0};  ///< Requests that came and got no answer.

 private:
  struct Visitor {
    Socket socket;
    int answers = 0;
  };
  void run();
  /// Answers a request; false when the connection is to be closed.
  bool serve(Visitor& visitor);

  int patience_;
  Socket listener_;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace paas::haproxy::test
