// Weights given by hand in a real HAProxy, and what it has of them when it starts again from its
// file. Skipped unless asked for: see run_live.sh.
#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/text.hpp"
#include "haproxy/maintenance.hpp"
#include "haproxy/support/connection.hpp"
#include "haproxy/support/live_haproxy.hpp"

TEST_SUITE_BEGIN("live" * doctest::skip());

namespace paas::haproxy {
namespace {

using namespace std::chrono_literals;
using test::answer_to;
using test::LiveHaproxy;
using test::server_of;
using test::WebServer;

/// What `show servers state` says of each server that its file could say as well: its address, its
/// states and its weight.
std::map<std::string, std::string> states_of(const LiveHaproxy& haproxy) {
  std::map<std::string, std::string> states;
  std::vector<std::string> names;
  for (const auto& line : text::lines(*haproxy.send()("show servers state"))) {
    auto words = text::split(line, ' ');
    if (line.starts_with("# ")) names.assign(words.begin() + 1, words.end());
    if (names.empty() || words.size() < names.size() || line.starts_with("#")) continue;
    std::string state;
    for (std::size_t i = 0; i < names.size(); ++i) {
      for (const auto* name :
           {"srv_addr", "srv_port", "srv_op_state", "srv_admin_state", "srv_uweight"}) {
        if (names[i] == name) state += words[i] + " ";
      }
    }
    states[words[1] + "/" + words[3]] = state;
  }
  return states;
}

TEST_CASE("haproxy: a drained server gets no request, also after a restart from the file") {
  WebServer first("app-web-1.r1");
  WebServer second("app-web-2.r1");
  LiveHaproxy haproxy(test::web_setup({&first, &second}));
  const int worker = haproxy.worker();
  REQUIRE(haproxy.runtime().change_over("web", {{second.name(), 0}}, {}));
  const int before = second.requests;
  for (int i = 0; i < 20; ++i) CHECK(answer_to(haproxy.port(), {}).status == 200);
  CHECK(second.requests == before);
  CHECK(haproxy.server(second.name()).status.starts_with("UP"));
  CHECK(haproxy.worker() == worker);

  haproxy.setup.backends[0].servers[1].weight = 0;
  haproxy.restart();
  CHECK(haproxy.server(second.name()).weight == 0);
  for (int i = 0; i < 20; ++i) CHECK(answer_to(haproxy.port(), {}).status == 200);
  CHECK(second.requests == before);

  REQUIRE(haproxy.runtime().change_over("web", {{second.name(), weight_in_rotation}}, {}));
  CHECK(haproxy.eventually([&] {
    answer_to(haproxy.port(), {});
    return second.requests > before;
  }));
}

TEST_CASE("haproxy: a weight is a share of the requests that are under way") {
  WebServer light("app-web-1.r1");
  WebServer heavy("app-web-2.r1");
  LiveHaproxy haproxy(test::web_setup({&light, &heavy}));
  REQUIRE(haproxy.runtime().change_over("web", {{light.name(), 5}, {heavy.name(), 20}}, {}));
  light.slow_ms = 1500;
  heavy.slow_ms = 1500;
  std::vector<std::thread> clients;
  for (int i = 0; i < 10; ++i) {
    clients.emplace_back([&] { answer_to(haproxy.port(), {.path = "/slow"}); });
  }
  for (auto& client : clients) client.join();
  CHECK(light.requests == 2);
  CHECK(heavy.requests == 8);
}

TEST_CASE("haproxy: the sessions of a drained server are counted until they are gone") {
  WebServer first("app-web-1.r1");
  WebServer second("app-web-2.r1");
  first.slow_ms = 1200;
  LiveHaproxy haproxy(test::web_setup({&first}));
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(
        [&] { CHECK(answer_to(haproxy.port(), {.path = "/slow"}).status == 200); });
  }
  REQUIRE(haproxy.eventually([&] { return first.requests == 3; }));
  auto runtime = haproxy.runtime();
  REQUIRE(runtime.change_over("web", {{first.name(), 0}}, {}));
  CHECK(*runtime.await_drained("web", {first.name()}, 0ms) == 3);
  CHECK(*runtime.await_drained("web", {first.name()}, 10s) == 0);
  for (auto& client : clients) client.join();
}

TEST_CASE("haproxy: after all changes of servers a fresh start from the file has the same") {
  std::vector<std::unique_ptr<WebServer>> servers;
  for (int i = 1; i <= 4; ++i) {
    servers.push_back(std::make_unique<WebServer>("app-web-" + std::to_string(i) + ".r1"));
  }
  LiveHaproxy haproxy(test::web_setup({servers[0].get(), servers[1].get()}));
  auto runtime = haproxy.runtime();
  auto& web = haproxy.setup.backends[0];
  const auto text_of = [&] { return *render(haproxy.setup); };
  auto file = text_of();
  const auto write = [&] { file = with_servers(file, "web", web.servers); };

  // Scaled up, drained, weighed, one that is added drained, scaled down, and maintenance.
  web.servers.push_back(server_of(*servers[2]));
  REQUIRE(runtime.add_server(web, web.servers[2], 10s));
  write();
  web.servers[0].weight = 0;
  REQUIRE(runtime.change_over("web", {{web.servers[0].name, 0}}, {}));
  web.servers[2].weight = 20;
  REQUIRE(runtime.change_over("web", {{web.servers[2].name, 20}}, {}));
  write();
  web.servers.push_back(server_of(*servers[3]));
  web.servers[3].weight = 0;
  REQUIRE(runtime.add_server(web, web.servers[3], 10s));
  REQUIRE(runtime.remove_server("web", web.servers[1].name, 10s));
  web.servers.erase(web.servers.begin() + 1);
  write();
  haproxy.setup.maintenance = true;
  REQUIRE(runtime.set_maintenance(true));
  file = with_maintenance(file, true);
  CHECK(file == text_of());

  const auto running = states_of(haproxy);
  // With the switch of the maintenance.
  REQUIRE(running.size() == 4);
  haproxy.restart();
  CHECK(haproxy.eventually([&] { return states_of(haproxy) == running; }));
  CHECK(states_of(haproxy) == running);
}

}  // namespace
}  // namespace paas::haproxy

TEST_SUITE_END();
