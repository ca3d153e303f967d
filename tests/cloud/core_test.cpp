// Tests of what all requests have in common: token, paths, bodies, paging and limits.
#include <doctest/doctest.h>

#include "cloud/support/core_fixture.hpp"

using paas::cloud::testing::Core;
using paas::cloud::testing::Json;

TEST_CASE("cloud: a wrong token is refused with 401 and the rate limit headers") {
  Core core;
  core.token = "dop_v1_wrong";
  const auto answer = core.get("/v2/account");
  CHECK(answer.status == 401);
  CHECK(answer.body["id"] == "unauthorized");
  CHECK(answer.body["message"] == "Unable to authenticate you.");
  CHECK(answer.headers.contains("ratelimit-limit"));
  CHECK(answer.headers.contains("ratelimit-remaining"));
  CHECK(answer.headers.contains("ratelimit-reset"));
  CHECK(answer.headers.at("x-request-id") == "request-1");
  core.token = "";
  CHECK(core.get("/v2/account").status == 401);
  core.token = core.state.settings.token + "x";
  CHECK(core.get("/v2/account").status == 401);
}

TEST_CASE("cloud: a cloud without a token lets nobody in") {
  Core core;
  core.state.settings.token = "";
  core.token = "";
  CHECK(core.get("/v2/account").status == 401);
}

TEST_CASE("cloud: an unknown path is 404 and a wrong method 405") {
  Core core;
  CHECK(core.get("/v2/nothing").status == 404);
  CHECK(core.get("/v2/nothing").body["id"] == "not_found");
  CHECK(core.get("/v2/droplets/").status == 404);
  CHECK(core.send("PATCH", "/v2/droplets").status == 405);
  CHECK(core.send("DELETE", "/v2/account").status == 405);
}

TEST_CASE("cloud: a body that is no JSON object is 400 and one that is too large 413") {
  Core core;
  paas::cloud::Request request{"POST", "/v2/droplets", {}, "Bearer " + core.token, "{", "", "id"};
  CHECK(handle(core.state, request, core.surroundings).answer.status == 400);
  request.body = "[1]";
  CHECK(handle(core.state, request, core.surroundings).answer.status == 400);
  request.body = std::string(1024 * 1024 + 1, ' ');
  CHECK(handle(core.state, request, core.surroundings).answer.status == 413);
}

TEST_CASE("cloud: lists are paged by 20 and by what per_page says") {
  Core core;
  for (int batch = 0; batch < 5; ++batch) {
    core.boot({"a", "b", "c", "d", "e", "f", "g", "h", "i"});
  }
  const auto first = core.get("/v2/droplets");
  CHECK(first.body["droplets"].size() == 20);
  CHECK(first.body["meta"]["total"] == 45);
  CHECK(first.body["links"]["pages"]["next"] == "http://cloud.test/v2/droplets?page=2");
  CHECK(first.body["links"]["pages"]["last"] == "http://cloud.test/v2/droplets?page=3");
  CHECK_FALSE(first.body["links"]["pages"].contains("prev"));
  const auto last = core.get("/v2/droplets?page=3&per_page=20");
  CHECK(last.body["droplets"].size() == 5);
  CHECK(last.body["links"]["pages"]["prev"] == "http://cloud.test/v2/droplets?page=2&per_page=20");
  CHECK_FALSE(last.body["links"]["pages"].contains("next"));
  const auto all = core.get("/v2/droplets?per_page=200");
  CHECK(all.body["droplets"].size() == 45);
  CHECK(all.body["links"] == Json::object());
  CHECK(core.get("/v2/droplets?page=9").body["droplets"].empty());
  CHECK(core.get("/v2/droplets?per_page=201").status == 422);
  CHECK(core.get("/v2/droplets?page=0").status == 422);
  CHECK(core.get("/v2/droplets?page=x").status == 422);
}

TEST_CASE("cloud: links keep the other parameters of the request") {
  Core core;
  for (int batch = 0; batch < 3; ++batch) {
    core.boot({"a", "b", "c", "d", "e", "f", "g", "h", "i"}, {{"tags", {"env:prod"}}});
  }
  const auto page = core.get("/v2/droplets?tag_name=env:prod");
  CHECK(page.body["links"]["pages"]["next"] ==
        "http://cloud.test/v2/droplets?page=2&tag_name=env:prod");
}

TEST_CASE("cloud: limits are enforced only when they are asked for") {
  Core core;
  const auto remaining = [&] {
    return std::stoll(core.get("/v2/account").headers.at("ratelimit-remaining"));
  };
  // Every request is counted, and a client that obeys what remains never has to wait.
  const auto before = remaining();
  for (int request = 0; request < 10'000; ++request) {
    REQUIRE(core.get("/v2/account").status == 200);
  }
  CHECK(remaining() == before - 10'001);
  CHECK(remaining() > 1'000'000);

  core.state.rate = {};
  core.state.settings.enforce_rate_limits = true;
  for (int request = 0; request < 250; ++request) REQUIRE(core.get("/v2/account").status == 200);
  const auto burst = core.get("/v2/account");
  CHECK(burst.status == 429);
  CHECK(burst.body["id"] == "too_many_requests");
  CHECK(burst.headers.at("retry-after") == "60");
  CHECK(burst.headers.at("ratelimit-remaining") == "4750");
  core.surroundings.now += std::chrono::seconds(60);
  CHECK(core.get("/v2/account").status == 200);
}

TEST_CASE("cloud: the hourly limit has no retry-after and ends with the oldest request") {
  Core core;
  core.state.settings.enforce_rate_limits = true;
  const auto start = core.surroundings.now;
  // What 20 minutes at the burst limit leave behind, without sending it all.
  for (int minute = 0; minute < 20; ++minute) {
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(core.surroundings.now.time_since_epoch());
    core.state.rate.requests[now.count()] = 250;
    core.surroundings.now += std::chrono::seconds(60);
  }
  const auto answer = core.get("/v2/account");
  CHECK(answer.status == 429);
  CHECK_FALSE(answer.headers.contains("retry-after"));
  CHECK(answer.headers.at("ratelimit-remaining") == "0");
  core.surroundings.now = start + std::chrono::seconds(3600);
  CHECK(core.get("/v2/account").status == 200);
}

TEST_CASE("cloud: the list of keys has a limit of its own") {
  Core core;
  core.state.settings.enforce_rate_limits = true;
  for (int request = 0; request < 10; ++request) {
    REQUIRE(core.get("/v2/account/keys").status == 200);
  }
  CHECK(core.get("/v2/account/keys").status == 429);
  CHECK(core.get("/v2/account").status == 200);
}
