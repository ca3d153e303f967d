// Tests of what users may ask for, and of what they are told otherwise.
#include <doctest/doctest.h>

#include "cloud/fault.hpp"
#include "cloud/support/core_fixture.hpp"

using namespace paas::cloud;

namespace {

/// The message and the hint, or "" when the fault can be made.
std::string complaint(const fault::Wanted& wanted) {
  const auto made = fault::make(wanted);
  if (made) return "";
  CHECK(made.error().kind == paas::ErrorKind::usage);
  return made.error().message + (made.error().hint.empty() ? "" : " | " + made.error().hint);
}

std::string path_complaint(const std::string& path) {
  return complaint({.fault = "cut", .path = path});
}

}  // namespace

TEST_CASE("fault: a star is one part of a path, two are any number") {
  CHECK(fault::matches_path("/v2/droplets", "/v2/droplets"));
  CHECK_FALSE(fault::matches_path("/v2/droplets", "/v2/droplets/7"));
  CHECK(fault::matches_path("/v2/droplets/*", "/v2/droplets/7"));
  CHECK_FALSE(fault::matches_path("/v2/droplets/*", "/v2/droplets/7/actions"));
  CHECK_FALSE(fault::matches_path("/v2/droplets/*", "/v2/droplets"));
  CHECK(fault::matches_path("/v2/droplets/*/actions", "/v2/droplets/7/actions"));
  CHECK(fault::matches_path("/v2/d*s", "/v2/domains"));
  CHECK(fault::matches_path("/v2/**", "/v2/droplets/7/actions"));
  CHECK(fault::matches_path("/**/actions", "/v2/droplets/7/actions"));
  CHECK_FALSE(fault::matches_path("/**/actions", "/v2/droplets/7/actions/8"));
  CHECK(fault::matches_path("/v2/drop**7", "/v2/droplets/7"));
  CHECK_FALSE(fault::matches_path("", "/v2"));
  // Patterns with many stars take no longer than others.
  std::string stars = "/v2/";
  for (int count = 0; count < 100; ++count) stars += "a*";
  CHECK_FALSE(fault::matches_path(stars + "b", "/v2/" + std::string(5000, 'a')));
}

TEST_CASE("fault: a pattern that no operation has is refused with the nearest one") {
  CHECK(path_complaint("/v2/droplets/*") == "");
  CHECK(path_complaint("/v2/droplets/1001/actions") == "");
  CHECK(path_complaint("/v2/*") == "");
  CHECK(path_complaint("/v2/**/actions") == "");
  CHECK(path_complaint("/**") == "");
  CHECK(path_complaint("/v2/droplet") ==
        "--path: no operation has a path such as /v2/droplet | did you mean /v2/droplets?");
  CHECK(path_complaint("/v2/droplets/*/action") ==
        "--path: no operation has a path such as /v2/droplets/*/action | "
        "did you mean /v2/droplets/*/actions?");
  CHECK(path_complaint("droplets") ==
        "--path: droplets is no path of the API | they begin with /v2/");
  CHECK(path_complaint("/paasctl/faults") ==
        "--path: /paasctl/faults is no path of the API | they begin with /v2/");
  CHECK(path_complaint("/v2/droplets?tag_name=web") ==
        "--path: /v2/droplets?tag_name=web has a query, which is no part of a path | "
        "give /v2/droplets");
  CHECK(path_complaint("/v2/" + std::string(300, 'x')) ==
        "--path: it has more than 256 characters");
}

TEST_CASE("fault: unknown names are refused with the nearest one") {
  CHECK(complaint({.fault = "stuk"}) == "there is no fault \"stuk\" | did you mean stuck?");
  CHECK(complaint({.fault = "volcano"}).find("it is one of status, delay, cut") !=
        std::string::npos);
  CHECK(complaint({.fault = "cut", .method = "POTS"}) ==
        "there is no method \"POTS\" | did you mean POST?");
  CHECK(complaint({.fault = "sold-out", .size = "s-1vcpu-1gbb"}) ==
        "there is no size \"s-1vcpu-1gbb\" | did you mean s-1vcpu-1gb?");
  CHECK(complaint({.fault = "sold-out", .region = "nyc33"}) ==
        "there is no region \"nyc33\" | did you mean nyc3?");
  CHECK(complaint({.fault = "action-error", .action = "snapshoot"}) ==
        "there is no action \"snapshoot\" | did you mean snapshot?");
}

