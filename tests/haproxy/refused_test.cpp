// Setups that are not rendered.
#include "haproxy/configuration.hpp"

#include <doctest/doctest.h>

#include <string>

#include "haproxy/support/checks.hpp"

namespace paas::haproxy {
namespace {

using test::check_refused;
using test::zipkick;

stack::Rule redirect_to(const std::string& place) {
  return {.host = "", .path = "/x", .to = "", .redirect = stack::Redirect{place}};
}

TEST_CASE("haproxy: what is said of all requests is held to allowlists") {
  for (const std::string bad :
       {"a b", "/a b", "/a\nb", "/a\"", "/a'", "/a$", "/a#", "/a\\", "/a{"}) {
    CAPTURE(bad);
    check_refused([&](Setup& setup) { setup.traffic.health = bad; }, "health endpoint");
    check_refused([&](Setup& setup) { setup.traffic.compression = {bad}; }, "compressed type");
    check_refused([&](Setup& setup) { setup.traffic.trusted_proxies = {bad}; }, "trusted proxy");
    check_refused([&](Setup& setup) { setup.traffic.trusted_proxies = {"10.0.0.0" + bad}; },
                  "trusted proxy");
  }
  check_refused([](Setup& setup) { setup.traffic.compression.assign(61, "a/b"); },
                "number of compressed types");
  check_refused(
      [](Setup& setup) { setup.traffic.compression.assign(40, "a/" + std::string(90, 'b')); },
      "number of compressed types");
  check_refused([](Setup& setup) { setup.traffic.timeouts.queue_ms = 0; }, "timeout '0'");
  check_refused(
      [](Setup& setup) {
        setup.traffic.limit.requests = stack::Rate{0, 1};
      },
      "limit of requests");
  check_refused(
      [](Setup& setup) {
        setup.rules[0].limit.requests = stack::Rate{1, 0};
      },
      "period of a limit");
  check_refused([](Setup& setup) { setup.rules[0].limit.body_bytes = 0; }, "limit of a body");
}

TEST_CASE("haproxy: what clients are known by is held to allowlists") {
  for (const std::string bad :
       {"", "a b", "a)", "a(b", "a,b", "a\nb", "a\"", "a'", "a$", "a#", "a\\"}) {
    CAPTURE(bad);
    for (const auto by : {stack::Sticky::By::cookie, stack::Sticky::By::header}) {
      check_refused(
          [&](Setup& setup) {
            setup.backends[0].sticky = stack::Sticky{by, bad};
          },
          "name of a cookie or header");
    }
  }
  check_refused(
      [](Setup& setup) {
        setup.backends[0].sticky = stack::Sticky{{}, "", 0};
      },
      "time for which clients are known");
  check_refused([](Setup& setup) { setup.backends[0].max_connections = 0; }, "limit '0'");
  check_refused([](Setup& setup) { setup.backends[0].answer_timeout_ms = -1; }, "limit '-1'");
}

TEST_CASE("haproxy: values that could end a word or a line are refused") {
  for (const std::string bad : {"a b", "a\nb", "a\rb", "a\"b", "a'b", "a$b", "a#b", "a\\b", "a;b",
                                "", "-a", "a/b", "caf\xc3\xa9"}) {
    CAPTURE(bad);
    check_refused([&](Setup& setup) { setup.stack = bad; }, "stack name");
    check_refused([&](Setup& setup) { setup.backends[0].name = bad; }, "backend name");
    check_refused([&](Setup& setup) { setup.backends[0].servers[0].name = bad; }, "server name");
    check_refused([&](Setup& setup) { setup.backends[0].servers[0].address = bad; },
                  "server address");
    check_refused([&](Setup& setup) { setup.private_address = bad; }, "private address");
    check_refused([&](Setup& setup) { setup.rules[1].methods = {bad}; }, "rule method");
    check_refused([&](Setup& setup) { setup.rules[1].headers = {{bad, "1"}}; }, "rule header");
    if (bad.empty()) continue;
    check_refused([&](Setup& setup) { setup.rules[1].exact = bad; }, "rule path");
    check_refused([&](Setup& setup) { setup.rules[0].host = bad; }, "rule host");
    check_refused([&](Setup& setup) { setup.rules[0].host = "*." + bad; }, "rule host");
    check_refused([&](Setup& setup) { setup.rules[1].path = bad; }, "rule path");
    check_refused([&](Setup& setup) { setup.backends[1].health_path = bad; }, "health path");
  }
  for (const std::string bad : {"/a b", "/a\n", "/a\"", "/a'", "/a$b", "/a#b", "/a\\b", "/a{b}"}) {
    CAPTURE(bad);
    check_refused([&](Setup& setup) { setup.rules[1].path = bad; }, "rule path");
    check_refused([&](Setup& setup) { setup.backends[1].health_path = bad; }, "health path");
    for (const auto& to : {bad, "https://example.com" + bad}) {
      check_refused([&](Setup& setup) { setup.rules[1] = redirect_to(to); }, "redirect to");
    }
    if (bad == "/a{b}") continue;
    check_refused(
        [&](Setup& setup) {
          setup.rules[1].headers = {{"x", bad}};
        },
        "value of a rule's header");
  }
  for (const std::string bad :
       {"", "a", "//a", "https://", "https://a:b$", "ftp://a/", "https:///a"}) {
    check_refused([&](Setup& setup) { setup.rules[1] = redirect_to(bad); }, "redirect to");
  }
  std::string with_nul = "10.1.0.5";
  with_nul += '\0';
  check_refused([&](Setup& setup) { setup.backends[0].servers[0].address = with_nul; },
                "server address");
}

TEST_CASE("haproxy: a dot would make a service look like a section of the load balancer's own") {
  check_refused([](Setup& setup) { setup.backends[0].name = "rule.none"; }, "backend name");
}

TEST_CASE("haproxy: names and ports are used once, which haproxy -c does not check") {
  check_refused([](Setup& setup) { setup.backends[1].name = "frontend"; }, "second backend");
  check_refused([](Setup& setup) { setup.backends[0].servers[1].name = "zipkick-frontend-1.r1"; },
                "second server");
  check_refused([](Setup& setup) { setup.listen = {80, 80}; }, "second use of port");
  check_refused([](Setup& setup) { setup.listen = {80, 20001}; }, "second use of port");
  check_refused([](Setup& setup) { setup.backends[1].internal_port = 20001; },
                "second use of port");
}

TEST_CASE("haproxy: numbers out of range and rules to nowhere are refused") {
  check_refused([](Setup& setup) { setup.listen = {0}; }, "port '0'");
  check_refused([](Setup& setup) { setup.listen = {65536}; }, "port '65536'");
  check_refused([](Setup& setup) { setup.backends[0].internal_port = -1; }, "internal port '-1'");
  check_refused([](Setup& setup) { setup.backends[0].servers[0].port = 0; }, "server port '0'");
  check_refused([](Setup& setup) { setup.backends[0].health_interval_ms = 0; }, "health interval");
  check_refused([](Setup& setup) { setup.backends[0].health_timeout_ms = -5; }, "health timeout");
  check_refused([](Setup& setup) { setup.rules[0].to = "db"; }, "unknown backend 'db'");
  check_refused([](Setup& setup) { setup.rules[0].to = ""; }, "unknown backend ''");
  check_refused([](Setup& setup) { setup.rules[0].redirect = stack::Redirect{"/x"}; },
                "rule with a redirect beside 'backend'");
  const auto split = [](Setup& setup, int weight) {
    setup.rules[0] = {.host = "", .path = "", .to = "", .split = {{"db", weight}}};
  };
  check_refused([&](Setup& setup) { split(setup, 1); }, "unknown backend 'db'");
  check_refused([&](Setup& setup) { split(setup, -1); }, "weight of a service '-1'");
}

TEST_CASE("haproxy: an error names the backend it is about") {
  auto setup = zipkick();
  setup.backends[1].servers[0].port = 70000;
  CHECK(describe(render(setup).error()) ==
        "backend 'backend': the load balancer's server port '70000' is not allowed");
}

}  // namespace
}  // namespace paas::haproxy
