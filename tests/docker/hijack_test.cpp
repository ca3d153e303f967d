// The raw connection, against a scripted server on a unix socket.
#include "docker/hijack.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <future>
#include <thread>

#include "system/support/scratch_folder.hpp"

namespace paas::docker {
namespace {

/// Takes one connection and gives it to a function.
class OneConnection {
 public:
  explicit OneConnection(std::function<void(int)> serve) : path_(scratch_.file("engine.sock")) {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof(address.sun_path) - 1);
    REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(::listen(listener_, 1) == 0);
    thread_ = std::thread([this, serve = std::move(serve)] {
      const int connection = ::accept(listener_, nullptr, nullptr);
      if (connection >= 0) serve(connection);
      ::close(connection);
    });
  }
  ~OneConnection() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  const std::string& path() const { return path_; }

 private:
  tests::ScratchFolder scratch_;
  std::string path_;
  int listener_ = -1;
  std::thread thread_;
};

/// Reads until `end` was seen.
std::string read_until(int connection, const std::string& end) {
  std::string text;
  char c = 0;
  while (text.find(end) == std::string::npos && ::read(connection, &c, 1) == 1) text += c;
  return text;
}

std::string read_all(int connection) {
  std::string text;
  char part[4096];
  for (ssize_t got = 0; (got = ::read(connection, part, sizeof(part))) > 0;) {
    text.append(part, static_cast<std::size_t>(got));
  }
  return text;
}

void write_all(int connection, std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

const char* const upgraded =
    "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
    "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

constexpr auto long_enough = std::chrono::minutes(1);

TEST_CASE("hijack: input goes out after the upgrade and ends with the sending side") {
  std::string request;
  std::string input;
  std::string output;
  Status ran;
  {
    const OneConnection server([&](int connection) {
      request = read_until(connection, "\r\n\r\n{}");
      write_all(connection, std::string(upgraded) + "first");
      input = read_all(connection);
      write_all(connection, " second");
    });
    ran = hijack_unix_socket(
        server.path(), "/v1.41/exec/1/start", "{}", "the secret",
        [&](std::string_view part) -> Status {
          output += part;
          return {};
        },
        long_enough);
  }
  REQUIRE_MESSAGE(ran, ran.error().message);
  CHECK(request ==
        "POST /v1.41/exec/1/start HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\n"
        "Upgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
  CHECK(input == "the secret");
  CHECK(output == "first second");
}

TEST_CASE("hijack: megabytes both ways at once do not block each other") {
  const std::string big(8U << 20U, 'i');
  std::atomic<std::size_t> received = 0;
  std::size_t output = 0;
  const OneConnection server([&](int connection) {
    read_until(connection, "\r\n\r\n{}");
    write_all(connection, upgraded);
    // Echoes, as `cat` would: without reading at the same time, both sides would wait for ever.
    char part[65536];
    for (ssize_t got = 0; (got = ::read(connection, part, sizeof(part))) > 0;) {
      received += static_cast<std::size_t>(got);
      write_all(connection, {part, static_cast<std::size_t>(got)});
    }
  });
  const auto ran = hijack_unix_socket(
      server.path(), "/p", "{}", big,
      [&](std::string_view part) -> Status {
        output += part.size();
        return {};
      },
      long_enough);
  REQUIRE(ran);
  CHECK(received == big.size());
  CHECK(output == big.size());
}

TEST_CASE("hijack: a command that ends without reading its input is no error") {
  const OneConnection server([&](int connection) {
    read_until(connection, "\r\n\r\n{}");
    write_all(connection, std::string(upgraded) + "done");
    ::shutdown(connection, SHUT_RDWR);
  });
  std::string output;
  const auto ran = hijack_unix_socket(
      server.path(), "/p", "{}", std::string(1U << 20U, 'i'),
      [&](std::string_view part) -> Status {
        output += part;
        return {};
      },
      long_enough);
  REQUIRE_MESSAGE(ran, ran.error().message);
  CHECK(output == "done");
}

TEST_CASE("hijack: a refusal is the engine's message") {
  const OneConnection server([&](int connection) {
    read_until(connection, "\r\n\r\n{}");
    write_all(connection,
              "HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\n"
              "Content-Length: 42\r\n\r\n{\"message\":\"Container x is not running {1}\"}\n");
  });
  const auto ran = hijack_unix_socket(
      server.path(), "/p", "{}", "input", [](auto) -> Status { return {}; }, long_enough);
  REQUIRE_FALSE(ran);
  CHECK(ran.error().kind == ErrorKind::exists);
  CHECK(ran.error().message == "Container x is not running {1}");
}

TEST_CASE("hijack: no socket, no answer and no HTTP are unreachable") {
  const auto nothing = [](std::string_view) -> Status { return {}; };
  CHECK(hijack_unix_socket("/nonexistent/s", "/p", "{}", "i", nothing, long_enough).error().kind ==
        ErrorKind::unreachable);
  CHECK(hijack_unix_socket(std::string(200, 'x'), "/p", "{}", "i", nothing, long_enough)
            .error()
            .kind == ErrorKind::unreachable);
  const OneConnection server([&](int connection) { read_until(connection, "\r\n\r\n{}"); });
  const auto ran = hijack_unix_socket(server.path(), "/p", "{}", "i", nothing, long_enough);
  CHECK(ran.error().kind == ErrorKind::unreachable);
}

TEST_CASE("hijack: a stop ends it at once") {
  std::promise<void> begun;
  std::stop_source stop;
  const OneConnection server([&](int connection) {
    read_until(connection, "\r\n\r\n{}");
    write_all(connection, upgraded);
    begun.set_value();
    // Says nothing and does not close until the other side has given up both directions.
    pollfd waiting{connection, 0, 0};
    ::poll(&waiting, 1, -1);
  });
  std::thread asks([&] {
    begun.get_future().wait();
    stop.request_stop();
  });
  const auto ran = hijack_unix_socket(
      server.path(), "/p", "{}", "i", [](std::string_view) -> Status { return {}; }, long_enough,
      stop.get_token());
  asks.join();
  REQUIRE_FALSE(ran);
  CHECK(ran.error().kind == ErrorKind::interrupted);
}

TEST_CASE("hijack: an engine that neither speaks nor closes is given up after its time") {
  const auto nothing = [](std::string_view) -> Status { return {}; };
  for (const bool answers : {true, false}) {
    const OneConnection server([&](int connection) {
      read_until(connection, "\r\n\r\n{}");
      if (answers) write_all(connection, upgraded);
      pollfd waiting{connection, 0, 0};
      ::poll(&waiting, 1, -1);
    });
    const auto ran =
        hijack_unix_socket(server.path(), "/p", "{}", "i", nothing, std::chrono::milliseconds(50));
    REQUIRE_FALSE(ran);
    CHECK(ran.error().kind == ErrorKind::timed_out);
  }
}

}  // namespace
}  // namespace paas::docker
