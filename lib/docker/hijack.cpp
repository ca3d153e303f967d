// The raw connection of exec with input, on POSIX sockets.
#include "docker/hijack.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.hpp"
#include "docker/call.hpp"

namespace paas::docker {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t part_bytes = 64U << 10U;
constexpr std::size_t longest_head_bytes = 64U << 10U;

/// A connection to a unix socket that lasts no longer than it may. What ends it is an error of kind
/// interrupted when a stop was asked for.
class Connection {
 public:
  Connection(std::string socket, std::chrono::milliseconds timeout, const std::stop_token& stop)
      : socket_(std::move(socket)),
        stop_(stop),
        timeout_(timeout),
        deadline_(Steady::now() + timeout),
        descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        wake_(stop_, Wake{descriptor_}) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  int descriptor() const { return descriptor_; }

  tl::unexpected<Error> broken(const std::string& why) const {
    if (stop_.stop_requested()) return fail(ErrorKind::interrupted, "interrupted");
    return fail(ErrorKind::unreachable, fmt::format("cannot reach {}: {}", socket_, why));
  }

  Status connect() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_.size() >= sizeof(address.sun_path)) {
      return broken("the path is too long for a unix socket");
    }
    std::memcpy(address.sun_path, socket_.c_str(), socket_.size() + 1);
    if (descriptor_ < 0 ||
        ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      return broken(std::strerror(errno));
    }
    return {};
  }

  /// Waits for one of these events of poll(2); which ones have come, errors and ends among them.
  Result<int> wait(int events) const {
    while (true) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Steady::now());
      if (left.count() <= 0) {
        return fail(ErrorKind::timed_out, fmt::format("{} did not end a command within {}", socket_,
                                                      text::duration(timeout_)));
      }
      pollfd waiting{descriptor_, static_cast<short>(events), 0};
      // Poll counts in an int, which is shorter than a deadline may be.
      const auto turn = std::min<std::chrono::milliseconds>(left, std::chrono::hours(1));
      const auto ready = ::poll(&waiting, 1, static_cast<int>(turn.count()));
      if (ready > 0) return waiting.revents;
      if (ready < 0 && errno != EINTR) return broken(std::strerror(errno));
    }
  }

  Status send_all(std::string_view text) const {
    while (!text.empty()) {
      PAAS_TRY([[maybe_unused]] const auto ready, wait(POLLOUT));
      const auto sent = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) return broken(std::strerror(errno));
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
  }

  /// Up to a part of what has come; "" when the other side has closed.
  Result<std::string> receive() const {
    std::string part(part_bytes, '\0');
    while (true) {
      PAAS_TRY([[maybe_unused]] const auto ready, wait(POLLIN));
      const auto got = ::recv(descriptor_, part.data(), part.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      // The other side closed without reading all that it was sent, as a command does that ignores
      // its input: what it said has been received before this.
      if (got < 0 && errno == ECONNRESET && !stop_.stop_requested()) return std::string();
      if (got < 0) return broken(std::strerror(errno));
      if (got == 0 && stop_.stop_requested()) return broken("interrupted");
      part.resize(static_cast<std::size_t>(got));
      return part;
    }
  }

 private:
  /// Ends every wait on the socket, in whatever thread.
  struct Wake {
    int descriptor;
    void operator()() const noexcept { ::shutdown(descriptor, SHUT_RDWR); }
  };

  std::string socket_;
  std::stop_token stop_;
  std::chrono::milliseconds timeout_;
  Steady::time_point deadline_;
  int descriptor_;
  std::stop_callback<Wake> wake_;
};

int status_of(std::string_view head) {
  // "HTTP/1.1 101 UPGRADED"
  const auto space = head.find(' ');
  if (head.substr(0, 5) != "HTTP/" || space == std::string_view::npos) return 0;
  return static_cast<int>(text::to_integer(head.substr(space + 1, 3)).value_or(0));
}

/// The message in a refusal's body. It may be chunked or have a length: it is one JSON object, so
/// its end is known by itself.
std::string message_in(std::string_view body) {
  const auto start = body.find('{');
  const auto end = body.rfind('}');
  if (start == std::string_view::npos || end == std::string_view::npos || end < start) return {};
  return text_of(member(nlohmann::json::parse(body.substr(start, end - start + 1), nullptr, false),
                        "message"));
}

Status refused(const Connection& connection, int status, std::string body) {
  // No other request follows, so the engine closes after its answer, whatever form that has.
  ::shutdown(connection.descriptor(), SHUT_WR);
  auto message = message_in(body);
  while (message.empty() && body.size() < longest_head_bytes) {
    PAAS_TRY(const auto part, connection.receive());
    if (part.empty()) break;
    body += part;
    message = message_in(body);
  }
  if (message.empty()) message = fmt::format("status {}", status);
  auto kind = ErrorKind::failed;
  if (status == 404) kind = ErrorKind::not_found;
  if (status == 409) kind = ErrorKind::exists;
  return fail(kind, message);
}

/// Moves the input out and the output in until the engine closes.
Status exchange(const Connection& connection, std::string_view input,
                const std::function<Status(std::string_view)>& sink) {
  bool sending = true;
  while (true) {
    if (sending && input.empty()) {
      ::shutdown(connection.descriptor(), SHUT_WR);
      sending = false;
    }
    PAAS_TRY(const auto ready, connection.wait(sending ? POLLIN | POLLOUT : POLLIN));
    if ((ready & POLLOUT) != 0) {
      const auto sent =
          ::send(connection.descriptor(), input.data(), input.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) input.remove_prefix(static_cast<std::size_t>(sent));
      // A command may end without reading its input; its output and exit code still count.
      if (sent < 0 && errno != EAGAIN && errno != EINTR) sending = false;
    }
    if ((ready & (POLLIN | POLLHUP | POLLERR)) != 0) {
      PAAS_TRY(const auto part, connection.receive());
      if (part.empty()) return {};
      PAAS_CHECK(sink(part));
    }
  }
}

}  // namespace

Status hijack_unix_socket(const std::string& socket, const std::string& path,
                          const std::string& body, std::string_view input,
                          const std::function<Status(std::string_view)>& sink,
                          std::chrono::milliseconds timeout, const std::stop_token& stop) {
  const Connection connection(socket, timeout, stop);
  PAAS_CHECK(connection.connect());
  PAAS_CHECK(connection.send_all(
      fmt::format("POST {} HTTP/1.1\r\nHost: docker\r\n"
                  "Connection: Upgrade\r\nUpgrade: tcp\r\n"
                  "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                  path, body.size(), body)));
  std::string head;
  auto end = std::string::npos;
  while ((end = head.find("\r\n\r\n")) == std::string::npos) {
    PAAS_TRY(const auto part, connection.receive());
    if (part.empty()) return connection.broken("the connection was closed before an answer");
    head += part;
    if (head.size() > longest_head_bytes) return connection.broken("the answer is not HTTP");
  }
  auto rest = head.substr(end + 4);
  const auto status = status_of(head);
  if (status != 101 && status != 200) return refused(connection, status, std::move(rest));
  // Input goes out only now: the engine drops what arrives before it has taken the connection over.
  if (!rest.empty()) PAAS_CHECK(sink(rest));
  return exchange(connection, input, sink);
}

}  // namespace paas::docker
