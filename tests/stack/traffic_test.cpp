// What the load balancer does with all requests, as it is read and written.
#include "stack/traffic.hpp"

#include <doctest/doctest.h>

#include "stack/parse.hpp"
#include "stack/values.hpp"

namespace paas::stack {
namespace {

Stack stack_with(const std::string& lb) {
  const auto parsed = parse(
      "stack: shop\nregion: nyc3\nssh: {from: [0.0.0.0/0]}\nimages: {app: {build: .}}\n"
      "services: {web: {type: web, image: app, port: 80}}\n"
      "lb: {listen: [80], " +
      lb + "}\n");
  CAPTURE(lb);
  REQUIRE(parsed.problems.empty());
  const auto again = parse(to_json(parsed.stack));
  CHECK(again.problems.empty());
  CHECK(again.stack == parsed.stack);
  return parsed.stack;
}

Traffic traffic_of(const std::string& lb) { return stack_with(lb).lb->traffic; }

TEST_CASE("stack: limits, timeouts and the rest are read, and written as they are read") {
  const auto traffic = traffic_of(
      "limit: {requests: 100/1m30s, body: 10MiB}, compression: [text/html, image/svg+xml], "
      "timeouts: {connect: 500ms, client: 1m, server: 2h, request: 5s, keep_alive: 1s, queue: 3s, "
      "tunnel: 24h}, health: /lb, log: json, trusted_proxies: [10.0.0.1, '2001:db8::/32']");
  CHECK(traffic.limit.requests == Rate{100, 90});
  CHECK(traffic.limit.body_bytes == 10 << 20);
  CHECK(traffic.timeouts == Timeouts{500, 60000, 7200000, 5000, 1000, 3000, 86400000});
  CHECK(traffic.compression == std::vector<std::string>{"text/html", "image/svg+xml"});
  CHECK(traffic.health == "/lb");
  CHECK(traffic.log == AccessLog::json);
  CHECK(traffic.trusted_proxies == std::vector<std::string>{"10.0.0.1/32", "2001:db8::/32"});
}

TEST_CASE("stack: a maintenance page is a file or stands in the stack file") {
  CHECK(traffic_of("maintenance: {page: back-soon.html}").maintenance ==
        MaintenancePage{"back-soon.html", ""});
  CHECK(traffic_of("maintenance: {html: \"<p class='a'>\\n\\t\\\"ü\\\" \\\\</p>\\r\\n\"}")
            .maintenance == MaintenancePage{"", "<p class='a'>\n\t\"ü\" \\</p>\r\n"});
  CHECK(parse_page(std::string(page_bytes_max, 'x')));
  CHECK(parse_page(std::string(page_bytes_max + 1, 'x')).error().message == "is 12289 bytes long");
  CHECK(parse_page("<p>\nZur\xfc"
                   "ck")
            .error()
            .message == "line 2, column 4: not UTF-8 text");
  CHECK_FALSE(parse_page(std::string_view("<p>\0</p>", 8)));
  CHECK_FALSE(parse_page(""));
}

TEST_CASE("stack: a switch is on or off") {
  CHECK(traffic_of("log: true").log == AccessLog::text);
  CHECK(traffic_of("log: false").log == AccessLog::none);
  CHECK(traffic_of("compression: true").compression.size() == 10);
  CHECK(traffic_of("compression: false").compression.empty());
  CHECK(traffic_of("size: s-1vcpu-1gb") == Traffic{});
}

TEST_CASE("stack: a service says how its clients are known, and how much its servers take") {
  const auto service_with = [](const std::string& keys) {
    const auto parsed = parse(
        "stack: shop\nregion: nyc3\nssh: {from: [0.0.0.0/0]}\nimages: {app: {build: .}}\n"
        "services: {web: {type: web, image: app, port: 80, " +
        keys + "}}\nlb: {listen: [80]}\n");
    CAPTURE(keys);
    REQUIRE(parsed.problems.empty());
    CHECK(parse(to_json(parsed.stack)).stack == parsed.stack);
    return parsed.stack.services.at(0);
  };
  CHECK(service_with("sticky: {by: source}").sticky == Sticky{});
  CHECK(service_with("sticky: {cookie: S.id, keep: 2h}").sticky ==
        Sticky{Sticky::By::cookie, "S.id", 7200});
  CHECK(service_with("sticky: {header: X-User}").sticky ==
        Sticky{Sticky::By::header, "x-user", 3600});
  const auto service = service_with("answer_timeout: 5m, max_connections: 50");
  CHECK(service.answer_timeout_ms == 300000);
  CHECK(service.max_connections == 50);
  CHECK_FALSE(service.sticky);
}

TEST_CASE("stack: a rule has limits of its own") {
  const auto stack = stack_with(
      "rules: [{path: /a, limit: {requests: 1/1s}, to: web}, {limit: {body: 1KiB}, to: web}]");
  CHECK(stack.lb->rules.at(0).limit == Limit{.requests = Rate{1, 1}});
  CHECK(stack.lb->rules.at(1).limit == Limit{.body_bytes = 1024});
}

}  // namespace
}  // namespace paas::stack
