// Adding and removing servers, against a HAProxy in memory.
#include "haproxy/runtime.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "haproxy/support/fake_haproxy.hpp"

namespace paas::haproxy {
namespace {

using std::chrono::milliseconds;
using test::FakeClock;
using test::FakeHaproxy;
using test::FakeServer;

const Server server_1{"app-web-1.r1", "10.1.0.3", 20000};
const std::string name_1 = "app-web-1.r1";
constexpr milliseconds enough{10000};

Backend web() {
  Backend backend;
  backend.name = "web";
  return backend;
}

struct Fixture {
  FakeClock clock;
  FakeHaproxy haproxy{clock};
  Runtime runtime{haproxy.send(), clock};
  milliseconds start = clock.monotonic();

  milliseconds elapsed() { return clock.monotonic() - start; }
  FakeServer& put(const std::string& admin, int weight, const std::string& check_status) {
    auto& server = haproxy.servers[name_1];
    server.address = "10.1.0.3:20000";
    server.admin = admin;
    server.has_check = true;
    server.weight = weight;
    server.check_status = check_status;
    server.next_check = clock.monotonic() + milliseconds{400};
    return server;
  }
};

TEST_CASE_FIXTURE(Fixture, "haproxy: a server that is only checked gets no request") {
  REQUIRE(runtime.add_server(web(), server_1, enough, Entry::checked_only));
  CHECK(haproxy.servers.at(name_1).is_up);
  CHECK(haproxy.servers.at(name_1).weight == 0);
}

TEST_CASE_FIXTURE(Fixture, "haproxy: servers change over with one line") {
  put("READY", 10, "L7OK");
  haproxy.servers["app-web-1.r2"] = haproxy.servers.at(name_1);
  haproxy.servers.at("app-web-1.r2").weight = 0;
  REQUIRE(runtime.change_over("web", {"app-web-1.r2"}, 10, {name_1}));
  CHECK(haproxy.commands == std::vector<std::string>{"set server web/app-web-1.r2 weight 10; set "
                                                     "server web/app-web-1.r1 state drain"});
  CHECK(haproxy.servers.at("app-web-1.r2").weight == 10);
  CHECK(haproxy.servers.at(name_1).admin == "DRAIN");
  CHECK_FALSE(runtime.change_over("web", {"app-web-1.r3"}, 10, {}));
  CHECK(runtime.change_over("web", {"app;quit"}, 10, {}).error().kind == ErrorKind::invalid);
}

TEST_CASE_FIXTURE(Fixture, "haproxy: what is drained goes with one line, anything else is left") {
  put("READY", 10, "L7OK");
  const auto seen = [&] { return runtime.statistics()->front(); };
  CHECK(runtime.delete_drained(seen()) == false);
  auto& server = haproxy.servers.at(name_1);
  server.admin = "DRAIN";
  server.busy_until = clock.monotonic() + milliseconds{3000};
  CHECK(runtime.delete_drained(seen()) == false);
  CHECK(haproxy.commands.empty());
  server.busy_until = milliseconds{0};
  CHECK(runtime.delete_drained(seen()) == true);
  CHECK(haproxy.commands ==
        std::vector<std::string>{
            "set server web/app-web-1.r1 state maint; del server web/app-web-1.r1"});
  CHECK(haproxy.servers.empty());
}

TEST_CASE_FIXTURE(Fixture, "haproxy: a new server gets weight after its own check has passed") {
  haproxy.check_result = [&](const std::string&, milliseconds now) {
    return now - start >= milliseconds{1400} ? "L7OK" : "L4CON";
  };
  REQUIRE(runtime.add_server(web(), server_1, enough));
  CHECK(
      haproxy.commands ==
      std::vector<std::string>{
          "add server web/app-web-1.r1 10.1.0.3:20000 check inter 2000ms fastinter 500ms downinter "
          "200ms fall 3 rise 2 weight 0; enable health web/app-web-1.r1; enable server "
          "web/app-web-1.r1",
          "set server web/app-web-1.r1 weight 10"});
  CHECK_FALSE(haproxy.gave_weight_unchecked);
  CHECK(haproxy.servers[name_1].weight == 10);
  CHECK(elapsed() >= milliseconds{1400});
}

TEST_CASE_FIXTURE(Fixture, "haproxy: a server whose check never passes is taken out again") {
  haproxy.check_result = [](const std::string&, milliseconds) { return "L7STS"; };
  const auto added = runtime.add_server(web(), server_1, milliseconds{3000});
  REQUIRE_FALSE(added);
  CHECK(added.error().kind == ErrorKind::timed_out);
  CHECK(added.error().message ==
        "the health check of 'web/app-web-1.r1' did not pass within 3.0s (DOWN, check L7STS)");
  CHECK(haproxy.servers.empty());
  CHECK_FALSE(haproxy.gave_weight_unchecked);
  CHECK(elapsed() < milliseconds{4000});
}

TEST_CASE_FIXTURE(Fixture, "haproxy: a server in rotation is left as it is") {
  put("READY", 10, "L7OK");
  REQUIRE(runtime.add_server(web(), server_1, enough));
  CHECK(haproxy.commands == std::vector<std::string>{"set server web/app-web-1.r1 weight 10"});
}

TEST_CASE_FIXTURE(Fixture, "haproxy: a server in rotation that fails its check is not taken out") {
  haproxy.check_result = [](const std::string&, milliseconds) { return "L4CON"; };
  put("READY", 10, "L4CON").is_up = false;
  const auto added = runtime.add_server(web(), server_1, milliseconds{1000});
  REQUIRE_FALSE(added);
  CHECK(added.error().kind == ErrorKind::timed_out);
  CHECK(haproxy.servers.contains(name_1));
  CHECK(haproxy.commands.empty());
}

TEST_CASE_FIXTURE(Fixture, "case 36: an addition that was interrupted is finished") {
  SUBCASE("before it was enabled") { put("MAINT", 0, "INI"); }
  SUBCASE("in maintenance, where the result of an old check stays") { put("MAINT", 10, "L7OK"); }
  SUBCASE("before it had weight") { put("READY", 0, "INI"); }
  REQUIRE(runtime.add_server(web(), server_1, enough));
  CHECK_FALSE(haproxy.gave_weight_unchecked);
  CHECK(haproxy.servers[name_1].weight == 10);
  CHECK(haproxy.servers[name_1].admin == "READY");
  CHECK(elapsed() >= milliseconds{400});
}

TEST_CASE_FIXTURE(Fixture, "haproxy: a removal that was interrupted is taken back") {
  put("DRAIN", 10, "L7OK");
  REQUIRE(runtime.add_server(web(), server_1, enough));
  CHECK(haproxy.servers[name_1].admin == "READY");
}

TEST_CASE_FIXTURE(Fixture, "haproxy: a server of that name with another address is replaced") {
  put("READY", 10, "L7OK").address = "10.1.0.99:20000";
  REQUIRE(runtime.add_server(web(), server_1, enough));
  CHECK(haproxy.servers[name_1].address == "10.1.0.3:20000");
  CHECK(haproxy.commands.front() == "set server web/app-web-1.r1 state drain");
  CHECK_FALSE(haproxy.gave_weight_unchecked);
}

TEST_CASE_FIXTURE(Fixture, "haproxy: a server without checks is replaced by one with them") {
  auto& server = put("READY", 10, "");
  server.has_check = false;
  haproxy.answers["enable health"] = "\n";
  // Its state is shown as HAProxy shows it.
  auto send = haproxy.send();
  Runtime other(
      [&](const std::string& command) -> Result<std::string> {
        if (command == "show stat" && !haproxy.servers[name_1].has_check) {
          return std::string(
              "# pxname,svname,qcur,scur,stot,status,weight,type,rate,check_status,hrsp_5xx,"
              "hrsp_2xx,hrsp_3xx,hrsp_4xx,rtime,addr,\n"
              "web,app-web-1.r1,0,0,0,no check,10,2,0,,0,0,0,0,0,10.1.0.3:20000,\n"
              "web,BACKEND,0,0,0,UP,10,1,0,,0,0,0,0,0,,\n\n");
        }
        return send(command);
      },
      clock);
  REQUIRE(other.add_server(web(), server_1, enough));
  CHECK(haproxy.servers[name_1].has_check);
  CHECK_FALSE(haproxy.gave_weight_unchecked);
}

TEST_CASE_FIXTURE(Fixture, "haproxy: refusals of an addition are errors in HAProxy's words") {
  haproxy.answers["add server"] = "Invalid address: 'x'\n";
  const auto added = runtime.add_server(web(), server_1, enough);
  REQUIRE_FALSE(added);
  CHECK(added.error().message.find("Invalid address") != std::string::npos);

  auto unknown = web();
  unknown.name = "gone";
  haproxy.answers.clear();
  CHECK(runtime.add_server(unknown, server_1, enough).error().kind == ErrorKind::not_found);
}

TEST_CASE_FIXTURE(Fixture, "haproxy: garbage for an answer is an error and gives no weight") {
  SUBCASE("to everything") { haproxy.answers[""] = "<html>502</html>\n"; }
  SUBCASE("to the statistics") { haproxy.answers["show stat"] = "# pxname,sv"; }
  SUBCASE("nothing to the statistics") { haproxy.answers["show stat"] = ""; }
  SUBCASE("nothing to the addition") { haproxy.answers["add server"] = ""; }
  SUBCASE("to the enabling of checks") { haproxy.answers["enable health"] = "Unknown command\n"; }
  SUBCASE("to the enabling") { haproxy.answers["enable server"] = "\x01\x02\n"; }
  const auto added = runtime.add_server(web(), server_1, enough);
  REQUIRE_FALSE(added);
  CHECK_FALSE(added.error().message.empty());
  for (const auto& command : haproxy.commands) {
    CHECK(command.find("weight 10") == std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "haproxy: weight that nobody confirms is an error") {
  haproxy.answers["set server"] = "";
  CHECK(runtime.add_server(web(), server_1, enough).error().kind == ErrorKind::unreachable);
}

TEST_CASE_FIXTURE(Fixture, "haproxy: a HAProxy without any proxy has no servers") {
  haproxy.answers["show stat"] =
      "# pxname,svname,qcur,scur,stot,status,weight,type,rate,check_status,hrsp_5xx,"
      "hrsp_2xx,hrsp_3xx,hrsp_4xx,rtime,addr,\n\n";
  const auto seen = runtime.statistics();
  REQUIRE(seen);
  CHECK(seen->empty());
}

TEST_CASE_FIXTURE(Fixture, "haproxy: a server that vanishes while it is awaited is an error") {
  haproxy.check_result = [](const std::string&, milliseconds) { return "L4CON"; };
  auto send = haproxy.send();
  int looks = 0;
  Runtime other(
      [&](const std::string& command) {
        if (command == "show stat" && ++looks == 5) haproxy.servers.clear();
        return send(command);
      },
      clock);
  CHECK(other.add_server(web(), server_1, enough).error().kind == ErrorKind::not_found);
}

TEST_CASE_FIXTURE(Fixture, "haproxy: an interruption ends the waiting and gives no weight") {
  clock.interrupted_at = clock.monotonic() + milliseconds{200};
  CHECK(runtime.add_server(web(), server_1, enough).error().kind == ErrorKind::interrupted);
  CHECK(haproxy.servers[name_1].weight == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "haproxy: a socket that does not answer is unreachable, with what was done") {
  Runtime cut(
      [](const std::string&) -> Result<std::string> {
        return fail(ErrorKind::unreachable, "no answer");
      },
      clock);
  const auto added = cut.add_server(web(), server_1, enough);
  CHECK(added.error().kind == ErrorKind::unreachable);
  CHECK(describe(added.error()) == "asking HAProxy through its admin socket: no answer");
  CHECK(cut.remove_server("web", name_1, enough).error().kind == ErrorKind::unreachable);
}

TEST_CASE_FIXTURE(Fixture, "haproxy: names and addresses that could carry commands are refused") {
  for (const std::string bad : {"a;b", "a\nshutdown frontend public", "a b", "", "a/b"}) {
    CAPTURE(bad);
    auto backend = web();
    backend.name = bad;
    CHECK(runtime.add_server(backend, server_1, enough).error().kind == ErrorKind::invalid);
    CHECK(runtime.add_server(web(), {bad, "10.1.0.3", 80}, enough).error().kind ==
          ErrorKind::invalid);
    CHECK(runtime.add_server(web(), {"a", bad, 80}, enough).error().kind == ErrorKind::invalid);
    CHECK(runtime.remove_server("web", bad, enough).error().kind == ErrorKind::invalid);
    CHECK(runtime.remove_server(bad, "a", enough).error().kind == ErrorKind::invalid);
  }
  CHECK(haproxy.commands.empty());
}

TEST_CASE_FIXTURE(Fixture, "haproxy: a removal waits for the last session and shuts none down") {
  put("READY", 10, "L7OK").busy_until = clock.monotonic() + milliseconds{3000};
  REQUIRE(runtime.remove_server("web", name_1, enough));
  CHECK(haproxy.commands == std::vector<std::string>{"set server web/app-web-1.r1 state drain",
                                                     "set server web/app-web-1.r1 state maint",
                                                     "del server web/app-web-1.r1"});
  CHECK(haproxy.servers.empty());
  CHECK(elapsed() >= milliseconds{3000});
  CHECK(elapsed() < milliseconds{3200});
}

TEST_CASE_FIXTURE(Fixture, "haproxy: when the time to drain is over the sessions are shut down") {
  put("READY", 10, "L7OK").busy_until = clock.monotonic() + milliseconds{600000};
  REQUIRE(runtime.remove_server("web", name_1, milliseconds{1000}));
  CHECK(haproxy.sessions_shut_down == 1);
  CHECK(haproxy.servers.empty());
  CHECK(elapsed() >= milliseconds{1000});
  CHECK(elapsed() < milliseconds{1200});
}

TEST_CASE_FIXTURE(Fixture,
                  "case 38: a deletion that is refused is tried again until the time is over") {
  auto& server = put("READY", 10, "L7OK");
  SUBCASE("the connection ends in time") {
    server.connected_until = clock.monotonic() + milliseconds{1500};
    REQUIRE(runtime.remove_server("web", name_1, enough));
    CHECK(haproxy.servers.empty());
  }
  SUBCASE("the connection stays") {
    server.connected_until = clock.monotonic() + milliseconds{600000};
    const auto removed = runtime.remove_server("web", name_1, milliseconds{4000});
    REQUIRE_FALSE(removed);
    CHECK(removed.error().message.find("still has connections") != std::string::npos);
    CHECK(haproxy.servers[name_1].admin == "MAINT");
    CHECK(elapsed() >= milliseconds{4000});
    CHECK(elapsed() < milliseconds{4200});
  }
}

TEST_CASE_FIXTURE(Fixture, "haproxy: removing what is not there is no error") {
  CHECK(runtime.remove_server("web", name_1, enough));
  CHECK(runtime.remove_server("gone", name_1, enough));
}

TEST_CASE_FIXTURE(Fixture, "haproxy: garbage in the middle of a removal deletes nothing") {
  put("READY", 10, "L7OK");
  SUBCASE("to the drain") { haproxy.answers["set server"] = "garbage\n"; }
  SUBCASE("to the statistics") { haproxy.answers["show stat"] = "garbage\n"; }
  SUBCASE("to the deletion") { haproxy.answers["del server"] = "garbage\n"; }
  SUBCASE("nothing to the deletion") { haproxy.answers["del server"] = "\n"; }
  CHECK_FALSE(runtime.remove_server("web", name_1, enough));
  CHECK(haproxy.servers.contains(name_1));
  CHECK(elapsed() < enough);
}

}  // namespace
}  // namespace paas::haproxy
