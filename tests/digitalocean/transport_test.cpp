// Retries, the rate limit, errors, and where the token may go.
#include "digitalocean/transport.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <mutex>
#include <thread>

#include "digitalocean/endpoint.hpp"
#include "digitalocean/errors.hpp"
#include "digitalocean/support/fakes.hpp"

namespace paas::digitalocean {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::answer;
using testing::Fixture;

constexpr const char* account = R"({"account": {"droplet_limit": 25, "status": "active"}})";

Error broken() { return make_error(ErrorKind::unreachable, "connection reset by 127.0.0.1"); }

TEST_CASE("digitalocean: a GET is tried again after 503, a reset and half an answer") {
  Fixture f;
  f.http.expect("GET", "/v2/account", answer(503, "<html>Service Unavailable</html>"));
  f.http.expect("GET", "/v2/account", fail(broken()));
  f.http.expect("GET", "/v2/account", answer(200, R"({"account": {"droplet_li)"));
  f.http.expect("GET", "/v2/account", answer(200, account));
  CHECK(f.client.account());
  CHECK(f.clock.waits == std::vector<milliseconds>{milliseconds(500), seconds(1), seconds(2)});
  REQUIRE(f.retried.size() == 3);
  CHECK(f.retried[0].find("503") != std::string::npos);
  CHECK(f.told.empty());
}

TEST_CASE("digitalocean: after five tries a GET gives up") {
  Fixture f;
  for (int i = 0; i < 5; ++i) f.http.expect("GET", "/v2/account", answer(500));
  const auto result = f.client.account();
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::unreachable);
}

TEST_CASE("case 13: HTML with 200 is unknown, never an empty list") {
  Fixture f;
  for (int i = 0; i < 5; ++i) {
    f.http.expect("GET", "/v2/droplets?tag_name=x&page=1&per_page=200",
                  answer(200, "<html>Sign in to the network</html>"));
  }
  const auto droplets = f.client.droplets_by_tag("x");
  REQUIRE_FALSE(droplets);
  CHECK(droplets.error().kind == ErrorKind::unreachable);
  CHECK(describe(droplets.error()).rfind("listing droplets tagged x: ", 0) == 0);
}

TEST_CASE("case 13: half an answer to a POST leaves unknown what it did, and it is sent once") {
  Fixture f;
  f.http.expect("POST", "/v2/droplets", answer(202, R"({"droplet": {"id": 1, "na)"));
  f.http.expect("POST", "/v2/droplets", answer(202, R"({"droplet": {"id": 1}})"));
  DropletRequest request;
  request.name = "zipkick-web-1";
  const auto cut = f.client.create_droplet(request);
  REQUIRE_FALSE(cut);
  CHECK(cut.error().kind == ErrorKind::unreachable);
  CHECK(cut.error().message.find("unknown") != std::string::npos);
  const auto poor = f.client.create_droplet(request);
  REQUIRE_FALSE(poor);
  CHECK(poor.error().kind == ErrorKind::unreachable);
}

TEST_CASE("digitalocean: a POST is not sent again after a reset, a timeout or a 5xx") {
  Fixture f;
  f.http.expect("POST", "/v2/vpcs", fail(broken()));
  f.http.expect("POST", "/v2/vpcs", fail(ErrorKind::timed_out, "no answer after 60.0s"));
  f.http.expect("POST", "/v2/vpcs", answer(502, "<html>"));
  for (int i = 0; i < 3; ++i) {
    const auto vpc = f.client.create_vpc("zipkick", "nyc3");
    REQUIRE_FALSE(vpc);
    CHECK(vpc.error().kind == ErrorKind::unreachable);
    CHECK(vpc.error().message.find("whether the request took effect is unknown") !=
          std::string::npos);
  }
  CHECK(f.clock.waits.empty());
}

TEST_CASE("digitalocean: PUT and DELETE are tried again") {
  Fixture f;
  f.http.expect("PUT", "/v2/firewalls/1", answer(500));
  f.http.expect("PUT", "/v2/firewalls/1", answer(200, R"({"firewall": {"id": "1", "name": "f"}})"));
  f.http.expect("DELETE", "/v2/droplets/7", fail(broken()));
  f.http.expect("DELETE", "/v2/droplets/7", answer(404, R"({"id": "not_found"})"));
  FirewallSpec spec;
  spec.name = "f";
  CHECK(f.client.update_firewall("1", spec));
  CHECK(f.client.delete_droplet(7));
}

TEST_CASE("digitalocean: a 404 that is not the API's deletes nothing") {
  Fixture f;
  const auto* page = "<html>This site cannot be reached from here</html>";
  for (int i = 0; i < 5; ++i) f.http.expect("DELETE", "/v2/volumes/v-1", answer(404, page));
  const auto deleted = f.client.delete_volume("v-1");
  REQUIRE_FALSE(deleted);
  CHECK(deleted.error().kind == ErrorKind::unreachable);
  CHECK(deleted.error().message == "the API answered 404 in a form that is not the API's");
  CHECK(deleted.error().hint.find("proxy") != std::string::npos);
  // Neither do other forms, and the next answer may be the API's.
  for (const auto* body : {"", R"({"error": "no route"})", R"("not_found")"}) {
    f.http.expect("DELETE", "/v2/droplets/7", answer(404, body));
  }
  f.http.expect("DELETE", "/v2/droplets/7", answer(404, R"({"id": "not_found"})"));
  CHECK(f.client.delete_droplet(7));
  f.http.expect("DELETE", "/v2/droplets/8", answer(404, R"({"message": "not found"})"));
  CHECK(f.client.delete_droplet(8));
}

TEST_CASE("digitalocean: a 409 that is not the API's is no tag that exists") {
  Fixture f;
  f.http.expect("POST", "/v2/tags", answer(409, "<html>"));
  const auto made = f.client.create_tag("paas:z");
  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::unreachable);
}

TEST_CASE("digitalocean: 408 is no refusal: a GET is tried again, of a POST nothing is known") {
  Fixture f;
  f.http.expect("GET", "/v2/account", answer(408));
  f.http.expect("GET", "/v2/account", answer(200, account));
  CHECK(f.client.account());
  f.http.expect("POST", "/v2/vpcs", answer(408));
  const auto vpc = f.client.create_vpc("zipkick", "nyc3");
  REQUIRE_FALSE(vpc);
  CHECK_FALSE(is_refusal(vpc.error()));
  CHECK(vpc.error().message.find("whether the request took effect is unknown") !=
        std::string::npos);
}

TEST_CASE("digitalocean: only what the API says itself is a refusal") {
  const auto refuses = [](int status, const std::string& body) {
    return is_refusal(error_of(answer(status, body), Secret()));
  };
  const std::string form = R"({"id": "x", "message": "no"})";
  for (const int status : {400, 401, 403, 404, 409, 412, 422, 429}) {
    CAPTURE(status);
    CHECK(refuses(status, form));
    CHECK_FALSE(refuses(status, "<html>no</html>"));
    CHECK_FALSE(refuses(status, ""));
  }
  for (const int status : {302, 402, 405, 408, 410, 418, 425, 451, 499, 500, 503}) {
    CAPTURE(status);
    CHECK_FALSE(refuses(status, form));
  }
  CHECK_FALSE(is_refusal(make_error(ErrorKind::unreachable, "reset")));
  CHECK_FALSE(is_refusal(make_error(ErrorKind::interrupted, "stopped")));
}

TEST_CASE("digitalocean: what was never sent had no effect") {
  ClientSettings settings;
  settings.url = "https://api.digitalocean.com";
  Fixture f;
  Client client(f.http, f.clock, settings);
  const auto made = client.create_vpc("zipkick", "nyc3");
  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::unauthorised);
  CHECK(is_refusal(made.error()));
}

