// Which rules take what others would.
#include "stack/rule.hpp"

#include <doctest/doctest.h>

#include "stack/parse.hpp"

namespace paas::stack {
namespace {

Rule rule_of(const std::string& conditions) {
  const auto parsed = parse(
      "stack: shop\nregion: nyc3\nssh: {from: [0.0.0.0/0]}\nimages: {app: {build: .}}\n"
      "services: {web: {type: web, image: app, port: 80}, api: {type: web, image: app, port: 80}}\n"
      "lb: {listen: [80], rules: [{" +
      conditions + (conditions.empty() ? "" : ", ") + "to: web}]}\n");
  CAPTURE(conditions);
  REQUIRE(parsed.problems.empty());
  return parsed.stack.lb->rules.at(0);
}

bool covers(const std::string& first, const std::string& second) {
  return covers(rule_of(first), rule_of(second));
}

TEST_CASE("stack: a rule covers another only when it takes all that the other would") {
  CHECK(covers("", "host: a.example.com, path: /x, methods: [GET], headers: {X-A: b}"));
  CHECK_FALSE(covers("host: a.example.com", ""));

  CHECK(covers("host: '*.example.com'", "host: a.example.com"));
  CHECK(covers("host: '*.example.com'", "host: a.b.example.com"));
  CHECK(covers("host: '*.example.com'", "host: '*.b.example.com'"));
  CHECK(covers("host: '*.example.com'", "host: '*.Example.com'"));
  CHECK_FALSE(covers("host: '*.example.com'", "host: example.com"));
  CHECK_FALSE(covers("host: '*.example.com'", "host: anexample.com"));
  CHECK_FALSE(covers("host: '*.b.example.com'", "host: '*.example.com'"));
  CHECK_FALSE(covers("host: a.example.com", "host: '*.example.com'"));

  CHECK(covers("path: /api", "path: /api/"));
  CHECK(covers("path: /api", "path: /api/v1"));
  CHECK(covers("path: /api/", "exact: /api/v1"));
  CHECK(covers("path: /api", "exact: /api"));
  CHECK(covers("path: /", "exact: /"));
  CHECK(covers("exact: /api", "exact: /api"));
  // HAProxy is told that "/api" is not "/apix", and that "/api/" is only what lies below.
  CHECK_FALSE(covers("path: /api", "path: /apix"));
  CHECK_FALSE(covers("path: /api/", "path: /api"));
  CHECK_FALSE(covers("path: /api/", "exact: /api"));
  CHECK_FALSE(covers("exact: /api", "path: /api"));
  CHECK_FALSE(covers("exact: /", ""));

  CHECK(covers("methods: [GET, HEAD]", "methods: [HEAD]"));
  CHECK_FALSE(covers("methods: [GET]", "methods: [GET, HEAD]"));
  CHECK_FALSE(covers("methods: [GET]", ""));

  CHECK(covers("headers: {X-A: '*'}", "headers: {x-a: b, X-C: d}"));
  CHECK(covers("headers: {X-A: b}", "headers: {x-a: b}"));
  CHECK_FALSE(covers("headers: {X-A: b}", "headers: {X-A: '*'}"));
  CHECK_FALSE(covers("headers: {X-A: b}", "headers: {X-A: c}"));
  CHECK_FALSE(covers("headers: {X-A: '*'}", ""));
}

TEST_CASE("stack: a service without weight gets nothing by a rule") {
  CHECK(targets_of({.host = "", .path = "", .to = "", .split = {{"a", 0}, {"b", 3}, {"c", 1}}}) ==
        std::vector<std::string>{"b", "c"});
  CHECK(targets_of({"", "", "web"}) == std::vector<std::string>{"web"});
  CHECK(targets_of({.host = "", .path = "", .to = "", .redirect = Redirect{"/x"}}).empty());
}

TEST_CASE("stack: a redirect keeps the path unless it has one") {
  CHECK(keeps_path({"https://www.example.com"}));
  CHECK(keeps_path({"http://www.example.com:8080"}));
  CHECK_FALSE(keeps_path({"https://www.example.com/"}));
  CHECK_FALSE(keeps_path({"/new"}));
}

TEST_CASE("stack: rules are read with all their conditions, and written as they are read") {
  const auto parsed = parse(
      "stack: shop\nregion: nyc3\nssh: {from: [0.0.0.0/0]}\nimages: {app: {build: .}}\n"
      "services:\n  green: {type: web, image: app, port: 80}\n"
      "  blue: {type: web, image: app, port: 80}\n"
      "lb:\n  listen: [80]\n  rules:\n"
      "    - {host: '*.Example.com', exact: /cart, methods: [GET, HEAD], "
      "headers: {X-Beta: 1, X-Any: '*'}, to: {green: 90, blue: 10}}\n"
      "    - {host: example.com, redirect: {to: 'https://www.example.com', code: 301}}\n"
      "    - {path: /old/, redirect: {to: '/new/?a=b%20c'}}\n"
      "    - {to: green}\n");
  REQUIRE(parsed.problems.empty());
  const auto& rules = parsed.stack.lb->rules;
  REQUIRE(rules.size() == 4);
  const Rule split{"*.example.com",
                   "",
                   "",
                   "/cart",
                   {"GET", "HEAD"},
                   {{"x-any", "*"}, {"x-beta", "1"}},
                   {{"green", 90}, {"blue", 10}},
                   {}};
  CHECK(rules[0] == split);
  CHECK(rules[1].redirect == Redirect{"https://www.example.com", 301});
  CHECK(rules[2].redirect == Redirect{"/new/?a=b%20c", 302});
  const auto again = parse(to_json(parsed.stack));
  CHECK(again.problems.empty());
  CHECK(again.stack == parsed.stack);
}

}  // namespace
}  // namespace paas::stack
