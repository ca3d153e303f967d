// Sockets and just enough HTTP/1.1 to count every failure.
#include "haproxy/support/connection.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.hpp"

namespace paas::haproxy::test {

namespace {

tl::unexpected<Error> broken(const std::string& doing) {
  return fail(ErrorKind::unreachable, fmt::format("{}: {}", doing, std::strerror(errno)));
}

void limit_waiting(const Socket& socket) {
  const timeval limit{10, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

/// The value of a header, whose name is in lower case; empty when there is none.
std::string header(const std::string& head, const std::string& name) {
  for (const auto& line : text::lines(head)) {
    const auto colon = line.find(':');
    if (colon != std::string::npos && text::lower(line.substr(0, colon)) == name) {
      return std::string(text::trim(std::string_view(line).substr(colon + 1)));
    }
  }
  return {};
}

}  // namespace

Socket::~Socket() {
  if (descriptor_ >= 0) close(descriptor_);
}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = other.release();
  }
  return *this;
}

int Socket::release() { return std::exchange(descriptor_, -1); }

Result<Socket> connect_to_port(int port) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = loopback(port);
  limit_waiting(socket);
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return broken("connecting");
  }
  return socket;
}

Result<Socket> connect_to_path(const std::string& path) {
  Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  limit_waiting(socket);
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return broken("connecting to " + path);
  }
  return socket;
}

int free_port() {
  const Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto address = loopback(0);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(socket.get(), generic, size) != 0) return 0;
  getsockname(socket.get(), generic, &size);
  return ntohs(address.sin_port);
}

Status send_all(const Socket& socket, const std::string& text) {
  for (std::size_t sent = 0; sent < text.size();) {
    const auto count = send(socket.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return broken("sending");
    sent += static_cast<std::size_t>(count);
  }
  return {};
}

Result<std::string> receive_all(const Socket& socket) {
  std::string text;
  char buffer[16384];
  while (true) {
    const auto count = recv(socket.get(), buffer, sizeof buffer, 0);
    if (count < 0) return broken("receiving");
    if (count == 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

Result<Answer> Connection::ask(const Request& request) {
  if (!socket_.is_open()) {
    PAAS_TRY(socket_, connect_to_port(port_));
  }
  const auto sent =
      send_all(socket_, fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n{}Content-Length: {}\r\n\r\n{}",
                                    request.method, request.path, request.host, request.headers,
                                    request.body.size(), request.body));
  if (!sent) {
    close();
    return fail(sent.error());
  }
  auto answer = receive();
  if (!answer || answer->closes) close();
  return answer;
}

Result<Answer> Connection::receive() {
  std::string text;
  std::size_t needed = std::string::npos;
  std::size_t body_at = 0;
  Answer answer;
  while (text.size() < needed) {
    char buffer[16384];
    const auto count = recv(socket_.get(), buffer, sizeof buffer, 0);
    if (count < 0) return broken("receiving");
    if (count == 0) {
      return fail(ErrorKind::unreachable,
                  fmt::format("closed after {} bytes of an answer", text.size()));
    }
    text.append(buffer, static_cast<std::size_t>(count));
    const auto end = text.find("\r\n\r\n");
    if (needed != std::string::npos || end == std::string::npos) continue;
    answer.head = text.substr(0, end + 2);
    body_at = end + 4;
    const auto length = text::to_integer(header(answer.head, "content-length"));
    const auto status = text::to_integer(answer.head.substr(9, 3));
    if (!length || !status) return fail(ErrorKind::invalid, "not an answer: " + answer.head);
    answer.status = static_cast<int>(*status);
    answer.closes = text::lower(header(answer.head, "connection")) == "close";
    needed = body_at + static_cast<std::size_t>(*length);
  }
  answer.body = text.substr(body_at);
  return answer;
}

Answer answer_to(int port, const Connection::Request& request) {
  const auto answer = Connection(port).ask(request);
  REQUIRE(answer);
  return *answer;
}

}  // namespace paas::haproxy::test