TEST_CASE("fault: what a fault takes is checked before anything goes wrong") {
  CHECK(complaint({.fault = "status"}) == "the fault status needs --status");
  CHECK(complaint({.fault = "status", .status = 99}) == "--status must be from 200 to 599, not 99");
  CHECK(complaint({.fault = "status", .status = 204, .body = "x"}) ==
        "an answer with status 204 has no body");
  CHECK(complaint({.fault = "status", .status = 429, .retry_after = -1}) ==
        "--retry-after must be from 0 to 86400, not -1");
  CHECK(complaint({.fault = "delay"}) == "the fault delay needs --time");
  for (const auto* time : {"", "2", "s", "ms", "-1s", "0s", "601s", "2 s", "nans", "1e3s"}) {
    INFO(time);
    CHECK(complaint({.fault = "delay", .time = time}).find("is no time such as") !=
          std::string::npos);
  }
  CHECK(fault::make({.fault = "delay", .time = "1.5s"})->delay_milliseconds == 1500);
  CHECK(fault::make({.fault = "delay", .time = "20ms"})->delay_milliseconds == 20);
  for (const auto* share : {"", "%", "0", "0%", "101%", "1.1", "-5%", "half", "nan"}) {
    INFO(share);
    CHECK(complaint({.fault = "cut", .share = share}).find("is no share such as") !=
          std::string::npos);
  }
  CHECK(fault::make({.fault = "cut", .share = "12.5%"})->share == doctest::Approx(0.125));
  CHECK(fault::make({.fault = "cut", .share = "1"})->share == 1);
  CHECK(complaint({.fault = "cut", .nth = 0}) == "--nth must be from 1 to 1000000000, not 0");
  CHECK(complaint({.fault = "cut", .seed = 7}) ==
        "--seed decides on a --share, which is not given");
  CHECK(complaint({.fault = "sold-out"}) == "the fault sold-out needs --size, --region or both");
  CHECK(complaint({.fault = "droplet-limit"}) == "the fault droplet-limit needs --limit");
  CHECK(complaint({.fault = "freeze"}) == "the fault freeze needs --droplet");
}

TEST_CASE("fault: options of other faults are refused") {
  CHECK(complaint({.fault = "cut", .status = 500}) == "the fault cut takes no --status");
  CHECK(complaint({.fault = "stuck", .path = "/v2/droplets"}) == "the fault stuck takes no --path");
  CHECK(complaint({.fault = "freeze", .nth = 1, .after = true, .droplet = "web-1"}) ==
        "the fault freeze takes no --nth or --after");
  CHECK(complaint({.fault = "half", .after = true}) == "the fault half takes no --after");
}

TEST_CASE("fault: the nth request is one, unless a share or a number is given as well") {
  CHECK(fault::make({.fault = "cut", .nth = 3})->times == 1);
  CHECK(fault::make({.fault = "cut", .nth = 3, .times = 4})->times == 4);
  CHECK(fault::make({.fault = "cut", .nth = 3, .share = "50%"})->times == 0);
  CHECK(fault::make({.fault = "cut"})->times == 0);
}

TEST_CASE("fault: what is asked for survives the way to the cloud") {
  const fault::Wanted wanted{.fault = "status",
                             .method = "POST",
                             .path = "/v2/tags",
                             .nth = 2,
                             .share = "10%",
                             .seed = 9,
                             .times = 3,
                             .after = true,
                             .status = 503,
                             .body = "{}",
                             .retry_after = 4};
  const auto read = fault::wanted_from(fault::to_json(wanted));
  REQUIRE(read);
  CHECK(*fault::make(*read) == *fault::make(wanted));
  const auto refused = [](const testing::Json& body) {
    const auto result = fault::wanted_from(body);
    return result ? std::string() : result.error().message;
  };
  CHECK(refused({{"fault", 7}}) == "fault must be a string");
  CHECK(refused({{"fault", "cut"}, {"nth", "second"}}) == "nth must be an integer");
  CHECK(refused({{"fault", "cut"}, {"after", 1}}) == "after must be true or false");
  CHECK(refused({{"fault", "cut"}, {"pth", "/v2/tags"}}) == "there is no field \"pth\"");
}

TEST_CASE("fault: every kind has a name, a summary and details") {
  for (const auto& description : fault::descriptions()) {
    INFO(std::string(description.name));
    CHECK(fault::name_of(description.kind) == description.name);
    CHECK_FALSE(description.summary.ends_with('.'));
    CHECK(description.details.ends_with('.'));
  }
  CHECK(fault::descriptions().size() == 15);
}
