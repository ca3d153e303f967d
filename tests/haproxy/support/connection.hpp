// A client that forgives nothing: a connection that is closed without notice is a failure, no
// request is sent twice.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"

namespace paas::haproxy::test {

/// A file descriptor of its own.
class Socket {
 public:
  explicit Socket(int descriptor = -1) : descriptor_(descriptor) {}
  ~Socket();
  Socket(Socket&& other) noexcept : descriptor_(other.release()) {}
  Socket& operator=(Socket&& other) noexcept;
  Socket(const Socket&) = delete;
  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  int release();
  int descriptor_;
};

Result<Socket> connect_to_port(int port);
Result<Socket> connect_to_path(const std::string& path);
/// A port of the loopback that was free a moment ago.
int free_port();

Status send_all(const Socket& socket, const std::string& text);
/// Until the other side closes. Error: reset, or ten seconds without a byte.
Result<std::string> receive_all(const Socket& socket);

struct Answer {
  int status = 0;
  std::string body;
  std::string head;
  bool closes = false;  ///< The connection is not to be used again.
};

/// One HTTP/1.1 client connection, opened when it is needed.
class Connection {
 public:
  explicit Connection(int port) : port_(port) {}

  struct Request {
    std::string method = "GET";
    std::string path = "/";
    std::string body = {};
    std::string headers = {};  ///< Lines that end with CRLF.
    std::string host = "localhost";
  };
  Result<Answer> ask(const Request& request);
  void close() { socket_ = Socket(); }

 private:
  Result<Answer> receive();
  int port_;
  Socket socket_;
};

/// The answer to one request on a connection of its own; fails the test when none comes.
Answer answer_to(int port, const Connection::Request& request);

}  // namespace paas::haproxy::test
