// What HAProxy runs, beside what its file says.
#include "haproxy/running.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "base/text.hpp"
#include "base/unified_diff.hpp"
#include "haproxy/configuration.hpp"
#include "haproxy/maintenance.hpp"
#include "haproxy/support/setups.hpp"

namespace paas::haproxy {
namespace {

ServerStatistics statistics_of(const std::string& backend, const Server& server) {
  ServerStatistics statistics;
  statistics.backend = backend;
  statistics.server = server.name;
  statistics.status = "UP";
  statistics.weight = server.weight;
  statistics.address = server.address + ":" + std::to_string(server.port);
  return statistics;
}

struct Running {
  Running() {
    for (const auto& backend : setup.backends) {
      for (const auto& server : backend.servers) {
        statistics.push_back(statistics_of(backend.name, server));
      }
    }
    statistics.push_back(
        statistics_of(std::string(maintenance_backend), {"on", "127.0.0.1", 9, 0}));
  }
  std::string difference() {
    return text::unified_diff(file, as_running(file, statistics), {"file", "running"});
  }
  Setup setup = test::zipkick();
  std::string file = *render(setup);
  std::vector<ServerStatistics> statistics;
};

/// The lines that are removed or added.
std::string changed_lines(const std::string& difference) {
  std::string text;
  for (const auto& line : text::lines(difference)) {
    const bool is_header = line.starts_with("---") || line.starts_with("+++");
    if (!is_header && (line.starts_with('-') || line.starts_with('+'))) text += line + "\n";
  }
  return text;
}

TEST_CASE_FIXTURE(Running, "running: a HAProxy that has what its file says shows no difference") {
  std::reverse(statistics.begin(), statistics.end());
  CHECK(difference() == "");
}

TEST_CASE_FIXTURE(Running, "running: servers, weights and maintenance are told apart") {
  const auto first = setup.backends[0].servers[0];
  const auto line =
      "    server " + first.name + " " + first.address + ":" + std::to_string(first.port);
  SUBCASE("a server that it does not have") {
    statistics.erase(statistics.begin());
    CHECK(changed_lines(difference()) == "-" + line + "\n");
  }
  SUBCASE("one that is on its way out") {
    statistics[0].status = "DRAIN";
    CHECK(changed_lines(difference()) == "-" + line + "\n");
  }
  SUBCASE("another weight") {
    statistics[0].weight = 0;
    CHECK(changed_lines(difference()) == "-" + line + "\n+" + line + " weight 0\n");
  }
  SUBCASE("one that the file does not have") {
    statistics.push_back(statistics_of(setup.backends[0].name, {"a-1.r1", "fd00::5", 20000}));
    statistics.back().address = "[fd00::5]:20000";
    CHECK(changed_lines(difference()) == "+    server a-1.r1 [fd00::5]:20000\n");
  }
  SUBCASE("maintenance") {
    statistics.back().weight = 1;
    CHECK(changed_lines(difference()) ==
          "-    server on 127.0.0.1:9 weight 0\n+    server on 127.0.0.1:9 weight 1\n");
  }
}

}  // namespace
}  // namespace paas::haproxy
