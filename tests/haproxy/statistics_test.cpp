// Statistics as HAProxy 2.6.12 gives them, and garbled ones.
#include <doctest/doctest.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "haproxy/runtime.hpp"

namespace paas::haproxy {
namespace {

std::string recorded() {
  std::ifstream file(std::string(PAASCTL_TEST_DATA) + "/show_stat.csv");
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("haproxy: statistics name servers and leave frontends and backends out") {
  const auto parsed = parse_statistics(recorded());
  REQUIRE(parsed);
  REQUIRE(parsed->size() == 4);
  const auto& first = (*parsed)[0];
  CHECK(first.backend == "web");
  CHECK(first.server == "zipkick-web-1.r1");
  CHECK(first.status == "UP");
  CHECK(first.check_status == "L7OK");
  CHECK(first.weight == 10);
  CHECK(first.current_sessions == 1);
  CHECK(first.total_sessions == 12);
  CHECK(first.queue == 0);
  CHECK(first.request_rate == 12);
  CHECK(first.errors_5xx == 0);
  CHECK(first.address == "127.0.0.1:37101");
  CHECK((*parsed)[1].status == "DOWN");
  CHECK((*parsed)[1].check_status == "L4CON");
  CHECK((*parsed)[2].status == "MAINT");
  CHECK((*parsed)[2].check_status.empty());
  CHECK((*parsed)[3].status == "DRAIN");
}

std::string small(const std::string& row) {
  return "# addr,weight,pxname,svname,type,status,check_status,scur,stot,qcur,rate,hrsp_5xx,"
         "hrsp_2xx,hrsp_3xx,hrsp_4xx,rtime,\n" +
         row + "\n,0,web,BACKEND,1,UP,,0,0,0,0,0,0,0,0,0,\n\n";
}

TEST_CASE("haproxy: columns are found by name, fields may be quoted") {
  const auto parsed = parse_statistics(
      small(R"(10.0.0.1:80,5,web,"a,""b""",2,UP 1/3,* L7OK,1,2,,4,7,100,20,3,15,)"));
  REQUIRE(parsed);
  REQUIRE(parsed->size() == 1);
  const auto& server = parsed->front();
  CHECK(server.server == "a,\"b\"");
  CHECK(server.status == "UP 1/3");
  CHECK(server.check_status == "L7OK");
  CHECK(server.queue == 0);
  CHECK(server.errors_5xx == 7);
  CHECK(server.responses == 130);
  CHECK(server.response_time_ms == 15);
}

TEST_CASE("haproxy: a check that has not run has no result") {
  CHECK(parse_statistics(small("10.0.0.1:80,0,web,a,2,UP 1/3,INI,0,0,0,0,0,0,0,0,0,"))
            ->front()
            .check_status.empty());
  CHECK(parse_statistics(small("10.0.0.1:80,0,web,a,2,UP 1/3,* INI,0,0,0,0,0,0,0,0,0,"))
            ->front()
            .check_status.empty());
}

TEST_CASE("haproxy: a load balancer without servers has statistics") {
  const auto parsed = parse_statistics(small("10.0.0.1:80,0,web,BACKEND,1,UP,,0,0,0,0,0,0,0,0,0,"));
  REQUIRE(parsed);
  CHECK(parsed->empty());
}

TEST_CASE("haproxy: what is no statistics is an error and never an empty list") {
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("Permission denied\n"), std::string("# \n"),
        std::string("# pxname,svname\n"), std::string("<html>\n"),
        std::string("# pxname,svname,type,status,check_status,weight,scur,stot,qcur,rate,hrsp_5xx,"
                    "hrsp_2xx,hrsp_3xx,hrsp_4xx,rtime,addr,\n"),
        std::string("# pxname,svname,type,status,check_status,weight,scur,stot,qcur,rate,hrsp_5xx,"
                    "hrsp_2xx,hrsp_3xx,hrsp_4xx,rtime,addr,\n"
                    "web,a,2,UP,L7OK,10,0,0,0,0,0,0,0,0,0,10.0.0.1:80,\n"),
        small("10.0.0.1:80,0,web,a,2,UP"),
        small("10.0.0.1:80,0,web,\"a,2,UP,INI,0,0,0,0,0,0,0,0,0,"),
        small("10.0.0.1:80,x,web,a,2,UP,INI,0,0,0,0,0,0,0,0,0,"),
        small("10.0.0.1:80,-1,web,a,2,UP,INI,0,0,0,0,0,0,0,0,0,"),
        small("10.0.0.1:80,99999999999999999999,web,a,2,UP,INI,0,0,0,0,0,0,0,0,0,")}) {
    CAPTURE(text);
    const auto parsed = parse_statistics(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().kind == ErrorKind::invalid);
  }
}

TEST_CASE("haproxy: statistics that are cut anywhere are an error or a shorter list") {
  const auto whole = recorded();
  const auto count = parse_statistics(whole)->size();
  std::size_t errors = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto parsed = parse_statistics(std::string_view(whole).substr(0, size));
    if (parsed) CHECK(parsed->size() <= count);
    errors += parsed ? 0U : 1U;
  }
  // Only a cut at the end of a line leaves something whole.
  CHECK(errors > whole.size() - 12);
}

TEST_CASE("haproxy: garbled statistics never end the program") {
  const auto whole = recorded();
  std::mt19937 random(20);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  for (int round = 0; round < 3000; ++round) {
    auto text = whole;
    for (std::size_t changes = below(8) + 1; changes > 0; --changes) {
      const auto at = below(text.size());
      switch (below(4)) {
        case 0:
          text[at] = static_cast<char>(below(256));
          break;
        case 1:
          text.erase(at, below(40));
          break;
        case 2:
          text.insert(at, text.substr(below(text.size()), below(40)));
          break;
        default:
          text.insert(at, 1, "\",\n\r\0"[below(5)]);
          break;
      }
    }
    const auto parsed = parse_statistics(text);
    if (!parsed) CHECK(parsed.error().kind == ErrorKind::invalid);
  }
}

}  // namespace
}  // namespace paas::haproxy
