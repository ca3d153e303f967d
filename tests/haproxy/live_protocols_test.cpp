// WebSocket and HTTP/2 through a real HAProxy. Skipped unless asked for: see run_live.sh.
#include <curl/curl.h>
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>

#include "haproxy/support/connection.hpp"
#include "haproxy/support/live_haproxy.hpp"
#include "haproxy/support/plain_server.hpp"

TEST_SUITE_BEGIN("live" * doctest::skip());

namespace paas::haproxy {
namespace {

using test::Connection;
using test::LiveHaproxy;
using test::PlainServer;
using test::WebServer;

/// Exactly so many bytes, or what came before the other side closed.
std::string receive_exactly(const test::Socket& socket, std::size_t bytes) {
  std::string text(bytes, '\0');
  const auto count = recv(socket.get(), text.data(), bytes, MSG_WAITALL);
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

std::string receive_head(const test::Socket& socket) {
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    const auto next = receive_exactly(socket, 1);
    if (next.empty()) break;
    head += next;
  }
  return head;
}

TEST_CASE("haproxy: a WebSocket passes, whatever is limited, logged or compressed") {
  PlainServer web;
  auto setup = test::web_setup({});
  setup.backends[0].servers = {{"web", "127.0.0.1", web.port()}};
  SUBCASE("as it is") {}
  SUBCASE("with everything") {
    setup.traffic.limit = {.requests = stack::Rate{100, 10}, .body_bytes = 1024};
    setup.traffic.compression = {"text/plain"};
    setup.traffic.log = stack::AccessLog::json;
    setup.traffic.timeouts.server_ms = 300;
    setup.traffic.timeouts.client_ms = 300;
  }
  LiveHaproxy haproxy(setup);
  for (const int port : {haproxy.port(), setup.backends[0].internal_port}) {
    const auto socket = test::connect_to_port(port);
    REQUIRE(socket);
    REQUIRE(test::send_all(*socket,
                           "GET /chat HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                           "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
    CHECK(receive_head(*socket).starts_with("HTTP/1.1 101 "));
    for (const auto& message : {std::string("hello"), std::string(5000, 'x')}) {
      REQUIRE(test::send_all(*socket, message));
      CHECK(receive_exactly(*socket, message.size()) == message);
    }
  }
}

std::size_t keep(char* data, std::size_t, std::size_t bytes, void* target) {
  static_cast<std::string*>(target)->append(data, bytes);
  return bytes;
}

TEST_CASE("haproxy: a client that begins with HTTP/2 is answered in HTTP/2 on a plain port") {
  WebServer web("web");
  auto setup = test::web_setup({&web});
  setup.rules = {{"www.example.com", "/x", "web"}};
  LiveHaproxy haproxy(setup);
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(
      curl_slist_append(nullptr, "Host: www.example.com"), &curl_slist_free_all);
  std::string body;
  const auto url = "http://127.0.0.1:" + std::to_string(haproxy.port()) + "/x/y?z";
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, "the body");
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &keep);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
  REQUIRE(curl_easy_perform(curl.get()) == CURLE_OK);
  long status = 0;
  long version = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl.get(), CURLINFO_HTTP_VERSION, &version);
  CHECK(status == 200);
  CHECK(version == CURL_HTTP_VERSION_2_0);
  CHECK(body.starts_with("web\nthe body\n"));
}

}  // namespace
}  // namespace paas::haproxy

TEST_SUITE_END();