TEST_CASE("digitalocean: a PATCH is not sent again, and a 429 of it is waited out") {
  Fixture f;
  f.http.expect("PATCH", "/v2/domains/example.com/records/1",
                answer(429, R"({"id": "too_many_requests", "message": "slow down"})"));
  f.http.expect("PATCH", "/v2/domains/example.com/records/1", answer(503));
  const auto changed = f.client.update_domain_record("example.com", 1, {});
  REQUIRE_FALSE(changed);
  CHECK(changed.error().kind == ErrorKind::unreachable);
  CHECK(changed.error().message.find("whether the request took effect is unknown") !=
        std::string::npos);
}

TEST_CASE("digitalocean: a 429 is waited out as retry-after says, also for a POST") {
  Fixture f;
  f.http.expect("POST", "/v2/vpcs",
                answer(429, R"({"id": "too_many_requests", "message": "API Rate limit exceeded."})",
                       {{"retry-after", "7"}}));
  f.http.expect("POST", "/v2/vpcs", answer(201, R"({"vpc": {"id": "v", "name": "zipkick"}})"));
  CHECK(f.client.create_vpc("zipkick", "nyc3"));
  REQUIRE(f.clock.waits.size() == 1);
  CHECK(f.clock.waits[0] == seconds(7) + milliseconds(500));
  REQUIRE(f.told.size() == 1);
  CHECK(f.told[0] == "the API's rate limit is used up; waiting 7.5s");
  CHECK(f.retried.empty());
}

