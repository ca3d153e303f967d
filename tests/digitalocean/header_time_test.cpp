// Waits and dates in headers.
#include "digitalocean/header_time.hpp"

#include <doctest/doctest.h>

#include "digitalocean/support/fakes.hpp"

namespace paas::digitalocean {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::answer;
using testing::Fixture;

TEST_CASE("digitalocean: dates of HTTP headers are read, and nothing else") {
  const auto read = [](const std::string& text) -> std::int64_t {
    const auto time = parse_http_date(text);
    return time ? std::chrono::floor<seconds>(*time).time_since_epoch().count() : -1;
  };
  CHECK(read("Tue, 14 Nov 2023 22:13:20 GMT") == 1'700'000'000);
  CHECK(read("Thu, 29 Feb 2024 23:59:60 GMT") == 1'709'251'200);
  for (const auto* text :
       {"", "Tue, 14 Nov 2023 22:13:20", "Tue, 14 Nov 2023 22:13:20 GMTx", "Wed, 30 Feb 2024",
        "Fri, 30 Feb 2024 00:00:00 GMT", "Tue, 14 Foo 2023 22:13:20 GMT", "1700000000",
        "Tue, 14 Nov 9999 22:13:20 GMT", "Tue, 14 Nov 2023 24:00:00 GMT"}) {
    CAPTURE(text);
    CHECK(read(text) == -1);
  }
}

/// What `retry-after` asks for at 1,700,000,000, in milliseconds; -1 when it is not understood.
std::int64_t asked_ms(const std::string& text, const std::string& date = {}) {
  std::map<std::string, std::string> headers = {{"retry-after", text}};
  if (!date.empty()) headers["date"] = date;
  const auto now = std::chrono::system_clock::time_point(seconds(1'700'000'000));
  const auto length = retry_after(answer(429, "", headers), now);
  return length ? length->count() : -1;
}

TEST_CASE("digitalocean: retry-after is read as seconds, with a fraction and as a date") {
  CHECK(asked_ms("0") == 0);
  CHECK(asked_ms("7") == 7'000);
  CHECK(asked_ms("30.5") == 31'000);
  CHECK(asked_ms("30.000") == 30'000);
  CHECK(asked_ms("Tue, 14 Nov 2023 22:14:20 GMT") == 60'000);
  // Measured by the clock of the one who says it, where it tells that.
  CHECK(asked_ms("Tue, 14 Nov 2023 22:14:20 GMT", "Tue, 14 Nov 2023 22:14:10 GMT") == 10'000);
  CHECK(asked_ms("Tue, 14 Nov 2023 22:13:00 GMT") == 0);
}

TEST_CASE(
    "digitalocean: retry-after is an hour at most, and five minutes by this machine's clock") {
  CHECK(asked_ms("3600.5") == 3'600'000);
  CHECK(asked_ms("7200") == 3'600'000);
  CHECK(asked_ms("99999999999999999999999") == 3'600'000);
  CHECK(asked_ms("Wed, 15 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 2023 22:13:20 GMT") == 3'600'000);
  CHECK(asked_ms("Wed, 15 Nov 2023 22:13:20 GMT") == 300'000);
}

TEST_CASE("digitalocean: what is no retry-after is not understood") {
  for (const auto* text : {"", "-5", "soon", "1e3", ".", ".5", "5.", "5.x", "5 seconds", "5, 5"}) {
    CAPTURE(text);
    CHECK(asked_ms(text) == -1);
  }
}

constexpr const char* account_json = R"({"account": {"droplet_limit": 25, "status": "active"}})";

TEST_CASE("digitalocean: a 429 is waited out until a date and through a fraction") {
  Fixture f;
  f.http.expect("GET", "/v2/account",
                answer(429, "{}", {{"retry-after", "Tue, 14 Nov 2023 22:14:20 GMT"}}));
  f.http.expect("GET", "/v2/account", answer(429, "{}", {{"retry-after", "30.5"}}));
  f.http.expect("GET", "/v2/account", answer(200, account_json));
  CHECK(f.client.account());
  CHECK(f.clock.waits == std::vector<milliseconds>{milliseconds(60'500), milliseconds(31'500)});
}

TEST_CASE("digitalocean: a 429 whose retry-after is not understood is waited out ever longer") {
  Fixture f;
  for (int i = 0; i < 3; ++i) {
    f.http.expect("GET", "/v2/account", answer(429, "{}", {{"retry-after", "in a while"}}));
  }
  f.http.expect("GET", "/v2/account", answer(200, account_json));
  CHECK(f.client.account());
  CHECK(f.clock.waits == std::vector<milliseconds>{seconds(1), seconds(2), seconds(4)});
}

TEST_CASE("digitalocean: a 503 with retry-after is not asked sooner, and a POST not again") {
  Fixture f;
  f.http.expect("GET", "/v2/account", answer(503, "", {{"retry-after", "30"}}));
  f.http.expect("GET", "/v2/account", answer(503, "", {{"retry-after", "30"}}));
  f.http.expect("GET", "/v2/account", answer(200, account_json));
  CHECK(f.client.account());
  CHECK(f.clock.waits == std::vector<milliseconds>{milliseconds(30'500), milliseconds(31'000)});
  f.http.expect("POST", "/v2/vpcs", answer(503, "", {{"retry-after", "30"}}));
  CHECK_FALSE(f.client.create_vpc("zipkick", "nyc3"));
  CHECK(f.clock.waits.size() == 2);
}

}  // namespace
}  // namespace paas::digitalocean
