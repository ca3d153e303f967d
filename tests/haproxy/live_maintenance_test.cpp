// The maintenance page of a real HAProxy. Skipped unless asked for: see run_live.sh.
#include <doctest/doctest.h>

#include <string>

#include "base/text.hpp"
#include "haproxy/maintenance.hpp"
#include "haproxy/support/connection.hpp"
#include "haproxy/support/live_haproxy.hpp"
#include "haproxy/support/setups.hpp"
#include "stack/values.hpp"

TEST_SUITE_BEGIN("live" * doctest::skip());

namespace paas::haproxy {
namespace {

using namespace std::chrono_literals;
using test::answer_to;
using test::LiveHaproxy;
using test::WebServer;

TEST_CASE("haproxy: maintenance is turned on and off without a reload, and a restart keeps it") {
  WebServer first("app-web-1.r1");
  auto setup = test::web_setup({&first});
  setup.traffic.health = "/lb-health";
  LiveHaproxy haproxy(setup);
  const int worker = haproxy.worker();
  CHECK(answer_to(haproxy.port(), {}).status == 200);

  REQUIRE(haproxy.runtime().set_maintenance(true));
  const int before = first.requests;
  const auto page = answer_to(haproxy.port(), {.path = "/anything"});
  CHECK(page.status == 503);
  CHECK(page.body.find("<h1>Back soon</h1>") != std::string::npos);
  CHECK(page.body.ends_with("</p>\n"));
  CHECK(text::lower(page.head).find("retry-after: 60") != std::string::npos);
  CHECK(text::lower(page.head).find("content-type: text/html; charset=utf-8") != std::string::npos);
  CHECK(first.requests == before);
  CHECK(answer_to(haproxy.port(), {.path = "/lb-health"}).status == 200);

  SUBCASE("and off again") {}
  SUBCASE("servers are added meanwhile, as a deploy does") {
    WebServer second("app-web-1.r2");
    auto runtime = haproxy.runtime();
    REQUIRE(runtime.add_server(haproxy.setup.backends[0], test::server_of(second), 10s));
    CHECK(second.checks > 0);
    REQUIRE(runtime.remove_server("web", second.name(), 10s));
  }
  CHECK(answer_to(haproxy.port(), {}).status == 503);
  CHECK(haproxy.worker() == worker);
  haproxy.setup.maintenance = true;
  haproxy.restart();
  CHECK(answer_to(haproxy.port(), {}).status == 503);
  REQUIRE(haproxy.runtime().set_maintenance(false));
  CHECK(answer_to(haproxy.port(), {}).status == 200);
}

TEST_CASE("haproxy: a maintenance page of one's own is sent byte by byte") {
  WebServer first("app-web-1.r1");
  auto setup = test::web_setup({&first});
  auto& html = setup.traffic.maintenance.html;
  SUBCASE("with whatever a page may have in it") {
    html = test::with_traffic().traffic.maintenance.html;
    for (char c = ' '; c <= '~'; ++c) html += c;
    html += "\t\n\xf0\x9f\x9a\xa7";
  }
  SUBCASE("as long as it may be") {
    while (html.size() < stack::page_bytes_max) html += "ü\n";
    html.resize(stack::page_bytes_max, '.');
  }
  setup.maintenance = true;
  LiveHaproxy haproxy(setup);
  const auto page = answer_to(haproxy.port(), {});
  CHECK(page.status == 503);
  CHECK(page.body == html);
  CHECK(text::lower(page.head).find("retry-after: 60") != std::string::npos);
}

}  // namespace
}  // namespace paas::haproxy

TEST_SUITE_END();