TEST_CASE("digitalocean: a POST is sent again after the API's own 429, not after a proxy's page") {
  Fixture f;
  const auto* page = "<html>Too Many Requests</html>";
  f.http.expect("POST", "/v2/vpcs", answer(429, page));
  const auto refused = f.client.create_vpc("zipkick", "nyc3");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::unreachable);
  CHECK_FALSE(is_refusal(refused.error()));
  CHECK(refused.error().message ==
        "the API answered 429 in a form that is not the API's; whether the request took effect is "
        "unknown");
  // With a header of the API's limit it is the API's, whatever its body looks like.
  f.http.expect("POST", "/v2/vpcs", answer(429, page, {{"ratelimit-remaining", "0"}}));
  f.http.expect("POST", "/v2/vpcs", answer(201, R"({"vpc": {"id": "v", "name": "zipkick"}})"));
  CHECK(f.client.create_vpc("zipkick", "nyc3"));
  // Reading again does no harm.
  f.http.expect("GET", "/v2/account", answer(429, page));
  f.http.expect("GET", "/v2/account", answer(200, account));
  CHECK(f.client.account());
}

TEST_CASE("digitalocean: each wait for the rate limit is told, also soon after another") {
  Fixture f;
  f.http.expect("GET", "/v2/account", answer(429, "{}", {{"retry-after", "3"}}));
  f.http.expect("GET", "/v2/account", answer(429, "{}", {{"retry-after", "2000"}}));
  f.http.expect("GET", "/v2/account", answer(200, account));
  CHECK(f.client.account());
  REQUIRE(f.told.size() == 2);
  CHECK(f.told[0] == "the API's rate limit is used up; waiting 3.5s");
  CHECK(f.told[1].find("waiting 33m") != std::string::npos);
}

/// Refuses the first requests, all of them together, and waits for that many to be under way.
class RefusingHttp : public Http {
 public:
  explicit RefusingHttp(int refused) : refused_(refused), together_(refused) {}
  Result<HttpResponse> send(const HttpRequest&) override {
    if (requests_++ >= refused_) return answer(200, account);
    together_.arrive_and_wait();
    return answer(429, "{}", {{"retry-after", "20"}});
  }

 private:
  const int refused_;
  std::atomic<int> requests_{0};
  std::latch together_;
};

/// Stands still until so many wait, and then is at the end of the longest wait.
class TogetherClock : public Clock {
 public:
  explicit TogetherClock(int waiting) : waiting_(waiting), together_(waiting) {}
  std::chrono::system_clock::time_point now() override {
    return std::chrono::system_clock::time_point(monotonic());
  }
  milliseconds monotonic() override {
    const std::lock_guard lock(mutex_);
    return time_;
  }
  Status wait(milliseconds duration) override {
    const auto end = monotonic() + duration;
    if (waits_++ < waiting_) together_.arrive_and_wait();
    const std::lock_guard lock(mutex_);
    time_ = std::max(time_, end);
    return {};
  }

 private:
  const int waiting_;
  std::atomic<int> waits_{0};
  std::latch together_;
  std::mutex mutex_;
  milliseconds time_{0};
};

TEST_CASE("digitalocean: a wait of several threads is told once") {
  constexpr int threads_wanted = 8;
  RefusingHttp http(threads_wanted);
  TogetherClock clock(threads_wanted);
  std::vector<std::string> told;
  std::atomic<int> succeeded{0};
  Client client(http, clock,
                {"http://127.0.0.1:4000",
                 Secret("dop_v1_test"),
                 [&](const std::string& text) { told.push_back(text); },
                 {},
                 {}});
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < threads_wanted; ++i) {
      threads.emplace_back([&] { succeeded += client.account() ? 1 : 0; });
    }
  }
  CHECK(succeeded == threads_wanted);
  CHECK(told.size() == 1);
}

