// Clients that come to the server of before, while servers come and go. Skipped unless asked for:
// see run_live.sh.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>

#include "base/text.hpp"
#include "haproxy/support/connection.hpp"
#include "haproxy/support/live_haproxy.hpp"

TEST_SUITE_BEGIN("live" * doctest::skip());

namespace paas::haproxy {
namespace {

using namespace std::chrono_literals;
using stack::Sticky;
using test::Connection;
using test::LiveHaproxy;
using test::WebServer;

/// The server that answers a client with these headers.
std::string server_for(const LiveHaproxy& haproxy, const std::string& headers,
                       const std::string& path = "/") {
  const auto answer = Connection(haproxy.port()).ask({.path = path, .headers = headers});
  REQUIRE(answer);
  REQUIRE(answer->status == 200);
  return text::lines(answer->body)[0];
}

/// What a new client sends from now on: the cookie that it got.
std::string login(const LiveHaproxy& haproxy) {
  const auto answer = Connection(haproxy.port()).ask({.path = "/login"});
  REQUIRE(answer);
  for (const auto& line : text::lines(answer->head)) {
    constexpr std::string_view key = "set-cookie: ";
    if (text::lower(line).starts_with(key)) {
      return "Cookie: other=1; " + line.substr(key.size(), line.find(';') - key.size()) + "\r\n";
    }
  }
  FAIL("no cookie");
  return "";
}

using Clients = std::map<std::string, std::string>;  ///< Servers by headers.

Clients clients_with_cookies(const LiveHaproxy& haproxy, int count) {
  Clients clients;
  for (int i = 0; i < count; ++i) {
    const auto cookie = login(haproxy);
    clients[cookie] = server_for(haproxy, cookie);
    // The server that gave it out is the one that knows it.
    CHECK(cookie.find("SESSION=" + clients[cookie] + "-") != std::string::npos);
  }
  return clients;
}

Clients clients_with_headers(const LiveHaproxy& haproxy, int count) {
  Clients clients;
  for (int i = 0; i < count; ++i) {
    const auto header = "X-User: " + std::to_string(i) + "\r\n";
    clients[header] = server_for(haproxy, header);
  }
  return clients;
}

void check_same(const LiveHaproxy& haproxy, const Clients& clients) {
  for (const auto& [headers, server] : clients) CHECK(server_for(haproxy, headers) == server);
}

bool knows(LiveHaproxy& haproxy, const std::string& table, std::size_t clients) {
  const auto shown = haproxy.send()("show table " + table);
  return shown && shown->find("used:" + std::to_string(clients) + "\n") != std::string::npos;
}

/// Reloads, and waits until the old process has handed its tables to the new one. It does so once
/// it is done with looking for tables itself, five seconds after it was started; the lowest two of
/// its flags are set then.
void reload_with_tables(LiveHaproxy& haproxy, const std::map<std::string, std::size_t>& tables) {
  REQUIRE(haproxy.eventually([&] {
    const auto shown = haproxy.send()("show peers");
    const auto at = shown ? shown->find(" flags=0x") : std::string::npos;
    if (at == std::string::npos) return false;
    const auto end = shown->find(' ', at + 1);
    return std::string("37bf").find(shown->at(end - 1)) != std::string::npos;
  }));
  haproxy.reload();
  for (const auto& [table, clients] : tables) {
    CHECK(haproxy.eventually(
        [&, name = table, count = clients] { return knows(haproxy, name, count); }));
  }
}

TEST_CASE("haproxy: clients stay on their servers while others come and go, and over a reload") {
  WebServer one("one");
  WebServer two("two");
  WebServer three("three");
  auto setup = test::web_setup({&one, &two});
  bool by_cookie = false;
  SUBCASE("by a cookie") { by_cookie = true; }
  SUBCASE("by a header") {}
  setup.backends[0].sticky =
      by_cookie ? Sticky{Sticky::By::cookie, "SESSION"} : Sticky{Sticky::By::header, "x-user"};
  LiveHaproxy haproxy(setup);
  auto clients = by_cookie ? clients_with_cookies(haproxy, 8) : clients_with_headers(haproxy, 8);
  check_same(haproxy, clients);

  auto runtime = haproxy.runtime();
  REQUIRE(runtime.add_server(setup.backends[0], test::server_of(three), 10s));
  check_same(haproxy, clients);
  // New ones come to it.
  auto more = by_cookie ? clients_with_cookies(haproxy, 8) : Clients();
  for (int i = 8; i < 16 && !by_cookie; ++i) {
    const auto header = "X-User: " + std::to_string(i) + "\r\n";
    more[header] = server_for(haproxy, header);
  }
  clients.merge(more);
  std::map<std::string, int> counts;
  for (const auto& [headers, server] : clients) ++counts[server];
  CHECK(counts.size() == 3);

  haproxy.setup.backends[0].servers.push_back(test::server_of(three));
  reload_with_tables(haproxy, {{"web", clients.size()}});
  check_same(haproxy, clients);

  // While it drains it keeps those that it has.
  REQUIRE(haproxy.send()("set server web/two state drain"));
  check_same(haproxy, clients);
  REQUIRE(runtime.remove_server("web", "two", 0ms));
  for (auto& [headers, server] : clients) {
    const auto now = server_for(haproxy, headers);
    CHECK(now != "two");
    if (server != "two") CHECK(now == server);
    server = now;
  }
  check_same(haproxy, clients);
}

TEST_CASE("haproxy: an address comes to the server of before") {
  WebServer one("one");
  WebServer two("two");
  auto setup = test::web_setup({&one, &two});
  setup.backends[0].sticky = Sticky{};
  setup.traffic.trusted_proxies = {"127.0.0.1/32"};
  LiveHaproxy haproxy(setup);
  Clients clients;
  for (const std::string address : {"203.0.113.1", "203.0.113.2", "2001:db8::1", "2001:db8::2"}) {
    const auto header = "X-Forwarded-For: " + address + "\r\n";
    clients[header] = server_for(haproxy, header);
  }
  for (int i = 0; i < 5; ++i) check_same(haproxy, clients);
}

TEST_CASE("haproxy: a client that one of several services knows stays with it") {
  WebServer blue("blue");
  WebServer green("green");
  auto setup = test::web_setup({&blue});
  setup.backends.push_back(setup.backends[0]);
  setup.backends[1].name = "green";
  setup.backends[1].internal_port = 0;
  setup.backends[1].servers = {test::server_of(green)};
  setup.rules = {{.host = "", .path = "", .to = "", .split = {{"web", 50}, {"green", 50}}}};
  setup.traffic.trusted_proxies = {"127.0.0.1/32"};
  SUBCASE("by a cookie") {
    for (auto& backend : setup.backends) backend.sticky = Sticky{Sticky::By::cookie, "SESSION"};
    LiveHaproxy haproxy(setup);
    const auto clients = clients_with_cookies(haproxy, 20);
    for (int i = 0; i < 3; ++i) check_same(haproxy, clients);
    const auto is_blue = [](const auto& client) { return client.second == "blue"; };
    const auto blues =
        static_cast<std::size_t>(std::count_if(clients.begin(), clients.end(), is_blue));
    reload_with_tables(haproxy, {{"web", blues}, {"green", clients.size() - blues}});
    check_same(haproxy, clients);
  }
  SUBCASE("by address") {
    for (auto& backend : setup.backends) backend.sticky = Sticky{};
    LiveHaproxy haproxy(setup);
    Clients clients;
    for (int i = 1; i <= 20; ++i) {
      const auto header = "X-Forwarded-For: 203.0.113." + std::to_string(i) + "\r\n";
      clients[header] = server_for(haproxy, header);
    }
    for (int i = 0; i < 3; ++i) check_same(haproxy, clients);
  }
}

TEST_CASE("haproxy: a server takes as many requests at once as it may, also one added later") {
  WebServer one("one");
  auto setup = test::web_setup({});
  setup.backends[0].max_connections = 1;
  setup.backends[0].answer_timeout_ms = 2000;
  setup.traffic.timeouts.queue_ms = 100;
  LiveHaproxy haproxy(setup);
  REQUIRE(haproxy.runtime().add_server(setup.backends[0], test::server_of(one), 10s));
  one.slow_ms = 1000;
  const auto socket = test::connect_to_port(haproxy.port());
  REQUIRE(socket);
  REQUIRE(test::send_all(*socket, "GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  REQUIRE(haproxy.eventually([&] { return one.requests == 1; }));
  const auto refused = Connection(haproxy.port()).ask({});
  REQUIRE(refused);
  CHECK(refused->status == 503);
  const auto answer = test::receive_all(*socket);
  REQUIRE(answer);
  CHECK(answer->starts_with("HTTP/1.1 200"));
  one.slow_ms = 4000;
  const auto late = Connection(haproxy.port()).ask({.method = "POST", .path = "/slow"});
  REQUIRE(late);
  CHECK(late->status == 504);
}

}  // namespace
}  // namespace paas::haproxy

TEST_SUITE_END();
