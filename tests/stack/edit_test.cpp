// Edits in place: what is not concerned stays as it is, to the byte.
#include "stack/edit.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/text.hpp"
#include "stack/design_example.hpp"
#include "stack/parse.hpp"

namespace paas::stack {
namespace {

/// A stack file whose service "web" has `links` as its last lines, indented by four.
std::string with_links(const std::string& links) {
  return "stack: a   # the name\nregion: nyc3\nssh: {from: [10.0.0.0/8]}\n"
         "images: {i: {build: .}}\n"
         "services:\n"
         "  web:  # in front\n    type: web\n    image: i\n    port: 80\n" +
         links +
         "\n  # what it needs\n"
         "  one: {type: db, image: i, port: 1}\n"
         "  two: {type: db, image: i, port: 1}  # second\n"
         "  three: {type: cache, image: i, port: 1, credentials: {}}\n";
}

std::string with_rules(const std::string& lb) {
  return with_links("") + "  api: {type: web, image: i, port: 80}\n" + lb;
}

std::string added(const std::string& links, const Link& link) {
  const auto result = add_link(with_links(links), "web", link);
  return result ? *result : describe(result.error());
}

std::string removed(const std::string& links, const std::string& target) {
  const auto result = remove_link(with_links(links), "web", target);
  return result ? *result : describe(result.error());
}

std::string rule_added(const std::string& lb, const Rule& rule, std::optional<int> position = {}) {
  const auto result = add_rule(with_rules(lb), rule, position);
  return result ? *result : describe(result.error());
}

std::string rule_removed(const std::string& lb, int position) {
  const auto result = remove_rule(with_rules(lb), position);
  return result ? *result : describe(result.error());
}

const Link two{"two", {}};
const Link three{"three", {{"REDIS_URL", "redis://:{password}@{host}"}, {"A", "{{\"\\}}"}}};

TEST_CASE("stack: a link is added to a list in brackets") {
  CHECK(added("    links: [one]  # why\n", two) == with_links("    links: [one, two]  # why\n"));
  CHECK(added("    links: []\n", two) == with_links("    links: [two]\n"));
  CHECK(added("    links: [ ]\n", two) == with_links("    links: [two]\n"));
  CHECK(added("    links: [ one ]\n", two) == with_links("    links: [ one, two ]\n"));
  CHECK(added("    links: [one,]\n", two) == with_links("    links: [one, two,]\n"));
  CHECK(added("    links: [\"one\"]\n", two) == with_links("    links: [\"one\", \"two\"]\n"));
  CHECK(added("    links: ['one']\n", two) == with_links("    links: ['one', 'two']\n"));
  CHECK(added("    links: [{to: one}]\n", two) == with_links("    links: [{to: one}, two]\n"));
  CHECK(added("    links: [one]\n", three) ==
        with_links("    links: [one, {to: three, env: {A: \"{{\\\"\\\\}}\", REDIS_URL: "
                   "\"redis://:{password}@{host}\"}}]\n"));
}

TEST_CASE("stack: a link is added to a list in brackets over several lines") {
  CHECK(added("    links: [\n      one,  # first\n      {to: three, env: {X: 'a, ]b'}}  # third\n"
              "    ]\n",
              two) ==
        with_links("    links: [\n      one,  # first\n      {to: three, env: {X: 'a, ]b'}},  # "
                   "third\n      two\n    ]\n"));
  CHECK(added("    links: [\n      one,\n    ]\n", two) ==
        with_links("    links: [\n      one,\n      two,\n    ]\n"));
  CHECK(added("    links: [one,\n            three]\n", two) ==
        with_links("    links: [one,\n            three, two]\n"));
  CHECK(added("    links: [  # none yet\n    ]\n", two) ==
        with_links("    links: [two  # none yet\n    ]\n"));
}

TEST_CASE("stack: a link is added to a list with dashes") {
  CHECK(added("    links:\n      - one  # why\n      # - old\n", two) ==
        with_links("    links:\n      - one  # why\n      - two\n      # - old\n"));
  CHECK(added("    links:\n    - one\n", two) == with_links("    links:\n    - one\n    - two\n"));
  CHECK(added("    links:\n      -   one\n", two) ==
        with_links("    links:\n      -   one\n      - two\n"));
  CHECK(added("    links:\n      - 'one'\n", two) ==
        with_links("    links:\n      - 'one'\n      - 'two'\n"));
  CHECK(added("    links:\n      - to: one\n        env:\n          X: \"{host}\"\n\n", three) ==
        with_links("    links:\n      - to: one\n        env:\n          X: \"{host}\"\n"
                   "      - to: three\n        env:\n          A: \"{{\\\"\\\\}}\"\n"
                   "          REDIS_URL: \"redis://:{password}@{host}\"\n\n"));
  CHECK(added("    links:\n      -\n        to: one\n", two) ==
        with_links("    links:\n      -\n        to: one\n      - two\n"));
}

TEST_CASE("stack: a service without links gets the key") {
  CHECK(added("", two) == with_links("    links: [two]\n"));
  CHECK(added("    env:\n      A: b   # last\n    # nothing more\n", two) ==
        with_links("    env:\n      A: b   # last\n    links: [two]\n    # nothing more\n"));
  CHECK(added("    env: {\n      A: b\n    }\n", two) ==
        with_links("    env: {\n      A: b\n    }\n    links: [two]\n"));
  CHECK(added("    command:\n    - serve\n    - --all\n", two) ==
        with_links("    command:\n    - serve\n    - --all\n    links: [two]\n"));
  CHECK(added("    env:\n      TEXT: |\n        # no comment\n\n        more\n", two) ==
        with_links("    env:\n      TEXT: |\n        # no comment\n\n        more\n"
                   "    links: [two]\n"));
}

TEST_CASE("stack: a service in braces gets the key in its braces") {
  const auto text = with_links("");
  const auto result = add_link(text, "two", {"three", {}});
  REQUIRE(result);
  CHECK(*result ==
        text::replace_all(text, "  two: {type: db, image: i, port: 1}  # second",
                          "  two: {type: db, image: i, port: 1, links: [three]}  # second"));
  const auto wide = add_link(text::replace_all(text, "  two: {type: db, image: i, port: 1}",
                                               "  two: {\n    type: db,\n    image: i,  # of db\n"
                                               "    port: 1  # well known\n  }"),
                             "two", {"three", {}});
  REQUIRE(wide);
  CHECK(wide->find("    port: 1,  # well known\n    links: [three]\n  }  # second") !=
        std::string::npos);
}

TEST_CASE("stack: new links look like the links of other services") {
  const auto text = text::replace_all(with_links("    links:\n      - one\n"),
                                      "  two: {type: db, image: i, port: 1}  # second\n",
                                      "  two:\n    type: db\n    image: i\n    port: 1\n\n");
  const auto result = add_link(text, "two", {"three", {}});
  REQUIRE(result);
  CHECK(*result ==
        text::replace_all(text, "    port: 1\n\n", "    port: 1\n    links:\n      - three\n\n"));
}

TEST_CASE("stack: a link is removed from a list in brackets") {
  CHECK(removed("    links: [one, two, three]\n", "one") ==
        with_links("    links: [two, three]\n"));
  CHECK(removed("    links: [one, two, three]\n", "two") ==
        with_links("    links: [one, three]\n"));
  CHECK(removed("    links: [one, two, three]\n", "three") ==
        with_links("    links: [one, two]\n"));
  CHECK(removed("    links: [ one ]  # why\n", "one") == with_links("    links: []  # why\n"));
  CHECK(removed("    links: [one, two,]\n", "two") == with_links("    links: [one, ]\n"));
  CHECK(removed("    links: [\n      one,  # first\n      two,  # second\n    ]\n", "one") ==
        with_links("    links: [\n      two,  # second\n    ]\n"));
  CHECK(removed("    links: [\n      one,  # first\n      two  # second\n    ]\n", "two") ==
        with_links("    links: [\n      one  # first\n    ]\n"));
  CHECK(removed("    links: [one,  # first\n            two]\n", "two") ==
        with_links("    links: [one  # first\n            ]\n"));
}

TEST_CASE("stack: a link is removed from a list with dashes") {
  CHECK(removed("    links:\n      - one  # 1\n      - two  # 2\n", "one") ==
        with_links("    links:\n      - two  # 2\n"));
  CHECK(removed("    links:\n      - one\n      # keep\n      - to: two\n        env: {A: b}\n",
                "two") == with_links("    links:\n      - one\n      # keep\n"));
  CHECK(removed("    links:   # needs\n      - one\n", "one") ==
        with_links("    links: []   # needs\n"));
  CHECK(removed("    links:\n    - one\n    env: {A: b}\n", "one") ==
        with_links("    links: []\n    env: {A: b}\n"));
}

const std::string block_rules =
    "lb:\n  listen: [80]\n  rules:   # first wins\n"
    "    # the API\n    - {path: /api/, to: api}   # v1\n\n"
    "    # all the rest\n    - {to: web}\n";

TEST_CASE("stack: a rule goes before the one that takes all the rest") {
  CHECK(rule_added(block_rules, {"API.example.com", "/v2/", "api"}) ==
        with_rules(text::replace_all(
            block_rules, "# v1\n", "# v1\n    - {host: API.example.com, path: /v2/, to: api}\n")));
  CHECK(rule_added("lb: {listen: [80], rules: [{to: web}]}\n", {"", "/api/", "api"}) ==
        with_rules("lb: {listen: [80], rules: [{path: /api/, to: api}, {to: web}]}\n"));
  CHECK(rule_added("lb: {listen: [80], rules: [{path: /x, to: web}]}\n", {"", "", "api"}) ==
        with_rules("lb: {listen: [80], rules: [{path: /x, to: web}, {to: api}]}\n"));
}

Rule with_all_conditions() {
  Rule rule;
  rule.host = "*.example.com";
  rule.exact = "/cart";
  rule.methods = {"GET", "HEAD"};
  rule.headers = {{"x-any", "*"}, {"x-beta", "1"}};
  rule.split = {{"web", 90}, {"api", 10}};
  return rule;
}

TEST_CASE("stack: a rule with each condition is written as people write it") {
  CHECK(rule_added(block_rules, with_all_conditions(), 1) ==
        with_rules(text::replace_all(
            block_rules, "# first wins\n",
            "# first wins\n    - {host: \"*.example.com\", exact: /cart, methods: [GET, HEAD], "
            "headers: {x-any: \"*\", x-beta: 1}, to: {web: 90, api: 10}}\n")));
  CHECK(rule_added("lb:\n  listen: [80]\n  rules:\n  - path: /b\n    to: web\n",
                   with_all_conditions(), 1) ==
        with_rules("lb:\n  listen: [80]\n  rules:\n  - host: \"*.example.com\"\n    exact: /cart\n"
                   "    methods: [GET, HEAD]\n    headers:\n      x-any: \"*\"\n      x-beta: 1\n"
                   "    to:\n      web: 90\n      api: 10\n  - path: /b\n    to: web\n"));
  CHECK(rule_added("lb: {'listen': [80], 'rules': [{'to': 'web'}]}\n", with_all_conditions()) ==
        with_rules("lb: {'listen': [80], 'rules': [{'host': '*.example.com', 'exact': '/cart', "
                   "'methods': ['GET', 'HEAD'], 'headers': {'x-any': '*', 'x-beta': '1'}, "
                   "'to': {'web': 90, 'api': 10}}, {'to': 'web'}]}\n"));
}

TEST_CASE("stack: a rule that redirects is written with its code where it is another one") {
  Rule rule;
  rule.host = "example.com";
  rule.redirect = Redirect{"https://www.example.com", 301};
  CHECK(rule_added(block_rules, rule, 1) ==
        with_rules(text::replace_all(block_rules, "# first wins\n",
                                     "# first wins\n    - {host: example.com, redirect: {to: "
                                     "\"https://www.example.com\", code: 301}}\n")));
  rule.redirect->code = 302;
  CHECK(rule_added(block_rules, rule, 1) ==
        with_rules(text::replace_all(block_rules, "# first wins\n",
                                     "# first wins\n    - {host: example.com, redirect: {to: "
                                     "\"https://www.example.com\"}}\n")));
  rule.redirect->code = 200;
  CHECK(rule_added(block_rules, rule, 1).find("200 is no redirect") != std::string::npos);
}

TEST_CASE("stack: each service of a split is looked for") {
  auto rule = with_all_conditions();
  rule.split.push_back({"wbe", 1});
  const auto refused = add_rule(with_rules(block_rules), rule, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::not_found);
  CHECK(refused.error().hint == "did you mean \"web\"?");
}

TEST_CASE("stack: a rule goes where it is put") {
  CHECK(rule_added(block_rules, {"", "/x", "web"}, 1) ==
        with_rules(text::replace_all(block_rules, "# first wins\n",
                                     "# first wins\n    - {path: /x, to: web}\n")));
  const auto last = rule_added(block_rules, {"", "/x", "web"}, 3);
  CHECK(last.find("lb.rules[2]: the rule can never match") == 0);
  CHECK(rule_added("lb:\n  listen: [80]\n  rules:\n  - path: /b\n    to: web\n  - to: api\n",
                   {"a.example.com", "", "api"},
                   2) == with_rules("lb:\n  listen: [80]\n  rules:\n  - path: /b\n    to: web\n"
                                    "  - host: a.example.com\n    to: api\n  - to: api\n"));
}

TEST_CASE("stack: a load balancer without rules gets the key") {
  CHECK(rule_added("lb:\n  listen: [80]   # http\n", {"", "", "web"}) ==
        with_rules("lb:\n  listen: [80]   # http\n  rules:\n    - {to: web}\n"));
  CHECK(rule_added("lb:\n  listen:\n  - 80", {"", "", "web"}) ==
        with_rules("lb:\n  listen:\n  - 80\n  rules:\n    - {to: web}"));
  CHECK(rule_added("lb: {listen: [80]}\n", {"", "", "web"}) ==
        with_rules("lb: {listen: [80], rules: [{to: web}]}\n"));
  CHECK(rule_added("lb:\n  rules: []\n  listen: [80]\n", {"", "/a", "web"}) ==
        with_rules("lb:\n  rules: [{path: /a, to: web}]\n  listen: [80]\n"));
}

TEST_CASE("stack: a rule is removed by its number") {
  CHECK(rule_removed(block_rules, 1) ==
        with_rules(text::replace_all(block_rules, "    - {path: /api/, to: api}   # v1\n", "")));
  CHECK(rule_removed(block_rules, 2) ==
        with_rules(text::replace_all(block_rules, "    - {to: web}\n", "")));
  CHECK(rule_removed("lb:\n  listen: [80]\n  rules:\n    - to: web", 1) ==
        with_rules("lb:\n  listen: [80]\n  rules: []\n"));
  CHECK(rule_removed("lb: {listen: [80], rules: [{to: web}]}\n", 1) ==
        with_rules("lb: {listen: [80], rules: []}\n"));
}

TEST_CASE("stack: line ends and the byte order mark stay") {
  const auto carriage = [](const std::string& text) {
    return "\xef\xbb\xbf" + text::replace_all(text, "\n", "\r\n");
  };
  for (const std::string links : {"    links:\n      - one\n", "    links: [\n      one\n    ]\n",
                                  "    links: [one]\n", ""}) {
    CAPTURE(links);
    const auto result = add_link(carriage(with_links(links)), "web", two);
    REQUIRE(result);
    CHECK(*result == carriage(added(links, two)));
    const auto back = remove_link(*result, "web", "two");
    REQUIRE(back);
    CHECK(parse(*back).problems.empty());
    CHECK(back->find("\n\n") == std::string::npos);
  }
}

TEST_CASE("stack: a link that is there already is known by its target and its variables") {
  const std::string text = R"(stack: shop
region: nyc3
ssh: {from: [203.0.113.0/24]}
images: {app: {build: .}}
services:
  web: {type: web, image: app, port: 80, links: [db, {to: cache, env: {URL: "{host}"}}]}
  db: {type: db, image: app, port: 5432}
  cache: {type: cache, image: app, port: 6379}
)";
  CHECK(has_link(text, "web", {"db", {}}));
  CHECK(has_link(text, "web", {"cache", {{"URL", "{host}"}}}));
  CHECK_FALSE(has_link(text, "web", {"cache", {}}));
  CHECK_FALSE(has_link(text, "db", {"cache", {}}));
  CHECK_FALSE(has_link(text, "nothing", {"db", {}}));
  CHECK_FALSE(has_link("stack: shop", "web", {"db", {}}));
}

TEST_CASE("stack: in a JSON file, keys and texts are quoted as JSON wants them") {
  const auto stack = parse(with_rules("lb: {listen: [80]}\n")).stack;
  const auto json = to_json(stack);
  const auto linked = add_link(json, "web", two);
  REQUIRE(linked);
  CHECK(linked->find("\"links\": [\"two\"]") != std::string::npos);
  const auto ruled = add_rule(*linked, {"", "/api/", "api"}, {});
  REQUIRE(ruled);
  CHECK(ruled->find("\"rules\": [{\"path\": \"/api/\", \"to\": \"api\"}]") != std::string::npos);
  const auto unlinked = remove_link(*ruled, "web", "two");
  REQUIRE(unlinked);
  CHECK(*remove_rule(*unlinked, 1) == json);
}

TEST_CASE("stack: the example of the design is edited and edited back to the byte") {
  const std::string text(design_example);
  const auto check_back = [&](const Result<std::string>& there, const Result<std::string>& back) {
    REQUIRE(there);
    CHECK(*there != text);
    REQUIRE(back);
    CHECK(*back == text);
  };
  for (const char* target : {"db", "cache"}) {
    const auto there = add_link(text, "frontend", {target, {}});
    check_back(there, remove_link(there.value_or(""), "frontend", target));
  }
  const auto circle = add_link(text, "backend", {"frontend", {}});
  check_back(circle, remove_link(circle.value_or(""), "backend", "frontend"));
  const auto rule = add_rule(text, {"", "/static/", "frontend"}, {});
  check_back(rule, remove_rule(rule.value_or(""), 3));
  const auto db = add_link(text, "db", {"cache", {}});
  REQUIRE(db);
  CHECK(parse(*db).stack.services[2].links == std::vector<Link>{{"cache", {}}});
  CHECK(*remove_link(*db, "db", "cache") == text::replace_all(*db, "links: [cache]", "links: []"));
  const auto cache = add_link(text, "cache", {"db", {}});
  REQUIRE(cache);
  CHECK(cache->find("set: [/usr/local/bin/set-password]}, links: [db]}\n") != std::string::npos);
}

TEST_CASE("stack: what does not exist is not found, with the nearest name") {
  const auto service = add_link(with_links(""), "wep", two);
  REQUIRE_FALSE(service);
  CHECK(service.error().kind == ErrorKind::not_found);
  CHECK(service.error().hint == "did you mean \"web\"?");
  const auto target = add_link(with_links(""), "web", {"tow", {}});
  REQUIRE_FALSE(target);
  CHECK(target.error().kind == ErrorKind::not_found);
  CHECK(target.error().hint == "did you mean \"two\"?");
  CHECK(remove_link(with_links(""), "web", "one").error().kind == ErrorKind::not_found);
  CHECK(remove_rule(with_rules(block_rules), 3).error().kind == ErrorKind::not_found);
  CHECK(remove_rule(with_rules(block_rules), 0).error().kind == ErrorKind::not_found);
  CHECK(add_rule(with_rules(block_rules), {"", "", "wbe"}, {}).error().kind ==
        ErrorKind::not_found);
  CHECK(add_rule(with_rules(""), {"", "", "web"}, {}).error().message ==
        "the stack has no load balancer");
  CHECK(add_rule(with_rules(block_rules), {"", "/x", "web"}, 4).error().kind == ErrorKind::usage);
}

TEST_CASE("stack: what is there already is not added again") {
  CHECK(add_link(with_links("    links: [two]\n"), "web", two).error().kind == ErrorKind::exists);
  CHECK(add_rule(with_rules(block_rules), {"", "", "web"}, {}).error().kind == ErrorKind::exists);
}

TEST_CASE("stack: an edit that would make the file wrong is refused with the reason") {
  const auto circle = add_link(with_links("    links: [one]\n"), "one", {"two", {}});
  REQUIRE(circle);
  const auto closed = add_link(*circle, "two", {"one", {}});
  REQUIRE_FALSE(closed);
  CHECK(closed.error().kind == ErrorKind::invalid);
  CHECK(closed.error().message.find("links go in a circle: one -> two -> one") !=
        std::string::npos);
  const auto host = add_rule(with_rules(block_rules), {"a b", "", "web"}, 1);
  REQUIRE_FALSE(host);
  CHECK(host.error().message == "lb.rules[0].host: \"a b\" is not a host name");
  const auto broken = add_link("stack: a\n", "web", two);
  REQUIRE_FALSE(broken);
  CHECK(broken.error().kind == ErrorKind::invalid);
}

TEST_CASE("stack: links that come from an alias are left alone") {
  const auto text = text::replace_all(with_links("    links: &shared [one]\n"),
                                      "port: 1}  # second", "port: 1, links: *shared}  # second");
  CHECK(parse(text).problems.empty());
  for (const char* service : {"web", "two"}) {
    const auto result = add_link(text, service, {"three", {}});
    REQUIRE_FALSE(result);
    CHECK(result.error().message ==
          fmt::format("services.{}.links cannot be edited in place as it is written", service));
  }
}

}  // namespace
}  // namespace paas::stack