TEST_CASE("digitalocean: a 429 without retry-after is waited out until the reset, within bounds") {
  Fixture f;
  f.http.expect("GET", "/v2/account", answer(429, "{}", {{"ratelimit-reset", "1700000042"}}));
  f.http.expect("GET", "/v2/account", answer(429, "{}", {{"ratelimit-reset", "1800000000"}}));
  f.http.expect("GET", "/v2/account", answer(429));
  f.http.expect("GET", "/v2/account", answer(200, account));
  CHECK(f.client.account());
  REQUIRE(f.clock.waits.size() == 3);
  CHECK(f.clock.waits[0] == seconds(42) + milliseconds(500));
  CHECK(f.clock.waits[1] == seconds(300) + milliseconds(500));
  CHECK(f.clock.waits[2] <= seconds(20));
}

TEST_CASE("digitalocean: a 429 that does not end is a limit") {
  Fixture f;
  for (int i = 0; i < 10; ++i) f.http.expect("GET", "/v2/account", answer(429));
  CHECK(f.client.account().error().kind == ErrorKind::limited);
}

TEST_CASE("digitalocean: when no request remains the next one waits for the reset") {
  Fixture f;
  f.http.expect(
      "GET", "/v2/account",
      answer(200, account, {{"ratelimit-remaining", "0"}, {"ratelimit-reset", "1700000030"}}));
  f.http.expect("GET", "/v2/account", answer(200, account));
  CHECK(f.client.account());
  CHECK(f.clock.waits.empty());
  CHECK(f.client.account());
  CHECK(f.clock.waits == std::vector<milliseconds>{seconds(30)});
}

TEST_CASE("digitalocean: an interruption ends the wait between two tries") {
  Fixture f;
  f.clock.is_interrupted = true;
  f.http.expect("GET", "/v2/account", answer(500));
  CHECK(f.client.account().error().kind == ErrorKind::interrupted);
}

TEST_CASE("digitalocean: 401 says where tokens come from and names the request") {
  Fixture f;
  f.http.expect("GET", "/v2/account",
                answer(401, R"({"id": "Unauthorized", "message": "Unable to authenticate you"})",
                       {{"x-request-id", "req-17"}}));
  const auto result = f.client.account();
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::unauthorised);
  CHECK(describe(result.error()) ==
        "reading the account: the API answered 401: Unable to authenticate you (request req-17)");
  CHECK(result.error().hint.find("DIGITALOCEAN_ACCESS_TOKEN") != std::string::npos);
}

TEST_CASE("digitalocean: the API's refusals have kinds") {
  struct Row {
    int status;
    const char* message;
    ErrorKind kind;
  };
  const std::vector<Row> rows = {
      {403, "You are not authorized to perform this operation", ErrorKind::unauthorised},
      {404, "The resource you were accessing could not be found.", ErrorKind::not_found},
      {409, "name is taken", ErrorKind::exists},
      {400, "bad", ErrorKind::failed},
      {422, "You specified an invalid size for Droplet creation.", ErrorKind::failed},
      {422, "creating this/these droplet(s) will exceed your droplet limit", ErrorKind::limited},
      {422, "SSH Key is already in use on your account", ErrorKind::exists},
      {422, "Size is not available in this region.", ErrorKind::failed},
      {302, "", ErrorKind::unreachable},
      {408, "", ErrorKind::unreachable},
      {418, "", ErrorKind::failed},
  };
  for (const auto& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.message);
    const auto body = nlohmann::json{{"id", "x"}, {"message", row.message}, {"request_id", "r1"}};
    const auto error = error_of(answer(row.status, body.dump()), Secret());
    CHECK(error.kind == row.kind);
    CHECK(error.message.find("(request r1)") != std::string::npos);
    CHECK_FALSE(is_pending_event(error));
  }
}

TEST_CASE("digitalocean: what is sold out is told apart from what was asked for wrongly") {
  const auto hint = [](const char* message) {
    return error_of(answer(422, nlohmann::json{{"message", message}}.dump()), Secret()).hint;
  };
  CHECK(hint("Size is not available in this region.") ==
        "choose another size or region in the stack file, or try again later");
  CHECK(hint("The specified region is currently unavailable.") ==
        "choose another size or region in the stack file, or try again later");
  CHECK(hint("You specified an invalid size for Droplet creation.").empty());
}

TEST_CASE("digitalocean: a redirect is not followed and not repeated") {
  Fixture f;
  f.http.expect("GET", "/v2/account", answer(302, "", {{"location", "http://evil.example/"}}));
  CHECK(f.client.account().error().kind == ErrorKind::unreachable);
}

