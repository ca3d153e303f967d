// Configurations as they are rendered.
#include "haproxy/configuration.hpp"

#include <doctest/doctest.h>

#include "haproxy/support/checks.hpp"

namespace paas::haproxy {
namespace {

using test::check_golden;
using test::with_rules;
using test::with_sticky;
using test::with_traffic;
using test::zipkick;

TEST_CASE("haproxy: configurations are as the golden files") {
  SUBCASE("a stack with two services and three rules") { check_golden("zipkick", zipkick()); }
  SUBCASE("https beside http, with redirect, HSTS and an ACME client") {
    auto setup = zipkick();
    setup.tls.emplace();
    setup.tls->listen = {443, 8443};
    setup.tls->hsts = stack::Hsts{365 * 86400, true, true};
    setup.tls->answers_challenges = true;
    check_golden("tls", setup);
  }
  SUBCASE("https on another port, without what is added to it") {
    auto setup = zipkick();
    setup.tls.emplace();
    setup.tls->listen = {8443};
    check_golden("tls_other_port", setup);
    setup.tls->redirect = false;
    check_golden("tls_without_redirect", setup);
  }
  SUBCASE("services without servers, and rules that do not cover everything") {
    auto setup = zipkick();
    for (auto& backend : setup.backends) backend.servers.clear();
    setup.rules = {{"API.Example.com", "/v1", "backend"}, {"www.example.com", "/", "frontend"}};
    setup.listen = {80, 8080};
    check_golden("without_servers", setup);
  }
  SUBCASE("no public port") {
    auto setup = zipkick();
    setup.listen.clear();
    setup.rules.clear();
    check_golden("internal_only", setup);
  }
  SUBCASE("IPv6, escaped paths, and a rule after one that takes everything") {
    auto setup = zipkick();
    setup.private_address = "fd00::2";
    setup.backends[0].servers = {{"zipkick-frontend-1.r1", "fd00::3", 20010}};
    setup.backends[0].health_path = "/healthz?full=1&from=lb,%20paas";
    setup.backends[1].internal_port = 0;
    setup.rules = {
        {"", "/caf%C3%A9/~a@b+c=d,e", "backend"}, {"", "/", "frontend"}, {"", "/x", "backend"}};
    check_golden("unusual_values", setup);
  }
}

TEST_CASE("haproxy: rules by method and header, splits and redirects are as the golden file") {
  check_golden("rules", with_rules());
  CHECK(rule_targets_of(*render(with_rules())) == std::set<std::string>{"backend", "frontend"});
}

TEST_CASE("haproxy: what is said of all requests is as the golden files") {
  check_golden("traffic", with_traffic());
  auto simple = zipkick();
  simple.traffic = {.limit = {.requests = stack::Rate{5, 1}}, .log = stack::AccessLog::text};
  check_golden("rate_and_log", simple);
  auto own = zipkick();
  own.rules.at(1).limit = {.requests = stack::Rate{5, 1}};
  check_golden("limit_of_one_rule", own);
  const auto between = transition(*render(simple), *render(with_traffic()));
  CHECK(between.find("limit.rule-4") == std::string::npos);
  CHECK(between.find("backend limit.all\n    stick-table type ipv6 size 100k expire 1s") !=
        std::string::npos);
}

TEST_CASE("haproxy: sticky services are as the golden file, and read back as they were rendered") {
  auto setup = with_sticky();
  check_golden("sticky", setup);
  CHECK(servers_of(*render(setup)) == setup.backends);
  CHECK(rule_targets_of(*render(setup)) == std::set<std::string>{"backend", "frontend"});
  setup.backends[0].sticky = stack::Sticky{stack::Sticky::By::header, "x-user", 60};
  CHECK(servers_of(*render(setup)) == setup.backends);
}

TEST_CASE("haproxy: the same setup gives the same text") {
  CHECK(*render(zipkick()) == *render(zipkick()));
}

}  // namespace
}  // namespace paas::haproxy
