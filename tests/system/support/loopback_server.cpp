// Implementation of the test server.
#include "system/support/loopback_server.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>

#include "base/text.hpp"

namespace paas::tests {
namespace {

/// Reads from a socket what was asked for and keeps the rest.
class Reader {
 public:
  explicit Reader(int socket) : socket_(socket) {}

  std::optional<std::string> until(std::string_view mark) {
    while (true) {
      if (const auto at = buffer_.find(mark); at != std::string::npos) {
        return take(at + mark.size());
      }
      if (!fill()) return std::nullopt;
    }
  }

  std::optional<std::string> exactly(std::size_t count) {
    while (buffer_.size() < count) {
      if (!fill()) return std::nullopt;
    }
    return take(count);
  }

 private:
  bool fill() {
    std::array<char, 65536> part{};
    const auto count = ::recv(socket_, part.data(), part.size(), 0);
    if (count <= 0) return false;
    buffer_.append(part.data(), static_cast<std::size_t>(count));
    return true;
  }

  std::string take(std::size_t count) {
    auto result = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return result;
  }

  int socket_;
  std::string buffer_;
};

std::optional<std::string> read_chunks(Reader& reader) {
  std::string body;
  while (true) {
    const auto size_line = reader.until("\r\n");
    if (!size_line) return std::nullopt;
    const auto size = std::stoul(*size_line, nullptr, 16);
    const auto chunk = reader.exactly(size + 2);
    if (!chunk) return std::nullopt;
    if (size == 0) return body;
    body += chunk->substr(0, size);
  }
}

std::optional<ReceivedRequest> read_request(Reader& reader) {
  const auto head = reader.until("\r\n\r\n");
  if (!head) return std::nullopt;
  ReceivedRequest request;
  const auto lines = text::split(*head, '\n');
  const auto words = text::split(lines.front(), ' ');
  request.method = words.at(0);
  request.target = words.at(1);
  for (const auto& line : lines) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    request.headers[text::lower(line.substr(0, colon))] = text::trim(line.substr(colon + 1));
  }
  std::optional<std::string> body = "";
  if (request.headers.contains("content-length")) {
    body = reader.exactly(std::stoul(request.headers["content-length"]));
  } else if (request.headers["transfer-encoding"] == "chunked") {
    body = read_chunks(reader);
  }
  if (!body) return std::nullopt;
  request.body = std::move(*body);
  return request;
}

}  // namespace

bool Peer::send(std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Peer::answer(int status, std::string_view body, std::string_view more_headers) {
  return send(fmt::format("HTTP/1.1 {} Said\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(),
                          more_headers, body));
}

void Peer::await_close() {
  std::array<char, 4096> part{};
  while (::recv(socket_, part.data(), part.size(), 0) > 0) {
  }
}

LoopbackServer::LoopbackServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = system::Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_.get(), generic, length) != 0 || ::listen(listener_.get(), 512) != 0 ||
      ::getsockname(listener_.get(), generic, &length) != 0) {
    throw std::runtime_error("the test server cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] { accept_all(); });
}

LoopbackServer::LoopbackServer(Handler handler, const std::string& socket_path)
    : handler_(std::move(handler)) {
  listener_ = system::Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_.get(), 512) != 0) {
    throw std::runtime_error("the test server cannot listen");
  }
  acceptor_ = std::jthread([this] { accept_all(); });
}

LoopbackServer::~LoopbackServer() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  {
    const std::scoped_lock lock(mutex_);
    for (const int socket : open_sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  threads_.clear();
}

std::string LoopbackServer::url(std::string_view path) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, path);
}

void LoopbackServer::accept_all() {
  while (true) {
    const int socket = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    ++connections_;
    const std::scoped_lock lock(mutex_);
    open_sockets_.push_back(socket);
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void LoopbackServer::serve(int socket) {
  Reader reader(socket);
  Peer peer(socket);
  while (!peer.is_cut()) {
    const auto request = read_request(reader);
    if (!request) break;
    ++requests_;
    handler_(*request, peer);
  }
  const std::scoped_lock lock(mutex_);
  std::erase(open_sockets_, socket);
  ::close(socket);
}

}  // namespace paas::tests
