// An HTTP/1.1 server on raw sockets that tests make misbehave: it answers exactly what it is told.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "system/descriptor.hpp"

namespace paas::tests {

struct ReceivedRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  ///< Names in lower case.
  std::string body;
};

/// The server's side of a connection, for the handler of a request.
class Peer {
 public:
  explicit Peer(int socket) : socket_(socket) {}
  /// False when the client has gone.
  bool send(std::string_view text);
  /// A whole answer with a length.
  bool answer(int status, std::string_view body, std::string_view more_headers = {});
  /// Cuts the connection after the handler returns.
  void cut() { cut_ = true; }
  bool is_cut() const { return cut_; }
  /// Waits until the client closes its side.
  void await_close();

 private:
  int socket_;
  bool cut_ = false;
};

class LoopbackServer {
 public:
  using Handler = std::function<void(const ReceivedRequest&, Peer&)>;

  /// Listens on a port that the kernel chooses.
  explicit LoopbackServer(Handler handler);
  /// Listens on a unix socket.
  LoopbackServer(Handler handler, const std::string& socket_path);
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  std::string url(std::string_view path) const;
  int connections() const { return connections_; }
  int requests() const { return requests_; }

 private:
  void accept_all();
  void serve(int socket);

  Handler handler_;
  system::Descriptor listener_;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<int> requests_ = 0;
  std::mutex mutex_;
  std::vector<int> open_sockets_;
  std::list<std::jthread> threads_;
  std::jthread acceptor_;
};

}  // namespace paas::tests
