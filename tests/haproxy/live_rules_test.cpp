// Rules by method and header, redirects and splits as a real HAProxy carries them out. Skipped
// unless asked for: see run_live.sh.
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "base/text.hpp"
#include "haproxy/support/connection.hpp"
#include "haproxy/support/live_haproxy.hpp"

TEST_SUITE_BEGIN("live" * doctest::skip());

namespace paas::haproxy {
namespace {

using test::answer_to;
using test::Connection;
using test::LiveHaproxy;
using test::WebServer;

/// The server that answered, or the status.
std::string who_answers(const LiveHaproxy& haproxy, const Connection::Request& request) {
  const auto answer = answer_to(haproxy.port(), request);
  return answer.status == 200 ? text::lines(answer.body)[0] : std::to_string(answer.status);
}

/// "301 https://www.example.com/x"
std::string redirect_of(const LiveHaproxy& haproxy, const Connection::Request& request) {
  const auto answer = answer_to(haproxy.port(), request);
  for (const auto& line : text::lines(answer.head)) {
    constexpr std::string_view key = "location: ";
    if (text::lower(line).starts_with(key)) {
      return std::to_string(answer.status) + " " + std::string(text::trim(line.substr(key.size())));
    }
  }
  return std::to_string(answer.status);
}

/// The services "web" and "api", a server each.
Setup two_services(const WebServer& web, const WebServer& api) {
  auto setup = test::web_setup({&web});
  setup.backends.push_back(setup.backends[0]);
  setup.backends[1].name = "api";
  setup.backends[1].internal_port = 0;
  setup.backends[1].servers = {test::server_of(api)};
  return setup;
}

TEST_CASE("haproxy: rules match wildcard hosts, exact paths, methods and headers") {
  WebServer web("web");
  WebServer api("api");
  auto setup = two_services(web, api);
  setup.rules = {
      {"*.example.com", "", "api"},
      {.host = "", .path = "", .to = "api", .exact = "/cart"},
      {.host = "", .path = "/form", .to = "api", .methods = {"POST", "PROPFIND"}},
      {.host = "", .path = "/beta", .to = "api", .headers = {{"x-beta", "1"}, {"x-any", "*"}}},
      {.host = "", .path = "/list", .to = "api", .headers = {{"x-list", "a,b"}}},
      {"", "", "web"}};
  LiveHaproxy haproxy(setup);
  const auto by_host = [&](const std::string& host) {
    return who_answers(haproxy, {.host = host});
  };
  CHECK(by_host("a.example.com") == "api");
  CHECK(by_host("A.b.Example.com:8080") == "api");
  CHECK(by_host("example.com") == "web");
  CHECK(by_host("anexample.com") == "web");
  CHECK(by_host("a.example.com.evil.org") == "web");
  const auto by_path = [&](const std::string& path, const std::string& headers = {}) {
    return who_answers(haproxy, {.path = path, .headers = headers});
  };
  CHECK(by_path("/cart") == "api");
  CHECK(by_path("/cart?x=1") == "api");
  CHECK(by_path("/cart/") == "web");
  CHECK(by_path("/cart/1") == "web");
  CHECK(by_path("/form") == "web");
  CHECK(who_answers(haproxy, {.method = "POST", .path = "/form/x"}) == "api");
  CHECK(by_path("/beta") == "web");
  CHECK(by_path("/beta", "X-Beta: 1\r\n") == "web");
  CHECK(by_path("/beta", "X-Beta: 1\r\nX-Any: what ever\r\n") == "api");
  CHECK(by_path("/beta", "X-Beta: 2\r\nX-Any: 1\r\n") == "web");
  CHECK(by_path("/beta", "X-Beta: 2,1\r\nX-Any: 1\r\n") == "web");
  CHECK(by_path("/list", "X-List: a,b\r\n") == "api");
  CHECK(by_path("/list", "X-List: a\r\n") == "web");
}

TEST_CASE("haproxy: a redirect keeps path and query, or leads to its own; rules before it win") {
  WebServer web("web");
  WebServer api("api");
  auto setup = two_services(web, api);
  setup.rules = {
      {"", "/keep/", "web"},
      {.host = "example.com",
       .path = "",
       .to = "",
       .redirect = stack::Redirect{"https://www.example.com", 301}},
      {.host = "", .path = "/old/", .to = "", .redirect = stack::Redirect{"/new/?a=%20b", 308}},
      {.host = "", .path = "/away", .to = "", .redirect = stack::Redirect{"http://b.org:81/x"}},
      {"", "", "api"}};
  LiveHaproxy haproxy(setup);
  const auto to = [&](const std::string& host, const std::string& path) {
    return redirect_of(haproxy, {.path = path, .host = host});
  };
  CHECK(to("example.com", "/a/b?c=d") == "301 https://www.example.com/a/b?c=d");
  CHECK(to("example.com:8080", "/") == "301 https://www.example.com/");
  CHECK(to("example.com", "/keep/x") == "200");
  CHECK(to("example.com", "//evil.org/") == "301 https://www.example.com//evil.org/");
  CHECK(to("other", "/old/1?x=y") == "308 /new/?a=%20b");
  CHECK(to("other", "/away/1") == "302 http://b.org:81/x");
  CHECK(who_answers(haproxy, {.path = "/"}) == "api");
}

TEST_CASE("haproxy: a split gives each service its part, also when weights of servers change") {
  WebServer web("web");
  WebServer api("api");
  auto setup = two_services(web, api);
  setup.rules = {{.host = "", .path = "/none", .to = "", .split = {{"web", 0}, {"api", 7}}},
                 {.host = "", .path = "/half", .to = "", .split = {{"web", 500}, {"api", 500}}},
                 {.host = "", .path = "", .to = "", .split = {{"web", 9}, {"api", 1}}}};
  LiveHaproxy haproxy(setup);
  constexpr int requests = 2000;
  const auto part_of_api = [&](const std::string& path) {
    Connection connection(haproxy.port());
    int count = 0;
    for (int i = 0; i < requests; ++i) {
      const auto answer = connection.ask({.path = path});
      REQUIRE(answer);
      REQUIRE(answer->status == 200);
      if (text::lines(answer->body)[0] == "api") ++count;
    }
    return count;
  };
  CHECK(part_of_api("/none") == requests);
  // Ten standard deviations on each side: 22 and 13 requests are one.
  const auto half = part_of_api("/half");
  CHECK(half > 776);
  CHECK(half < 1224);
  const auto tenth = part_of_api("/");
  CHECK(tenth > 66);
  CHECK(tenth < 334);
  // The part is the rule's, whatever the servers weigh.
  const auto answer = haproxy.send()("set server web/web weight 1");
  REQUIRE(answer);
  const auto after = part_of_api("/");
  CHECK(after > 66);
  CHECK(after < 334);
}

}  // namespace
}  // namespace paas::haproxy

TEST_SUITE_END();
