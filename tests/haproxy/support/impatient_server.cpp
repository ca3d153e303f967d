// One thread that polls its connections.
#include "haproxy/support/impatient_server.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace paas::haproxy::test {

// Requests of these tests come in one piece.
bool ImpatientServer::serve(Visitor& visitor) {
  char buffer[16384];
  const auto count = recv(visitor.socket.get(), buffer, sizeof buffer, 0);
  if (count <= 0) return false;
  const std::string_view request(buffer, static_cast<std::size_t>(count));
  if (!request.starts_with("GET /healthz ") && visitor.answers >= patience_) {
    ++unanswered;
    return false;
  }
  ++visitor.answers;
  return send_all(visitor.socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").has_value();
}

ImpatientServer::ImpatientServer(int patience)
    : patience_(patience), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_.get(), generic, size) == 0 && listen(listener_.get(), 64) == 0) {
    getsockname(listener_.get(), generic, &size);
    port_ = ntohs(address.sin_port);
  }
  thread_ = std::thread([this] { run(); });
}

ImpatientServer::~ImpatientServer() {
  stopping_ = true;
  thread_.join();
}

void ImpatientServer::run() {
  std::vector<Visitor> visitors;
  while (!stopping_) {
    std::vector<pollfd> waiting = {{listener_.get(), POLLIN, 0}};
    for (const auto& visitor : visitors) waiting.push_back({visitor.socket.get(), POLLIN, 0});
    constexpr int look_for_stop_ms = 20;
    if (poll(waiting.data(), waiting.size(), look_for_stop_ms) <= 0) continue;
    std::vector<Visitor> staying;
    for (std::size_t i = 0; i < visitors.size(); ++i) {
      if (waiting[i + 1].revents == 0 || serve(visitors[i])) {
        staying.push_back(std::move(visitors[i]));
      }
    }
    visitors = std::move(staying);
    if (waiting[0].revents != 0) {
      visitors.push_back({Socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)), 0});
    }
  }
}

}  // namespace paas::haproxy::test
