// The variables that links give, their templates and their values; circles of links.
#include "stack/links.hpp"

#include <doctest/doctest.h>

#include "stack/check.hpp"
#include "stack/design_example.hpp"
#include "stack/parse.hpp"

namespace paas::stack {
namespace {

using Variables = std::map<std::string, std::string>;

Stack example() { return parse(design_example).stack; }

TEST_CASE("stack: a link to a web service gives host, port and URL") {
  const auto stack = example();
  CHECK(link_environment(*find_service(stack, "backend"), {"backend", {}},
                         {"lb.internal", 9001, ""}) ==
        Variables{{"BACKEND_HOST", "lb.internal"},
                  {"BACKEND_PORT", "9001"},
                  {"BACKEND_URL", "http://lb.internal:9001"}});
}

TEST_CASE("stack: a link to a database gives its credentials as well") {
  const auto stack = example();
  CHECK(link_environment(*find_service(stack, "db"), {"db", {}}, {"10.0.0.5", 5432, "s3cret"}) ==
        Variables{{"DB_HOST", "10.0.0.5"},
                  {"DB_PORT", "5432"},
                  {"DB_USER", "app"},
                  {"DB_PASSWORD", "s3cret"},
                  {"DB_NAME", "app"},
                  {"DB_URL", "postgresql://app:s3cret@10.0.0.5:5432/app"}});
}

TEST_CASE("stack: a link's own variables are added and replace those of the same name") {
  const auto stack = example();
  const Link link{
      "cache",
      {{"REDIS_URL", "redis://:{password}@{host}:{port}/0"}, {"CACHE_PORT", "{{{port}}}"}}};
  CHECK(link_environment(*find_service(stack, "cache"), link, {"10.0.0.6", 6379, "p"}) ==
        Variables{{"CACHE_HOST", "10.0.0.6"},
                  {"CACHE_PORT", "{6379}"},
                  {"CACHE_PASSWORD", "p"},
                  {"CACHE_URL", "redis://:p@10.0.0.6:6379"},
                  {"REDIS_URL", "redis://:p@10.0.0.6:6379/0"}});
}

TEST_CASE("stack: a password is percent-encoded where it is part of a URL") {
  const auto stack = example();
  const auto variables =
      link_environment(*find_service(stack, "db"), {"db", {}}, {"h", 1, "a/b@c"});
  CHECK(variables.at("DB_PASSWORD") == "a/b@c");
  CHECK(variables.at("DB_URL") == "postgresql://app:a%2Fb%40c@h:1/app");
}

TEST_CASE("stack: a database is told its credentials in its own words") {
  const auto stack = example();
  CHECK(credentials_environment(*find_service(stack, "db"), "", "p") ==
        Variables{{"POSTGRES_USER", "app"}, {"POSTGRES_PASSWORD", "p"}, {"POSTGRES_DB", "app"}});
  CHECK(credentials_environment(*find_service(stack, "backend"), "", "p").empty());
}

TEST_CASE("stack: placeholders are found, doubled braces are braces") {
  CHECK(placeholders("{a}-{b}{a}").names == std::vector<std::string>{"a", "b", "a"});
  CHECK(placeholders("{{a}} {{}}").names.empty());
  CHECK(placeholders("{{a}}").closed);
  for (const char* open : {"{", "}", "{a", "a}", "{{}", "{a}}"}) {
    CAPTURE(open);
    CHECK_FALSE(placeholders(open).closed);
  }
  CHECK(expand("{{{a}}} {b}", {{"a", "{b}"}}) == "{{b}} ");
}

TEST_CASE("stack: a service's name becomes a prefix for variables") {
  CHECK(variable_prefix("db") == "DB");
  CHECK(variable_prefix("job-queue-2") == "JOB_QUEUE_2");
}

Stack graph(const std::vector<std::pair<std::string, std::vector<std::string>>>& links) {
  Stack stack;
  for (const auto& [name, targets] : links) {
    auto& service = stack.services.emplace_back();
    service.name = name;
    service.type = name[0] == 'w' ? ServiceType::web : ServiceType::db;
    for (const auto& target : targets) service.links.push_back({target, {}});
  }
  return stack;
}

TEST_CASE("stack: only circles of web services are allowed") {
  using Circles = std::vector<std::vector<std::string>>;
  CHECK(forbidden_circles(graph({{"w1", {"w2"}}, {"w2", {"w1"}}})).empty());
  CHECK(
      forbidden_circles(graph({{"a", {"b"}}, {"b", {"c"}}, {"c", {}}, {"w", {"a", "c"}}})).empty());
  CHECK(forbidden_circles(graph({{"w", {"a"}}, {"a", {"b"}}, {"b", {"c", "a"}}, {"c", {"a"}}})) ==
        Circles{{"a", "b"}, {"c", "a", "b"}});
  CHECK(forbidden_circles(graph({{"w", {"a"}}, {"a", {"w"}}})) == Circles{{"a", "w"}});
  CHECK(forbidden_circles(graph({{"a", {"b"}}, {"b", {"a"}}, {"c", {"d"}}, {"d", {"c"}}})) ==
        Circles{{"a", "b"}, {"c", "d"}});
}

}  // namespace
}  // namespace paas::stack
