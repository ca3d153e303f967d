// Tests of faults as a client meets them, over real connections on loopback.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <thread>

#include "cloud/connection.hpp"
#include "cloud/support/served_cloud.hpp"
#include "system/curl_http.hpp"

using namespace paas::cloud;
using namespace std::chrono_literals;
using paas::cloud::testing::Json;
using paas::cloud::testing::ServedCloud;

namespace {

/// paasctl's own client, with its reused connections.
class ApiClient {
 public:
  explicit ApiClient(const ServedCloud& cloud) : url_(cloud.server->url()) {}

  paas::Result<paas::HttpResponse> send(const std::string& method, const std::string& path,
                                        const Json& body = {}) {
    paas::HttpRequest request;
    request.method = method;
    request.url = url_ + path;
    request.headers = {{"Authorization", "Bearer " + testing::test_token}};
    if (!body.is_null()) request.body = body.dump();
    return http_.send(request);
  }

  Id add_fault(const Json& wanted) {
    const auto answer = send("POST", "/paasctl/faults", wanted);
    REQUIRE(answer);
    INFO(answer->body);
    REQUIRE(answer->status == 201);
    return Json::parse(answer->body)["fault"]["id"].get<Id>();
  }

 private:
  std::string url_;
  paas::system::CurlHttp http_;
};

bool is_cut(const paas::Result<paas::HttpResponse>& answer) {
  return !answer && answer.error().kind == paas::ErrorKind::unreachable;
}

}  // namespace

TEST_CASE("fault: a connection that is cut before the change leaves nothing") {
  ServedCloud cloud;
  ApiClient client(cloud);
  client.add_fault({{"fault", "cut"}, {"method", "POST"}, {"nth", 1}});
  CHECK(is_cut(client.send("POST", "/v2/droplets", Json::parse(testing::droplet_body("web-1")))));
  CHECK(cloud.service.state().droplets.empty());
  CHECK(client.send("GET", "/v2/account")->status == 200);
}

TEST_CASE("fault: a connection that is cut after the change leaves one droplet, kept on disk") {
  ServedCloud cloud;
  ApiClient client(cloud);
  client.add_fault({{"fault", "cut"}, {"method", "POST"}, {"after", true}});
  // The connection is one that was used before: nobody may take that for a reason to ask again.
  CHECK(client.send("GET", "/v2/account")->status == 200);
  CHECK(is_cut(client.send("POST", "/v2/droplets", Json::parse(testing::droplet_body("web-1")))));
  CHECK(cloud.service.state().droplets.size() == 1);
  CHECK(cloud.kept().droplets.size() == 1);
}

TEST_CASE("fault: half an answer has the headers of a whole one") {
  ServedCloud cloud;
  ApiClient client(cloud);
  client.add_fault({{"fault", "half"}, {"path", "/v2/sizes"}});
  CHECK(is_cut(client.send("GET", "/v2/sizes")));
  auto plain = cloud.client();
  std::string received;
  std::size_t promised = 0;
  const auto result = plain.Get(
      "/v2/sizes",
      [&](const httplib::Response& response) {
        promised =
            static_cast<std::size_t>(std::stoul(response.get_header_value("Content-Length")));
        return response.status == 200;
      },
      [&](const char* data, std::size_t length) {
        received.append(data, length);
        return true;
      });
  CHECK_FALSE(result);
  CHECK(promised > 1000);
  CHECK(received.size() == promised / 2);
  CHECK(received.starts_with('{'));
}

TEST_CASE("fault: a page for people is HTML with status 200") {
  ServedCloud cloud;
  ApiClient client(cloud);
  client.add_fault({{"fault", "html"}, {"path", "/v2/account"}});
  const auto answer = client.send("GET", "/v2/account");
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->headers.at("content-type") == "text/html; charset=utf-8");
  CHECK(answer->body.starts_with("<!DOCTYPE html>"));
}

TEST_CASE("fault: a status comes with its body and when to ask again") {
  ServedCloud cloud;
  ApiClient client(cloud);
  client.add_fault(
      {{"fault", "status"}, {"status", 503}, {"body", "gone fishing"}, {"retry-after", 9}});
  const auto answer = client.send("GET", "/v2/account");
  REQUIRE(answer);
  CHECK(answer->status == 503);
  CHECK(answer->body == "gone fishing");
  CHECK(answer->headers.at("retry-after") == "9");
}

