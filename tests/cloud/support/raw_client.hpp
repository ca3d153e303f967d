// A client that sends what it is told, byte by byte, over one connection.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace paas::cloud::testing {

class RawClient {
 public:
  explicit RawClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    const timeval patience{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send(const std::string& text) {
    REQUIRE(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
  }

  /// The status of the next whole answer; 0 when the connection ends before it.
  int read_status() {
    const auto end = read_until("\r\n\r\n");
    if (end == std::string::npos) return 0;
    const auto head = text_.substr(0, end);
    text_.erase(0, end);
    const auto length = head.find("Content-Length: ");
    const auto size = length == std::string::npos ? 0 : std::atoi(head.c_str() + length + 16);
    while (text_.size() < static_cast<std::size_t>(size)) {
      if (!read_more()) return 0;
    }
    text_.erase(0, static_cast<std::size_t>(size));
    return std::atoi(head.c_str() + head.find(' '));
  }

 private:
  std::size_t read_until(const std::string& mark) {
    while (text_.find(mark) == std::string::npos) {
      if (!read_more()) return std::string::npos;
    }
    return text_.find(mark) + mark.size();
  }

  bool read_more() {
    char part[4096];
    const auto count = ::recv(socket_, part, sizeof part, 0);
    if (count <= 0) return false;
    text_.append(part, static_cast<std::size_t>(count));
    return true;
  }

  int socket_;
  std::string text_;
};

}  // namespace paas::cloud::testing