TEST_CASE("digitalocean: a busy droplet and a VPC in use can be told from other errors") {
  Fixture f;
  f.http.expect("POST", "/v2/droplets/7/actions", answer(422, R"({"id": "unprocessable_entity",
                                "message": "Droplet already has a pending event."})"));
  f.http.expect(
      "DELETE", "/v2/vpcs/v",
      answer(403, R"({"id": "forbidden", "message": "Can not delete VPC with members"})"));
  f.http.expect("DELETE", "/v2/vpcs/v",
                answer(403, R"({"id": "forbidden", "message": "You are not authorized"})"));
  const auto busy = f.client.droplet_action(7, "power_off");
  REQUIRE_FALSE(busy);
  CHECK(is_pending_event(busy.error()));
  const auto in_use = f.client.delete_vpc("v");
  REQUIRE_FALSE(in_use);
  CHECK(is_vpc_in_use(in_use.error()));
  const auto forbidden = f.client.delete_vpc("v");
  REQUIRE_FALSE(forbidden);
  CHECK(forbidden.error().kind == ErrorKind::unauthorised);
}

TEST_CASE("digitalocean: the token is in no error, even when the answer quotes it") {
  Fixture f;
  f.http.expect("GET", "/v2/account",
                answer(400, R"({"message": "bad header Bearer dop_v1_canary\r\n\u001b[31m"})"));
  const auto result = f.client.account();
  REQUIRE_FALSE(result);
  CHECK(describe(result.error()).find("canary") == std::string::npos);
  CHECK(result.error().message.find('\x1b') == std::string::npos);
}

TEST_CASE("digitalocean: no part of the token is left where a long message is cut") {
  Fixture f;
  for (const std::size_t before : {485, 490, 499}) {
    const auto said = std::string(before, 'x') + "dop_v1_canary";
    const nlohmann::json body = {{"message", said}, {"request_id", said}};
    f.http.expect("GET", "/v2/account", answer(400, body.dump()));
    const auto result = f.client.account();
    REQUIRE_FALSE(result);
    CHECK(describe(result.error()).find("dop") == std::string::npos);
    CHECK(describe(result.error()).find("xd") == std::string::npos);
  }
}

TEST_CASE("digitalocean: a token goes over https or stays on this machine's networks") {
  for (const auto* url :
       {"https://api.digitalocean.com", "https://api.digitalocean.com/", "http://127.0.0.1:4000",
        "http://localhost", "http://[::1]:80", "http://198.18.0.1:4000", "http://198.19.255.1",
        "http://10.0.0.1", "http://172.31.0.1", "http://192.168.1.1", "HTTPS://x.example"}) {
    CAPTURE(url);
    CHECK(check_endpoint(url));
  }
  for (const auto* url :
       {"", "api.digitalocean.com", "http://api.digitalocean.com", "http://198.20.0.1",
        "http://172.32.0.1", "http://127.0.0.1@evil.example", "https://user@api.digitalocean.com",
        "http://10.0.0.1.evil.example", "ftp://127.0.0.1", "https://", "http://127.0.0.1 evil",
        "https://x?y=", "http://0127.0.0.1", "http://evil.example\\@127.0.0.1"}) {
    CAPTURE(url);
    const auto result = check_endpoint(url);
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::invalid);
  }
}

TEST_CASE("digitalocean: without a fit url and token nothing is sent") {
  Fixture f;
  const auto kind_with = [&](const std::string& url, const std::string& token) {
    Client client(f.http, f.clock, {url, Secret(token), {}, {}, {}});
    const auto result = client.account();
    REQUIRE_FALSE(result);
    CHECK(result.error().message.find("tok") != std::string::npos);
    return result.error().kind;
  };
  CHECK(kind_with("http://api.digitalocean.com", "x") == ErrorKind::invalid);
  CHECK(kind_with("https://api.digitalocean.com", "") == ErrorKind::unauthorised);
  CHECK(kind_with("https://api.digitalocean.com", "a\r\nHost: b") == ErrorKind::unauthorised);
  CHECK(f.http.requests.empty());
}

TEST_CASE("digitalocean: parts of paths and queries are escaped") {
  CHECK(escaped("paas:zip-kick_1.x~") == "paas:zip-kick_1.x~");
  CHECK(escaped("a/b?c=d&e ü") == "a%2Fb%3Fc%3Dd%26e%20%C3%BC");
}

}  // namespace
}  // namespace paas::digitalocean