TEST_CASE("fault: a late answer is late, and its change is not") {
  ServedCloud cloud;
  ApiClient client(cloud);
  client.add_fault({{"fault", "delay"}, {"time", "600s"}, {"path", "/v2/tags"}});
  client.add_fault({{"fault", "delay"}, {"time", "100ms"}, {"path", "/v2/account"}});
  const auto start = std::chrono::steady_clock::now();
  CHECK(client.send("GET", "/v2/account")->status == 200);
  CHECK(std::chrono::steady_clock::now() - start >= 100ms);
  auto waiting = cloud.client();
  std::thread asking([&] { waiting.Post("/v2/tags", R"({"name": "late"})", testing::json_type); });
  while (!cloud.service.state().tags.contains("late")) std::this_thread::yield();
  // The end of the server does not wait for it.
  cloud.server.reset();
  asking.join();
}

TEST_CASE("fault: a stuck droplet is held back from the world until the fault is removed") {
  ServedCloud cloud;
  ApiClient client(cloud);
  const auto fault = client.add_fault({{"fault", "stuck"}, {"times", 1}});
  const auto made = client.send("POST", "/v2/droplets", Json::parse(testing::droplet_body("a")));
  REQUIRE(made);
  CHECK(made->status == 202);
  const auto other = client.send("POST", "/v2/droplets", Json::parse(testing::droplet_body("b")));
  const auto second = Json::parse(other->body)["droplet"]["id"].get<Id>();
  while (cloud.service.state().droplets.at(second).status != DropletStatus::active) {
    std::this_thread::yield();
  }
  const auto first = Json::parse(made->body)["droplet"]["id"].get<Id>();
  CHECK(cloud.service.state().droplets.at(first).status == DropletStatus::fresh);
  CHECK(client.send("DELETE", fmt::format("/paasctl/faults/{}", fault))->status == 204);
  REQUIRE(cloud.service.wait_until_idle(20s));
  CHECK(cloud.service.state().droplets.at(first).status == DropletStatus::active);
}

TEST_CASE("fault: an action errors without the world hearing of it") {
  ServedCloud cloud;
  ApiClient client(cloud);
  const auto made = client.send("POST", "/v2/droplets", Json::parse(testing::droplet_body("a")));
  const auto id = Json::parse(made->body)["droplet"]["id"].get<Id>();
  REQUIRE(cloud.service.wait_until_idle(20s));
  const auto done = cloud.world.applied().size();
  client.add_fault({{"fault", "action-error"}, {"action", "reboot"}});
  const auto asked =
      client.send("POST", fmt::format("/v2/droplets/{}/actions", id), {{"type", "reboot"}});
  REQUIRE(cloud.service.wait_until_idle(20s));
  const auto action = Json::parse(asked->body)["action"]["id"].get<Id>();
  CHECK(cloud.service.state().actions.at(action).status == ActionStatus::errored);
  CHECK(cloud.world.applied().size() == done);
}

TEST_CASE("fault: a new droplet answers 404 at first") {
  ServedCloud cloud;
  ApiClient client(cloud);
  client.add_fault({{"fault", "missing"}, {"looks", 2}});
  const auto made = client.send("POST", "/v2/droplets", Json::parse(testing::droplet_body("a")));
  const auto path =
      fmt::format("/v2/droplets/{}", Json::parse(made->body)["droplet"]["id"].get<Id>());
  CHECK(client.send("GET", path)->status == 404);
  CHECK(client.send("GET", path)->status == 404);
  CHECK(client.send("GET", path)->status == 200);
}

TEST_CASE("fault: machines' faults reach the world") {
  ServedCloud cloud;
  ApiClient client(cloud);
  client.send("POST", "/v2/droplets", Json::parse(testing::droplet_body("a")));
  REQUIRE(cloud.service.wait_until_idle(20s));
  client.add_fault({{"fault", "kill"}, {"droplet", "a"}});
  REQUIRE(cloud.service.wait_until_idle(20s));
  const auto last = cloud.world.applied().back();
  REQUIRE(std::holds_alternative<DisturbMachine>(last.kind));
  CHECK(std::get<DisturbMachine>(last.kind).what == Disturbance::kill);
  CHECK(cloud.service.state().droplets.begin()->second.status == DropletStatus::off);
}
