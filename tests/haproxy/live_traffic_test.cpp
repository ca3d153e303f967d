// Limits, timeouts, compression, the health endpoint, the log and trusted proxies as a real HAProxy
// carries them out. Skipped unless asked for: see run_live.sh.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "base/text.hpp"
#include "haproxy/support/connection.hpp"
#include "haproxy/support/live_haproxy.hpp"
#include "haproxy/support/plain_server.hpp"

TEST_SUITE_BEGIN("live" * doctest::skip());

namespace paas::haproxy {
namespace {

using test::Answer;
using test::Connection;
using test::LiveHaproxy;
using test::PlainServer;
using test::WebServer;

int status_of(const LiveHaproxy& haproxy, const Connection::Request& request) {
  const auto answer = Connection(haproxy.port()).ask(request);
  REQUIRE(answer);
  return answer->status;
}

/// The lines of an answer's head or body that begin with "name: ", without it, in any case.
std::vector<std::string> fields_of(const std::string& text, const std::string& name) {
  std::vector<std::string> values;
  for (const auto& line : text::lines(text)) {
    const auto start = name + ": ";
    if (text::lower(line).starts_with(start)) {
      values.emplace_back(text::trim(line.substr(start.size())));
    }
  }
  return values;
}

/// The status of the answer to a request that is written as it goes over the wire.
int status_of_text(const LiveHaproxy& haproxy, const std::string& request) {
  const auto socket = test::connect_to_port(haproxy.port());
  REQUIRE(socket);
  REQUIRE(test::send_all(*socket, request));
  const auto answer = test::receive_all(*socket);
  REQUIRE(answer);
  REQUIRE(answer->size() > 12);
  return static_cast<int>(text::to_integer(answer->substr(9, 3)).value_or(0));
}

/// A POST whose length is not told before it ends, as a client sends what it does not know yet.
int status_of_chunked(const LiveHaproxy& haproxy, const std::string& path, std::size_t bytes) {
  std::string text = "POST " + path +
                     " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n";
  for (std::size_t sent = 0; sent < bytes; sent += 10) text += "a\r\n0123456789\r\n";
  return status_of_text(haproxy, text + "0\r\n\r\n");
}

TEST_CASE("haproxy: a client that asks for too much is told when it may come back") {
  WebServer web("web");
  auto setup = test::web_setup({&web});
  setup.traffic.limit.requests = stack::Rate{5, 3600};
  setup.rules = {
      {.host = "", .path = "/own", .to = "web", .limit = {.requests = stack::Rate{2, 1800}}},
      {"", "", "web"}};
  LiveHaproxy haproxy(setup);
  for (int i = 0; i < 2; ++i) CHECK(status_of(haproxy, {.path = "/own"}) == 200);
  const auto refused = Connection(haproxy.port()).ask({.path = "/own/x"});
  REQUIRE(refused);
  CHECK(refused->status == 429);
  CHECK(refused->body == "429 Too Many Requests: slow down\n");
  CHECK(fields_of(refused->head, "retry-after") == std::vector<std::string>{"1800"});
  // What a rule counts by itself is not counted with the rest.
  for (int i = 0; i < 5; ++i) CHECK(status_of(haproxy, {.path = "/other"}) == 200);
  CHECK(status_of(haproxy, {.path = "/other"}) == 429);
  // Inside, nobody is limited.
  for (int i = 0; i < 10; ++i) {
    const auto inside = Connection(setup.backends[0].internal_port).ask({.path = "/own"});
    REQUIRE(inside);
    CHECK(inside->status == 200);
  }
  const auto table = haproxy.send()("show table limit.all");
  REQUIRE(table);
  CHECK(table->find("key=::ffff:127.0.0.1") != std::string::npos);
}

TEST_CASE("haproxy: with trusted proxies it is their clients that are limited") {
  WebServer web("web");
  auto setup = test::web_setup({&web});
  setup.traffic.limit.requests = stack::Rate{1, 3600};
  setup.traffic.trusted_proxies = {"127.0.0.0/8"};
  LiveHaproxy haproxy(setup);
  const auto from = [&](const std::string& address) {
    return status_of(haproxy, {.headers = "X-Forwarded-For: " + address + "\r\n"});
  };
  CHECK(from("203.0.113.1") == 200);
  CHECK(from("203.0.113.1") == 429);
  CHECK(from("203.0.113.1, 203.0.113.2") == 200);
  CHECK(from("203.0.113.9, 203.0.113.2") == 429);
  // 64 bits of an IPv6 address are one client.
  CHECK(from("2001:db8::1") == 200);
  CHECK(from("2001:db8::2") == 429);
  CHECK(from("2001:db8:0:1::1") == 200);
}

TEST_CASE("haproxy: trusted proxies say where a request came from, others do not") {
  WebServer web("web");
  auto setup = test::web_setup({&web});
  setup.traffic.trusted_proxies = {"127.0.0.1/32"};
  const Connection::Request request = {
      .headers = "X-Forwarded-For: 203.0.113.1\r\nX-Forwarded-Proto: https\r\n"};
  {
    LiveHaproxy haproxy(setup);
    const auto answer = Connection(haproxy.port()).ask(request);
    REQUIRE(answer);
    const auto addresses = fields_of(answer->body, "x-forwarded-for");
    REQUIRE_FALSE(addresses.empty());
    for (const auto& address : addresses) CHECK(address == "203.0.113.1");
    CHECK(fields_of(answer->body, "x-forwarded-proto") == std::vector<std::string>{"https"});
    const auto silent = Connection(haproxy.port()).ask({});
    REQUIRE(silent);
    CHECK(fields_of(silent->body, "x-forwarded-for") == std::vector<std::string>{"127.0.0.1"});
    CHECK(fields_of(silent->body, "x-forwarded-proto") == std::vector<std::string>{"http"});
  }
  setup.traffic.trusted_proxies = {"198.51.100.0/24", "2001:db8::/32"};
  LiveHaproxy haproxy(setup);
  const auto answer = Connection(haproxy.port()).ask(request);
  REQUIRE(answer);
  CHECK(fields_of(answer->body, "x-forwarded-for") == std::vector<std::string>{"127.0.0.1"});
  CHECK(fields_of(answer->body, "x-forwarded-proto") == std::vector<std::string>{"http"});
}

TEST_CASE("haproxy: a body beyond the limit is refused, also one whose length is not told") {
  WebServer web("web");
  auto setup = test::web_setup({&web});
  setup.traffic.limit.body_bytes = 2048;
  setup.rules = {{.host = "", .path = "/large", .to = "web", .limit = {.body_bytes = 1 << 20}},
                 {"", "", "web"}};
  LiveHaproxy haproxy(setup);
  const auto status = [&](const std::string& path, std::size_t bytes) {
    return status_of(haproxy, {.method = "POST", .path = path, .body = std::string(bytes, 'x')});
  };
  CHECK(status("/", 2048) == 200);
  CHECK(status("/", 2049) == 413);
  CHECK(status("/large", 100000) == 200);
  // It is refused before it is sent; one that sends on meanwhile may find the connection closed.
  CHECK(status_of_text(haproxy,
                       "POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n"
                       "Connection: close\r\n\r\n") == 413);
  CHECK(status_of_chunked(haproxy, "/", 2040) == 200);
  CHECK(status_of_chunked(haproxy, "/", 2050) == 413);
  CHECK(status_of_chunked(haproxy, "/", 12000) == 413);
  // More than HAProxy's buffer is not known beforehand when the length is not told.
  CHECK(status_of_chunked(haproxy, "/large", 100000) == 200);
  // What has no body does not wait for one.
  CHECK(status_of(haproxy, {}) == 200);
}

TEST_CASE("haproxy: a server that does not answer in time is given up") {
  WebServer web("web");
  web.slow_ms = 3000;
  auto setup = test::web_setup({&web});
  setup.traffic.timeouts.server_ms = 300;
  LiveHaproxy haproxy(setup);
  CHECK(status_of(haproxy, {.method = "POST", .path = "/slow"}) == 504);
  CHECK(status_of(haproxy, {.path = "/"}) == 200);
}

TEST_CASE("haproxy: what is of a named type is compressed for those who take it") {
  // Not WebServer: its library compresses by itself.
  PlainServer web;
  auto setup = test::web_setup({});
  setup.backends[0].servers = {{"web", "127.0.0.1", web.port()}};
  setup.traffic.compression = {"text/plain"};
  LiveHaproxy haproxy(setup);
  const auto encoding = [&](const std::string& headers) {
    const auto socket = test::connect_to_port(haproxy.port());
    REQUIRE(socket);
    REQUIRE(test::send_all(
        *socket, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + headers + "\r\n"));
    const auto answer = test::receive_all(*socket);
    REQUIRE(answer);
    const auto found = fields_of(*answer, "content-encoding");
    return found.empty() ? "" : found.front();
  };
  CHECK(encoding("Accept-Encoding: gzip\r\n") == "gzip");
  CHECK(encoding("") == "");
  haproxy.setup.traffic.compression = {"text/html"};
  haproxy.restart();
  CHECK(encoding("Accept-Encoding: gzip\r\n") == "");
}

TEST_CASE("haproxy: the load balancer answers for itself when no server can") {
  auto setup = test::web_setup({});
  setup.traffic.health = "/lb";
  LiveHaproxy haproxy(setup);
  const auto answer = Connection(haproxy.port()).ask({.path = "/lb?x=y"});
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->body == "ok\n");
  CHECK(status_of(haproxy, {.path = "/lb/"}) == 503);
}

TEST_CASE("haproxy: each request is an object in the log, whatever the client wrote") {
  WebServer web("web");
  auto setup = test::web_setup({&web});
  setup.traffic.log = stack::AccessLog::json;
  setup.traffic.health = "/lb";
  LiveHaproxy haproxy(setup);
  CHECK(status_of(haproxy, {.path = "/lb"}) == 200);
  CHECK(status_of(haproxy, {.path = "/a\"b\\c?d=%22", .host = "h\"o\\st"}) == 200);
  CHECK(status_of(haproxy, {.path = "/" + std::string(4000, '"')}) == 200);
  std::vector<nlohmann::json> objects;
  REQUIRE(haproxy.eventually([&] {
    objects.clear();
    for (const auto& line : text::lines(haproxy.log())) {
      if (!line.starts_with('{')) continue;
      auto object = nlohmann::json::parse(line, nullptr, false);
      CHECK_MESSAGE(!object.is_discarded(), line);
      objects.push_back(std::move(object));
    }
    return objects.size() >= 2;
  }));
  REQUIRE(objects.size() == 2);
  CHECK(objects[0]["uri"] == "/a\"b\\c?d=%22");
  CHECK(objects[0]["host"] == "h\"o\\st");
  CHECK(objects[0]["method"] == "GET");
  CHECK(objects[0]["status"] == 200);
  CHECK(objects[0]["service"] == "web");
  CHECK(objects[0]["server"] == "web");
  CHECK(objects[0]["client"] == "127.0.0.1");
  CHECK(objects[0]["request_id"].get<std::string>().size() == 36);
  CHECK(objects[1]["uri"].get<std::string>().starts_with("/\"\"\""));
}

TEST_CASE("haproxy: the log has a line for each request when it is asked for") {
  WebServer web("web");
  auto setup = test::web_setup({&web});
  LiveHaproxy haproxy(setup);
  CHECK(status_of(haproxy, {.path = "/unwritten"}) == 200);
  haproxy.setup.traffic.log = stack::AccessLog::text;
  haproxy.reload();
  CHECK(status_of(haproxy, {.path = "/written"}) == 200);
  CHECK(
      haproxy.eventually([&] { return haproxy.log().find("GET /written") != std::string::npos; }));
  CHECK(haproxy.log().find("/unwritten") == std::string::npos);
}

}  // namespace
}  // namespace paas::haproxy

TEST_SUITE_END();
