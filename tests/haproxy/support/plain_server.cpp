// Serves each connection in a thread of its own.
#include "haproxy/support/plain_server.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <utility>

#include "base/text.hpp"

namespace paas::haproxy::test {

namespace {

constexpr int look_for_stop_ms = 20;

/// What came; nothing when the other side closed or `stopping`.
std::string receive_some(const Socket& socket, const std::atomic<bool>& stopping) {
  pollfd waiting{socket.get(), POLLIN, 0};
  while (poll(&waiting, 1, look_for_stop_ms) <= 0) {
    if (stopping) return "";
  }
  std::array<char, 4096> buffer{};
  const auto count = recv(socket.get(), buffer.data(), buffer.size(), 0);
  return count > 0 ? std::string(buffer.data(), static_cast<std::size_t>(count)) : "";
}

}  // namespace

PlainServer::PlainServer() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const where = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(bind(listener_.get(), where, sizeof address) == 0);
  REQUIRE(listen(listener_.get(), 16) == 0);
  socklen_t length = sizeof address;
  REQUIRE(getsockname(listener_.get(), where, &length) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

PlainServer::~PlainServer() {
  stopping_ = true;
  thread_.join();
  for (auto& visit : visits_) visit.join();
}

void PlainServer::run() {
  while (!stopping_) {
    pollfd waiting{listener_.get(), POLLIN, 0};
    if (poll(&waiting, 1, look_for_stop_ms) <= 0) continue;
    Socket visitor(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    visits_.emplace_back([this, held = std::move(visitor)]() mutable { serve(std::move(held)); });
  }
}

void PlainServer::serve(Socket visitor) const {
  std::string head;
  while (head.find("\r\n\r\n") == std::string::npos) {
    const auto more = receive_some(visitor, stopping_);
    if (more.empty()) return;
    head += more;
  }
  if (text::lower(head).find("\r\nupgrade: websocket\r\n") == std::string::npos) {
    const std::string body(2000, 'x');
    std::ignore = send_all(visitor,
                           "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: "
                           "close\r\nContent-Length: 2000\r\n\r\n" +
                               body);
    return;
  }
  std::ignore = send_all(visitor,
                         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
                         "Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
  while (true) {
    const auto said = receive_some(visitor, stopping_);
    if (said.empty() || !send_all(visitor, said)) return;
  }
}

}  // namespace paas::haproxy::test
