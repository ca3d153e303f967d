// Where a real HAProxy sends requests, and what it adds to them. Skipped unless asked for: see
// run_live.sh.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "haproxy/support/connection.hpp"
#include "haproxy/support/live_haproxy.hpp"

TEST_SUITE_BEGIN("live" * doctest::skip());

namespace paas::haproxy {
namespace {

using test::Answer;
using test::answer_to;
using test::Connection;
using test::LiveHaproxy;
using test::WebServer;

/// The server that answered, or the status.
std::string who(int port, const std::string& host, const std::string& path) {
  const auto answer = answer_to(port, {.path = path, .host = host});
  return answer.status == 200 ? text::lines(answer.body)[0] : std::to_string(answer.status);
}

std::vector<std::string> values_of(const Answer& answer, const std::string& name) {
  std::vector<std::string> values;
  for (const auto& line : text::lines(answer.body)) {
    const auto start = name + ": ";
    if (text::lower(line).starts_with(text::lower(start)))
      values.push_back(line.substr(start.size()));
  }
  return values;
}

TEST_CASE("haproxy: rules match hosts and path prefixes in their order") {
  WebServer web("web");
  WebServer api("api");
  auto setup = test::web_setup({&web});
  setup.backends.push_back(setup.backends[0]);
  setup.backends[1].name = "api";
  setup.backends[1].internal_port = 0;
  setup.backends[1].servers = {test::server_of(api)};
  setup.rules = {{"API.example.com", "", "api"},
                 {"", "/api", "api"},
                 {"", "/files/", "api"},
                 {"www.example.com", "/", "web"},
                 {"shop.example.com", "/cart", "web"}};
  LiveHaproxy haproxy(setup);
  const auto is = [&](const std::string& host, const std::string& path) {
    return who(haproxy.port(), host, path);
  };
  CHECK(is("api.example.com", "/") == "api");
  CHECK(is("Api.Example.COM", "/x") == "api");
  CHECK(is("api.example.com:8080", "/x") == "api");
  CHECK(is("xapi.example.com", "/") == "404");
  CHECK(is("other", "/api") == "api");
  CHECK(is("other", "/api?x=1") == "api");
  CHECK(is("other", "/api/") == "api");
  CHECK(is("other", "/api/x/y") == "api");
  CHECK(is("other", "/apix") == "404");
  CHECK(is("other", "/x/api/") == "404");
  CHECK(is("other", "/?p=/api/") == "404");
  CHECK(is("other", "/files/a") == "api");
  CHECK(is("other", "/files") == "404");
  CHECK(is("www.example.com", "/anything") == "web");
  CHECK(is("www.example.com", "/api/x") == "api");
  CHECK(is("shop.example.com", "/cart/1") == "web");
  CHECK(is("shop.example.com", "/") == "404");
  CHECK(who(haproxy.setup.backends[0].internal_port, "lb.internal", "/anything") == "web");
}

TEST_CASE("haproxy: a backend without servers answers 503 with a short text") {
  LiveHaproxy haproxy(test::web_setup({}));
  const auto answer = answer_to(haproxy.port(), {});
  CHECK(answer.status == 503);
  CHECK(answer.body == "503 Service Unavailable: no server can answer now\n");
}

TEST_CASE("haproxy: what a client says of where it comes from is not believed") {
  WebServer web("web");
  LiveHaproxy haproxy(test::web_setup({&web}));
  const std::string forged =
      "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Request-Id: mine\r\n";
  const auto outside = answer_to(haproxy.port(), {.headers = forged});
  CHECK(values_of(outside, "X-Forwarded-For") == std::vector<std::string>{"127.0.0.1"});
  CHECK(values_of(outside, "X-Forwarded-Proto") == std::vector<std::string>{"http"});
  REQUIRE(values_of(outside, "X-Request-Id").size() == 1);
  CHECK(values_of(outside, "X-Request-Id")[0].size() == 36);

  // Between services the first hop's word is kept.
  const auto inside = answer_to(haproxy.setup.backends[0].internal_port, {.headers = forged});
  auto addresses = values_of(inside, "X-Forwarded-For");
  std::sort(addresses.begin(), addresses.end());
  CHECK(addresses == std::vector<std::string>{"127.0.0.1", "192.0.2.1"});
  CHECK(values_of(inside, "X-Forwarded-Proto") == std::vector<std::string>{"https"});
  CHECK(values_of(inside, "X-Request-Id") == std::vector<std::string>{"mine"});
}

TEST_CASE("haproxy: equal servers answer in turn") {
  WebServer first("app-web-1.r1");
  WebServer second("app-web-2.r1");
  LiveHaproxy haproxy(test::web_setup({&first, &second}));
  for (int i = 0; i < 20; ++i) answer_to(haproxy.port(), {});
  CHECK(first.requests >= 8);
  CHECK(second.requests >= 8);
}

TEST_CASE("haproxy: it starts before its private address is there") {
  WebServer web("web");
  auto setup = test::web_setup({&web});
  setup.private_address = "203.0.113.77";  // Of a range for documentation: no machine has it.
  LiveHaproxy haproxy(setup);
  CHECK(who(haproxy.port(), "localhost", "/") == "web");
}

}  // namespace
}  // namespace paas::haproxy

TEST_SUITE_END();
