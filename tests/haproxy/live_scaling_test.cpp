// Servers come and go in a real HAProxy while requests run through it. Skipped unless asked for:
// see run_live.sh.
#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "haproxy/support/connection.hpp"
#include "haproxy/support/impatient_server.hpp"
#include "haproxy/support/live_haproxy.hpp"
#include "haproxy/support/load.hpp"

TEST_SUITE_BEGIN("live" * doctest::skip());

namespace paas::haproxy {
namespace {

using namespace std::chrono_literals;
using test::LiveHaproxy;
using test::Load;
using test::server_of;
using test::WebServer;

void check_no_failure(const test::Tally& tally) {
  for (const auto& failure : tally.failures) FAIL_CHECK(failure);
  CHECK(tally.requests > 100);
}

TEST_CASE("haproxy: a running HAProxy tells which configuration it took over") {
  WebServer first("app-web-1.r1");
  LiveHaproxy haproxy(test::web_setup({&first}));
  const auto loaded = [&] { return mark_in_info(*haproxy.send()("show info")); };
  const auto before = mark_of(*render(haproxy.setup));
  CHECK(loaded() == before);
  haproxy.setup.backends[0].health_interval_ms = 300;
  CHECK(loaded() == before);
  haproxy.reload();
  CHECK(loaded() == mark_of(*render(haproxy.setup)));
  CHECK(loaded() != before);
}

TEST_CASE("haproxy: while a health check changes its path, each release is asked for its own") {
  WebServer old("app-web-1.r1", "/healthold");
  WebServer next("app-web-1.r2");
  auto setup = test::web_setup({&old});
  setup.backends[0].health_path = "/healthold";
  LiveHaproxy haproxy(setup);
  REQUIRE(haproxy.eventually([&] { return haproxy.server(old.name()).check_status == "L7OK"; }));
  Load load(haproxy.port());
  haproxy.setup.backends[0].health_path = "/healthz";
  haproxy.setup.backends[0].older_paths = {{1, "/healthold"}};
  haproxy.reload();
  auto runtime = haproxy.runtime();
  REQUIRE(runtime.add_server(haproxy.setup.backends[0], server_of(next), 10s));
  const int checks = old.checks;
  CHECK(haproxy.eventually([&] { return old.checks > checks + 3; }));
  CHECK(haproxy.server(old.name()).status == "UP");
  CHECK(haproxy.server(next.name()).status == "UP");
  check_no_failure(load.stop());
  // Without it the old one is taken out.
  haproxy.setup.backends[0].older_paths.clear();
  haproxy.setup.backends[0].servers.push_back(server_of(next));
  haproxy.reload();
  CHECK(haproxy.eventually([&] { return haproxy.server(old.name()).status == "DOWN"; }));
}

TEST_CASE("haproxy: adding and removing servers under load loses no request and reloads nothing") {
  WebServer first("app-web-1.r1");
  WebServer second("app-web-2.r1");
  WebServer third("app-web-3.r1");
  LiveHaproxy haproxy(test::web_setup({&first, &second}));
  auto runtime = haproxy.runtime();
  const auto web = haproxy.setup.backends[0];
  const int worker = haproxy.worker();
  Load load(haproxy.port());

  for (int round = 0; round < 2; ++round) {
    CAPTURE(round);
    const int before = third.requests;
    REQUIRE(runtime.add_server(web, server_of(third), 10s));
    REQUIRE(haproxy.eventually([&] { return third.requests > before + 30; }));

    // The first one stands in the configuration, the third was added at run time: both can go.
    const auto& leaving = round == 0 ? first : third;
    REQUIRE(runtime.remove_server("web", leaving.name(), 10s));
    CHECK(haproxy.server(leaving.name()).server.empty());
    const int after_removal = leaving.requests;
    const int others = second.requests;
    REQUIRE(haproxy.eventually([&] { return second.requests > others + 30; }));
    CHECK(leaving.requests == after_removal);
  }
  REQUIRE(runtime.add_server(web, server_of(first), 10s));

  const auto tally = load.stop();
  check_no_failure(tally);
  // Nothing was sent twice behind the client's back.
  CHECK(first.posts + second.posts + third.posts == tally.posts);
  CHECK(haproxy.worker() == worker);
}

TEST_CASE("haproxy: one server replaces another of the same backend under load") {
  WebServer old_one("app-web-1.r1");
  WebServer new_one("app-web-1.r2");
  LiveHaproxy haproxy(test::web_setup({&old_one}));
  auto runtime = haproxy.runtime();
  Load load(haproxy.port());
  REQUIRE(runtime.add_server(haproxy.setup.backends[0], server_of(new_one), 10s));
  REQUIRE(runtime.remove_server("web", old_one.name(), 10s));
  const int before = new_one.requests;
  REQUIRE(haproxy.eventually([&] { return new_one.requests > before + 50; }));
  const auto tally = load.stop();
  check_no_failure(tally);
  CHECK(old_one.posts + new_one.posts == tally.posts);
}

TEST_CASE("haproxy: a dead server gets no weight and no request") {
  WebServer alive("app-web-1.r1");
  WebServer sick("app-web-2.r1");
  sick.health_status = 500;
  LiveHaproxy haproxy(test::web_setup({&alive}));
  auto runtime = haproxy.runtime();
  const auto web = haproxy.setup.backends[0];
  Load load(haproxy.port());

  int port_of_nobody = 0;
  { port_of_nobody = WebServer("gone").port(); }
  const auto dead = runtime.add_server(web, {"app-web-3.r1", "127.0.0.1", port_of_nobody}, 1500ms);
  REQUIRE_FALSE(dead);
  CHECK(dead.error().kind == ErrorKind::timed_out);
  CHECK(dead.error().message.find("L4CON") != std::string::npos);
  CHECK(haproxy.server("app-web-3.r1").server.empty());

  const auto failing = runtime.add_server(web, server_of(sick), 1500ms);
  REQUIRE_FALSE(failing);
  CHECK(failing.error().message.find("L7STS") != std::string::npos);
  CHECK(sick.checks > 1);
  CHECK(sick.requests == 0);
  CHECK(haproxy.server(sick.name()).server.empty());
  check_no_failure(load.stop());
}

TEST_CASE("haproxy: a server that becomes healthy in time gets in, under the backend's own check") {
  WebServer alive("app-web-1.r1");
  WebServer slow_starter("app-web-2.r1");
  slow_starter.health_status = 503;
  LiveHaproxy haproxy(test::web_setup({&alive}));
  std::thread recovery([&] {
    while (slow_starter.checks < 3) std::this_thread::sleep_for(5ms);
    slow_starter.health_status = 204;
  });
  const auto added =
      haproxy.runtime().add_server(haproxy.setup.backends[0], server_of(slow_starter), 10s);
  recovery.join();
  REQUIRE(added);
  CHECK(haproxy.server(slow_starter.name()).weight == 10);
  CHECK(slow_starter.check_host() == "lb.internal");
}

TEST_CASE("haproxy: a server that dies in rotation costs no request that can be sent again") {
  WebServer first("app-web-1.r1");
  auto second = std::make_unique<WebServer>("app-web-2.r1");
  LiveHaproxy haproxy(test::web_setup({&first, second.get()}));
  Load load(haproxy.port());
  REQUIRE(haproxy.eventually([&] { return second->requests > 30; }));
  second.reset();
  REQUIRE(haproxy.eventually([&] { return haproxy.server("app-web-2.r1").status == "DOWN"; }));
  const auto tally = load.stop();
  int lost_posts = 0;
  for (const auto& failure : tally.failures) {
    if (failure.starts_with("POST")) {
      ++lost_posts;
    } else {
      FAIL_CHECK(failure);
    }
  }
  // A POST that waited in the dead server's queue may have had its effect, so it is not sent again.
  // Each of the four loops can have had one there at most; all that were refused a connection went
  // to the other server.
  CHECK(lost_posts <= 4);
}

TEST_CASE("haproxy: after a restart what is on disk is found and the rest is added again") {
  WebServer first("app-web-1.r1");
  WebServer second("app-web-2.r1");
  LiveHaproxy haproxy(test::web_setup({&first}));
  auto runtime = haproxy.runtime();
  const auto web = haproxy.setup.backends[0];
  REQUIRE(runtime.add_server(web, server_of(second), 10s));
  haproxy.restart();
  CHECK(haproxy.server(second.name()).server.empty());
  REQUIRE(runtime.add_server(web, server_of(first), 10s));
  REQUIRE(runtime.add_server(web, server_of(second), 10s));
  CHECK(haproxy.server(first.name()).weight == 10);
  CHECK(haproxy.server(second.name()).weight == 10);
}

TEST_CASE("haproxy: a removal whose time is over cuts the session that is left") {
  WebServer first("app-web-1.r1");
  first.slow_ms = 2500;
  LiveHaproxy haproxy(test::web_setup({&first}));
  std::thread client([&] {
    test::Connection connection(haproxy.port());
    CHECK(connection.ask({.path = "/slow"})->status != 200);
  });
  REQUIRE(haproxy.eventually([&] { return first.requests == 1; }));
  const auto start = std::chrono::steady_clock::now();
  CHECK(haproxy.runtime().remove_server("web", first.name(), 300ms));
  CHECK(std::chrono::steady_clock::now() - start < 2000ms);
  CHECK(haproxy.server(first.name()).server.empty());
  client.join();
}

TEST_CASE("haproxy: an addition and a removal that were cut off are finished the next time") {
  WebServer first("app-web-1.r1");
  LiveHaproxy haproxy(test::web_setup({}));
  auto runtime = haproxy.runtime();
  const auto web = haproxy.setup.backends[0];
  const auto address = "127.0.0.1:" + std::to_string(first.port());
  REQUIRE(haproxy.send()("add server web/app-web-1.r1 " + address + " check inter 250 weight 0"));
  REQUIRE(runtime.add_server(web, server_of(first), 10s));
  CHECK(haproxy.server(first.name()).weight == 10);

  REQUIRE(haproxy.send()("set server web/app-web-1.r1 state drain"));
  CHECK(haproxy.server(first.name()).status == "DRAIN");
  REQUIRE(runtime.add_server(web, server_of(first), 10s));
  CHECK(haproxy.server(first.name()).status == "UP");

  REQUIRE(haproxy.send()("set server web/app-web-1.r1 state maint"));
  REQUIRE(runtime.remove_server("web", first.name(), 10s));
  CHECK(haproxy.server(first.name()).server.empty());
  CHECK(runtime.remove_server("web", first.name(), 10s));
}

TEST_CASE("haproxy: a server that ends kept connections under a request costs no POST") {
  test::ImpatientServer first(1);
  LiveHaproxy haproxy(test::web_setup({}));
  // In the configuration: HAProxy 2.6 never keeps connections to servers that were added at run
  // time.
  haproxy.setup.backends[0].servers = {{"app-web-1.r1", "127.0.0.1", first.port()}};
  haproxy.restart();
  test::Connection connection(haproxy.port());
  for (int number = 0; number < 50; ++number) {
    const auto answer = connection.ask({.method = "POST", .body = "x"});
    REQUIRE_MESSAGE(answer, (answer ? "" : answer.error().message));
    REQUIRE(answer->status == 200);
  }
}

TEST_CASE("haproxy: a request that may have had an effect is not sent twice") {
  test::ImpatientServer crashing(0);
  auto setup = test::web_setup({});
  setup.backends[0].servers = {{"app-web-1.r1", "127.0.0.1", crashing.port()}};
  LiveHaproxy haproxy(setup);
  CHECK(test::Connection(haproxy.port()).ask({.method = "POST", .body = "x"})->status == 502);
  CHECK(crashing.unanswered == 1);
  CHECK(test::Connection(haproxy.port()).ask({.method = "GET"})->status == 502);
  CHECK(crashing.unanswered > 2);
}

TEST_CASE("haproxy: a reload under load loses no request") {
  WebServer first("app-web-1.r1");
  WebServer second("app-web-2.r1");
  LiveHaproxy haproxy(test::web_setup({&first, &second}));
  Load load(haproxy.port());
  for (int round = 0; round < 3; ++round) {
    const int before = first.requests;
    REQUIRE(haproxy.eventually([&] { return first.requests > before + 30; }));
    haproxy.setup.backends[0].health_timeout_ms += 100;
    haproxy.reload();
  }
  const auto tally = load.stop();
  check_no_failure(tally);
  CHECK(first.posts + second.posts == tally.posts);
}

}  // namespace
}  // namespace paas::haproxy

TEST_SUITE_END();
