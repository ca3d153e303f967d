// When a new release is worse than the old one, by HAProxy's figures.
#include "haproxy/canary.hpp"

#include <doctest/doctest.h>

namespace paas::haproxy {
namespace {

ServerStatistics server(const std::string& name, std::int64_t responses, std::int64_t errors,
                        std::int64_t time_ms) {
  ServerStatistics result;
  result.backend = "web";
  result.server = name;
  result.status = "UP";
  result.check_status = "L7OK";
  result.responses = responses;
  result.errors_5xx = errors;
  result.response_time_ms = time_ms;
  return result;
}

const std::string fresh_server = "app-web-1.r2";
const std::string old_server = "app-web-1.r1";

/// 10,000 answers, 100 of them errors, were there before.
const std::vector<ServerStatistics> at_first = {server(old_server, 10'000, 100, 10),
                                                server(fresh_server, 0, 0, 0)};

Result<std::string> judged(const ServerStatistics& canary, const ServerStatistics& other) {
  return Canary("web", {fresh_server}, at_first).judge({other, canary});
}

TEST_CASE("haproxy: a canary that serves as well as the others is told in figures") {
  const auto seen = judged(server(fresh_server, 400, 2, 12), server(old_server, 11'000, 105, 11));
  REQUIRE(seen);
  CHECK(*seen == "400 answers, 0.5% with 5xx (others 0.5%), 12 ms (others 11 ms)");
}

TEST_CASE("haproxy: a canary with more errors is worse, and what was before does not excuse it") {
  const auto seen = judged(server(fresh_server, 400, 8, 12), server(old_server, 11'000, 100, 11));
  REQUIRE_FALSE(seen);
  CHECK(seen.error().kind == ErrorKind::failed);
  CHECK(seen.error().message.find("2.0% with 5xx (others 0.0%)") != std::string::npos);
}

TEST_CASE("haproxy: a canary that takes longer is worse") {
  CHECK_FALSE(judged(server(fresh_server, 400, 0, 120), server(old_server, 11'000, 100, 40)));
  // Twice of little, and little more than much, are no reason.
  CHECK(judged(server(fresh_server, 400, 0, 20), server(old_server, 11'000, 100, 8)));
  CHECK(judged(server(fresh_server, 400, 0, 560), server(old_server, 11'000, 100, 500)));
}

TEST_CASE("haproxy: a few answers tell nothing") {
  CHECK(judged(server(fresh_server, 19, 19, 900), server(old_server, 11'000, 100, 10)));
  CHECK_FALSE(judged(server(fresh_server, 20, 20, 900), server(old_server, 11'000, 100, 10)));
  // Without others to compare with, errors still count, and time does not.
  CHECK(judged(server(fresh_server, 100, 0, 900), server(old_server, 10'000, 100, 10)));
  CHECK_FALSE(judged(server(fresh_server, 100, 50, 1), server(old_server, 10'000, 100, 10)));
}

TEST_CASE("haproxy: a canary that HAProxy gives up is worse without a single answer") {
  auto down = server(fresh_server, 0, 0, 0);
  down.status = "DOWN";
  down.check_status = "L4CON";
  const auto seen = judged(down, server(old_server, 11'000, 100, 10));
  REQUIRE_FALSE(seen);
  CHECK(seen.error().message.find("L4CON") != std::string::npos);
}

TEST_CASE("case 39: counters that were begun anew are counted from zero") {
  const auto seen = judged(server(fresh_server, 30, 0, 10), server(old_server, 50, 0, 10));
  REQUIRE(seen);
  CHECK(seen->find("30 answers") == 0);
  CHECK_FALSE(judged(server(fresh_server, 30, 15, 10), server(old_server, 50, 0, 10)));
}

TEST_CASE("haproxy: other backends are not compared") {
  auto elsewhere = server(old_server, 11'000, 9'000, 10);
  elsewhere.backend = "api";
  CHECK_FALSE(Canary("web", {fresh_server}, at_first)
                  .judge({elsewhere, server(fresh_server, 400, 20, 10)}));
}

}  // namespace
}  // namespace paas::haproxy
