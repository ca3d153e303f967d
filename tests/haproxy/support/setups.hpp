// Setups that several tests start from.
#pragma once

#include <doctest/doctest.h>

#include "haproxy/model.hpp"

namespace paas::haproxy::test {

/// The stack of the design page: two web services, rules by host and by path.
inline Setup zipkick() {
  Setup setup;
  setup.stack = "zipkick";
  setup.listen = {80};
  setup.private_address = "10.1.0.2";
  setup.rules = {
      {"api.example.com", "", "backend"}, {"", "/api/", "backend"}, {"", "", "frontend"}};
  setup.backends = {
      {"frontend",
       "/healthz",
       2000,
       2000,
       20001,
       {{"zipkick-frontend-1.r1", "10.1.0.3", 20010},
        {"zipkick-frontend-2.r1", "10.1.0.4", 20010}}},
      {"backend", "/", 5000, 1000, 20002, {{"zipkick-backend-1.r4", "10.1.0.5", 20021}}},
  };
  return setup;
}

/// zipkick() with every kind of condition and target.
inline Setup with_rules() {
  auto setup = zipkick();
  setup.rules = {
      {.host = "*.Example.com", .path = "", .to = "", .split = {{"frontend", 90}, {"backend", 10}}},
      {.host = "", .path = "/old/", .to = "", .redirect = stack::Redirect{"/new/?a=%20b", 301}},
      {.host = "example.com",
       .path = "",
       .to = "",
       .redirect = stack::Redirect{"https://www.example.com"}},
      {.host = "", .path = "", .to = "backend", .exact = "/cart", .methods = {"POST", "PUT"}},
      {.host = "",
       .path = "/beta",
       .to = "",
       .headers = {{"x-beta", "1"}, {"x-any", "*"}},
       .split = {{"frontend", 0}, {"backend", 5}}},
      {.host = "", .path = "", .to = "", .split = {{"backend", 1}, {"frontend", 2}}},
      {.host = "", .path = "/late", .to = "", .redirect = stack::Redirect{"/x"}}};
  return setup;
}

/// with_rules() with everything that can be said of all requests.
inline Setup with_traffic() {
  auto setup = with_rules();
  setup.traffic = {
      .limit = {.requests = stack::Rate{100, 10}, .body_bytes = 10 << 20},
      .timeouts = {.connect_ms = 500, .client_ms = 30000, .server_ms = 7200000, .queue_ms = 1500},
      .compression = {"text/html", "image/svg+xml"},
      .health = "/lb-health",
      .log = stack::AccessLog::json,
      .trusted_proxies = {"10.0.0.0/8", "2001:db8::/32"},
      .maintenance = {.html =
                          "<p class=\"a\">Zurück um 12 Uhr: $HOME # \\ %[src] 'x' {y} `z`\r\n"}};
  setup.rules.at(3).limit = {.requests = stack::Rate{10, 60}, .body_bytes = 4096};
  setup.rules.at(4).limit = {.body_bytes = 1 << 30};
  return setup;
}

/// zipkick() after a change: another service instead of the backend, and rules that lead to it.
inline Setup changed() {
  auto setup = zipkick();
  auto& service = setup.backends.at(1);
  REQUIRE(service.name == "backend");
  service.name = "api";
  service.internal_port = 30009;
  service.servers.clear();
  setup.rules = {{"", "/api/", "api"}, {"", "/", "frontend"}};
  return setup;
}

/// A split between a service that knows its clients by a cookie and one that knows them by address.
inline Setup with_sticky() {
  auto setup = zipkick();
  setup.listen = {80, 19999};
  setup.rules = {{.host = "", .path = "", .to = "", .split = {{"frontend", 90}, {"backend", 10}}}};
  setup.backends[0].sticky = stack::Sticky{stack::Sticky::By::cookie, "SESSION", 7200};
  setup.backends[0].answer_timeout_ms = 300000;
  setup.backends[0].max_connections = 50;
  setup.backends[1].sticky = stack::Sticky{};
  return setup;
}

}  // namespace paas::haproxy::test
