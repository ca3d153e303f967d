// Golden configurations, what is refused, and what can be read back.
#include "haproxy/configuration.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "haproxy/support/setups.hpp"

namespace paas::haproxy {
namespace {

using test::zipkick;

/// Compares with golden/NAME.cfg. With PAASCTL_ACCEPT=1 the file is written, which never counts as
/// passed.
void check_golden(const std::string& name, const std::string& text) {
  CAPTURE(name);
  const auto path = std::string(PAASCTL_TEST_DATA) + "/golden/" + name + ".cfg";
  const char* const accept = std::getenv("PAASCTL_ACCEPT");
  if (accept != nullptr && std::string(accept) == "1") {
    std::ofstream(path) << text;
    FAIL_CHECK("accepted " << path << "; run again without PAASCTL_ACCEPT");
    return;
  }
  std::ifstream file(path);
  REQUIRE_MESSAGE(file, "cannot read " << path);
  const std::string golden{std::istreambuf_iterator<char>(file), {}};
  CHECK(text == golden);
}

void check_golden(const std::string& name, const Setup& setup) {
  const auto rendered = render(setup);
  REQUIRE_MESSAGE(rendered, (rendered ? "" : rendered.error().message));
  check_golden(name, *rendered);
}

void check_refused(const std::function<void(Setup&)>& change, const std::string& part) {
  auto setup = zipkick();
  change(setup);
  const auto rendered = render(setup);
  REQUIRE_FALSE(rendered);
  CHECK(rendered.error().kind == ErrorKind::invalid);
  CAPTURE(rendered.error().message);
  CHECK(rendered.error().message.find(part) != std::string::npos);
}

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

/// zipkick() with every kind of condition and target.
Setup with_rules() {
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

TEST_CASE("haproxy: rules by method and header, splits and redirects are as the golden file") {
  check_golden("rules", with_rules());
  CHECK(rule_targets_of(*render(with_rules())) == std::set<std::string>{"backend", "frontend"});
}

TEST_CASE("haproxy: between two configurations redirects are those of the rules that serve") {
  auto old = with_rules();
  auto wanted = with_rules();
  wanted.rules.at(1).redirect = stack::Redirect{"/elsewhere"};
  wanted.rules.at(3) = {.host = "", .path = "/x", .to = "", .redirect = stack::Redirect{"/y"}};
  wanted.backends.at(1).health_path = "/ready";
  const auto between = transition(*render(old), *render(wanted));
  CHECK(between.find("/elsewhere") == std::string::npos);
  CHECK(between.find("backend rule.4") == std::string::npos);
  CHECK(between.find("redirect location /new/") != std::string::npos);
  CHECK(between.find("uri /ready") != std::string::npos);
  CHECK(is_intact(between));
  CHECK(transition(between, *render(wanted)) == between);
}

/// with_rules() with everything that can be said of all requests.
Setup with_traffic() {
  auto setup = with_rules();
  setup.traffic = {
      .limit = {.requests = stack::Rate{100, 10}, .body_bytes = 10 << 20},
      .timeouts = {.connect_ms = 500, .client_ms = 30000, .server_ms = 7200000, .queue_ms = 1500},
      .compression = {"text/html", "image/svg+xml"},
      .health = "/lb-health",
      .log = stack::AccessLog::json,
      .trusted_proxies = {"10.0.0.0/8", "2001:db8::/32"}};
  setup.rules.at(3).limit = {.requests = stack::Rate{10, 60}, .body_bytes = 4096};
  setup.rules.at(4).limit = {.body_bytes = 1 << 30};
  return setup;
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

/// zipkick() after a change: another service instead of the backend, and rules that lead to it.
Setup changed() {
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
Setup with_sticky() {
  auto setup = zipkick();
  setup.listen = {80, 19999};
  setup.rules = {{.host = "", .path = "", .to = "", .split = {{"frontend", 90}, {"backend", 10}}}};
  setup.backends[0].sticky = stack::Sticky{stack::Sticky::By::cookie, "SESSION", 7200};
  setup.backends[0].answer_timeout_ms = 300000;
  setup.backends[0].max_connections = 50;
  setup.backends[1].sticky = stack::Sticky{};
  return setup;
}

TEST_CASE("haproxy: sticky services are as the golden file, and read back as they were rendered") {
  auto setup = with_sticky();
  check_golden("sticky", setup);
  CHECK(servers_of(*render(setup)) == setup.backends);
  CHECK(rule_targets_of(*render(setup)) == std::set<std::string>{"backend", "frontend"});
  setup.backends[0].sticky = stack::Sticky{stack::Sticky::By::header, "x-user", 60};
  CHECK(servers_of(*render(setup)) == setup.backends);
}

TEST_CASE("haproxy: between two configurations the tables of either have their peer") {
  for (const auto& between : {transition(*render(with_sticky()), *render(changed())),
                              transition(*render(changed()), *render(with_sticky()))}) {
    CHECK(between.find("\npeers local\n") != std::string::npos);
    CHECK(between.find("    localpeer lb\n") != std::string::npos);
    CHECK(is_intact(between));
  }
  const auto between = transition(*render(with_sticky()), *render(changed()));
  CHECK(transition(between, *render(changed())) == between);
}

TEST_CASE("haproxy: between two configurations no rule asks for a table that is gone") {
  const auto before = *render(with_sticky());
  auto wanted = with_sticky();
  wanted.backends[0].sticky = stack::Sticky{};
  wanted.backends[1].sticky.reset();
  const auto between = transition(before, *render(wanted));
  check_golden("transition_of_tables", between);
  CHECK(before.find("in_table(") != std::string::npos);
  CHECK(between.find("in_table(") == std::string::npos);
  CHECK(transition(between, *render(wanted)) == between);
  CHECK(transition(before, before) == before);
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

TEST_CASE("haproxy: the same setup gives the same text") {
  CHECK(*render(zipkick()) == *render(zipkick()));
}

stack::Rule redirect_to(const std::string& place) {
  return {.host = "", .path = "/x", .to = "", .redirect = stack::Redirect{place}};
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

TEST_CASE("haproxy: the backends are read back as they were rendered") {
  const auto setup = zipkick();
  CHECK(servers_of(*render(setup)) == setup.backends);

  auto unusual = setup;
  unusual.backends[0].servers = {{"zipkick-frontend-1.r1", "fd00::3", 20010}};
  unusual.backends[1].internal_port = 0;
  unusual.backends[1].servers.clear();
  CHECK(servers_of(*render(unusual)) == unusual.backends);
}

TEST_CASE("haproxy: only a change that is not about servers asks for a reload") {
  const auto setup = zipkick();
  const auto before = without_servers(*render(setup));
  CHECK(before.find("20010") == std::string::npos);

  auto scaled = setup;
  scaled.backends[0].servers.push_back({"zipkick-frontend-3.r1", "10.1.0.9", 20010});
  scaled.backends[1].servers.clear();
  CHECK(without_servers(*render(scaled)) == before);

  const auto needs_reload = [&](const std::function<void(Setup&)>& change) {
    auto changed = setup;
    change(changed);
    return without_servers(*render(changed)) != before;
  };
  CHECK(needs_reload([](Setup& changed) { changed.listen = {80, 81}; }));
  CHECK(needs_reload([](Setup& changed) { changed.rules.erase(changed.rules.begin()); }));
  CHECK(needs_reload([](Setup& changed) { changed.private_address = "10.1.0.7"; }));
  CHECK(needs_reload([](Setup& changed) { changed.backends[0].health_path = "/"; }));
  CHECK(needs_reload([](Setup& changed) { changed.backends[0].health_interval_ms = 900; }));
  CHECK(needs_reload([](Setup& changed) { changed.backends[0].internal_port = 20009; }));
  CHECK(needs_reload([](Setup& changed) { changed.backends[0].health_timeout_ms = 900; }));
}

TEST_CASE("haproxy: older releases' paths follow from the servers, and ask for no reload") {
  const auto setup = zipkick();
  auto changing = setup;
  auto& backend = changing.backends[0];
  backend.older_paths = {{3, "/old?a=b&c=%20d,e"}, {12, "/older"}};
  const auto text = *render(changing);
  CHECK(servers_of(text) == changing.backends);
  CHECK(without_servers(text) == without_servers(*render(setup)));
  CHECK(mark_of(text) == mark_of(*render(setup)));
  CHECK(is_intact(text));
  // An edit of the servers on disk leaves what is asked for as the running HAProxy has it.
  CHECK(servers_of(with_servers(text, backend.name, {})).at(0).older_paths == backend.older_paths);
  backend.older_paths = {{3, "/old"}};
  backend.health_path = "/other";
  CHECK(without_servers(*render(changing)) != without_servers(*render(setup)));
  for (const auto* bad : {"/a'", "/a b", "/a)", "/a\"", "/a\n", "a", "/$a", "/a\\"}) {
    check_refused(
        [&](Setup& refused) {
          refused.backends[1].older_paths = {{1, bad}};
        },
        "health path");
  }
}

TEST_CASE("haproxy: a configuration is marked, and the mark tells all but servers apart") {
  const auto setup = zipkick();
  const auto mark = mark_of(*render(setup));
  CHECK(mark.starts_with("paas-"));
  CHECK(mark.size() == 21);
  auto scaled = setup;
  scaled.backends[0].servers.pop_back();
  CHECK(mark_of(*render(scaled)) == mark);
  auto changed = setup;
  changed.listen = {81};
  CHECK(mark_of(*render(changed)) != mark);
  CHECK(mark_of("global\n    maxconn 5\n") == "");
  CHECK(mark_in_info("Pid: 7\nnode: lb\ndescription: " + mark + "\nTasks: 5\n\n") == mark);
  CHECK(mark_in_info("Pid: 7\n") == "");
}

TEST_CASE(
    "haproxy: between two configurations the rules are the old ones, and nothing is missing") {
  const auto before = *render(zipkick());
  const auto after = *render(changed());
  const auto between = transition(before, after);
  check_golden("transition", between);
  CHECK(rule_targets_of(between) == rule_targets_of(before));
  CHECK(rule_targets_of(after) == std::set<std::string>{"api", "frontend"});
  CHECK(is_intact(between));
  // Once more changes nothing, so a run that was interrupted goes on.
  CHECK(transition(between, after) == between);
  CHECK(transition(before, before) == before);
  // Nor does it when something only goes: no reload is needed for that.
  auto less = changed();
  less.backends.erase(less.backends.begin() + 1);
  less.rules = {{"", "/", "frontend"}};
  CHECK(transition(before, *render(less)) == before);
}

TEST_CASE("haproxy: without public rules before there are none in between") {
  auto closed = zipkick();
  closed.listen.clear();
  closed.rules.clear();
  const auto between = transition(*render(closed), *render(zipkick()));
  CHECK(between.find("frontend public") == std::string::npos);
  CHECK(rule_targets_of(between).empty());
}

TEST_CASE("haproxy: servers of one backend are written without touching the rest") {
  const auto setup = zipkick();
  for (std::size_t i = 0; i < setup.backends.size(); ++i) {
    auto other = setup;
    other.backends[i].servers = {{"new.r1", "10.1.0.9", 20007}, {"six.r1", "fd00::5", 20000}};
    const auto& name = setup.backends[i].name;
    CHECK(with_servers(*render(setup), name, other.backends[i].servers) == *render(other));
    CHECK(with_servers(*render(other), name, setup.backends[i].servers) == *render(setup));
  }
  CHECK(with_servers(*render(setup), "stranger", {{"a", "10.0.0.1", 1}}) == *render(setup));
}

TEST_CASE("haproxy: a configuration that somebody edited is told from one of ours") {
  const auto ours = *render(zipkick());
  CHECK(is_intact(ours));
  CHECK(is_intact(with_servers(ours, "frontend", {})));
  auto edited = ours;
  edited.replace(edited.find("leastconn"), 9, "roundrobin");
  CHECK_FALSE(is_intact(edited));
  CHECK_FALSE(is_intact(""));
  CHECK_FALSE(is_intact("global\n    maxconn 5\n"));
}

TEST_CASE("haproxy: text that render did not make is read without harm") {
  for (const std::string text :
       {"", "\n\n", "backend\n    server\n", "    server a b\n",
        "backend a\n    server x 10.0.0.1\n",
        "backend a\n    server x 10.0.0.1:99999\n    default-server inter\n",
        "frontend internal.\n",
        "backend a\n    timeout check 99999999999999ms\n    http-check send uri\n"}) {
    CAPTURE(text);
    for (const auto& backend : servers_of(text)) CHECK(backend.servers.empty());
  }
  CHECK(servers_of("listen a\n    server x 10.0.0.1:80\n").empty());
}

}  // namespace
}  // namespace paas::haproxy
