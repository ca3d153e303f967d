// Tests of the HTTP side on loopback, and of keeping the state.
#include "cloud/server.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <httplib.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

#include "cloud/state_json.hpp"
#include "cloud/support/raw_client.hpp"
#include "cloud/support/served_cloud.hpp"

using namespace paas::cloud;
using namespace std::chrono_literals;
using paas::cloud::testing::droplet_body;
using paas::cloud::testing::fresh_state;
using paas::cloud::testing::Json;
using paas::cloud::testing::json_type;
using paas::cloud::testing::RawClient;
using paas::cloud::testing::test_token;
using Cloud = paas::cloud::testing::ServedCloud;

TEST_CASE("cloud: the server answers with JSON, a request's number and the limits") {
  Cloud cloud;
  auto client = cloud.client();
  const auto answer = client.Get("/v2/account");
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->get_header_value("Content-Type") == "application/json; charset=utf-8");
  CHECK(answer->has_header("ratelimit-remaining"));
  const auto again = client.Get("/v2/account");
  CHECK(again->get_header_value("x-request-id") != answer->get_header_value("x-request-id"));
}

TEST_CASE("cloud: the server refuses a wrong token and says which request it was") {
  Cloud cloud;
  const auto answer = cloud.client("dop_v1_other").Get("/v2/account");
  REQUIRE(answer);
  CHECK(answer->status == 401);
  CHECK(Json::parse(answer->body)["request_id"] == answer->get_header_value("x-request-id"));
  httplib::Client nobody("127.0.0.1", cloud.server->port());
  CHECK(nobody.Get("/v2/account")->status == 401);
}

TEST_CASE("cloud: a path with a slash at its end is the same one") {
  Cloud cloud;
  auto client = cloud.client();
  for (const char* path : {"/v2/droplets/", "/v2/account/", "/v2/images/debian-12-x64/"}) {
    CAPTURE(path);
    CHECK(client.Get(path)->status == 200);
  }
  CHECK(client.Get("/v2/droplets/4711/")->status == 404);
  CHECK(client.Get("/")->status == 404);
}

TEST_CASE("cloud: a body that a look brings along is no request of its own") {
  Cloud cloud;
  RawClient client(cloud.server->port());
  for (int round = 0; round < 3; ++round) {
    client.send("GET /v2/account HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + test_token +
                "\r\nContent-Length: 22\r\n\r\nGET /v2/x HTTP/1.1\r\n\r\n");
    CHECK(client.read_status() == 200);
  }
}

TEST_CASE("cloud: after what cannot be read the connection ends with one answer") {
  Cloud cloud;
  for (const auto& request : {std::string("nonsense\r\nHost: x\r\nOther: y\r\n\r\n"),
                              std::string("POST /v2/tags HTTP/1.1\r\nHost: x\r\nContent-Length: "
                                          "-5\r\n\r\n{}"),
                              std::string("POST /v2/tags HTTP/1.1\r\nHost: x\r\nContent-Length: "
                                          "99999999999999999999\r\n\r\n{}")}) {
    CAPTURE(request);
    RawClient client(cloud.server->port());
    client.send(request);
    CHECK(client.read_status() == 400);
    CHECK(client.read_status() == 0);
  }
}

TEST_CASE("cloud: bodies that are missing, broken or too large are answered at once") {
  Cloud cloud;
  auto client = cloud.client();
  // Where a body is waited for that does not come, another status is the end of it.
  CHECK(client.Post("/v2/droplets")->status == 422);
  CHECK(client.Post("/v2/droplets", "{", json_type)->status == 400);
  const auto large = client.Post("/v2/droplets", std::string(1024 * 1024 + 1, 'x'), json_type);
  REQUIRE(large);
  CHECK(large->status == 413);
  CHECK(Json::parse(large->body)["id"] == "payload_too_large");
  CHECK(client.Delete("/v2/droplets/4711")->status == 404);
  CHECK(client.Delete("/v2/firewalls/x/tags", R"({"tags": ["a"]})", json_type)->status == 404);
  CHECK(client.Patch("/v2/droplets", "{}", json_type)->status == 405);
  CHECK(client.Get("/nothing")->status == 404);
}

TEST_CASE("cloud: what was answered is on disk, readable by nobody else") {
  Cloud cloud;
  auto client = cloud.client();
  for (int number = 0; number < 5; ++number) {
    const auto answer =
        client.Post("/v2/droplets", droplet_body("web-" + std::to_string(number)), json_type);
    REQUIRE(answer->status == 202);
    const auto id = Json::parse(answer->body)["droplet"]["id"].get<Id>();
    CHECK(cloud.kept().droplets.contains(id));
  }
  struct stat info {};
  REQUIRE(stat(cloud.folder.file("state.json").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("cloud: all of 450 droplets are found by walking the pages") {
  Cloud cloud;
  std::vector<std::thread> makers;
  for (int maker = 0; maker < 5; ++maker) {
    makers.emplace_back([&cloud, maker] {
      auto client = cloud.client();
      for (int number = 0; number < 9; ++number) {
        Json body = Json::parse(droplet_body("x"));
        body.erase("name");
        for (int each = 0; each < 10; ++each) {
          body["names"].push_back(fmt::format("web-{}-{}-{}", maker, number, each));
        }
        CHECK(client.Post("/v2/droplets", body.dump(), json_type)->status == 202);
      }
    });
  }
  for (auto& maker : makers) maker.join();
  REQUIRE(cloud.service.wait_until_idle(60s));

  auto client = cloud.client();
  std::set<std::string> names;
  std::set<std::string> addresses;
  std::string target = "/v2/droplets?per_page=200";
  int pages = 0;
  while (!target.empty()) {
    const auto body = Json::parse(client.Get(target)->body);
    CHECK(body["meta"]["total"] == 450);
    for (const auto& droplet : body["droplets"]) {
      CHECK(droplet["status"] == "active");
      names.insert(droplet["name"].get<std::string>());
      addresses.insert(droplet["networks"]["v4"][0]["ip_address"].get<std::string>());
    }
    ++pages;
    const auto next = body["links"].value("/pages/next"_json_pointer, std::string());
    const auto prefix = cloud.server->url();
    REQUIRE((next.empty() || next.rfind(prefix, 0) == 0));
    target = next.empty() ? "" : next.substr(prefix.size());
  }
  CHECK(pages == 3);
  CHECK(names.size() == 450);
  CHECK(addresses.size() == 450);
}

TEST_CASE("cloud: 200 clients that keep their connection open starve nobody") {
  Cloud cloud;
  std::vector<httplib::Client> clients;
  for (int number = 0; number < 200; ++number) {
    clients.push_back(cloud.client());
    clients.back().set_read_timeout(5min);
  }
  for (auto& client : clients) REQUIRE(client.Get("/v2/account")->status == 200);
  // All are in the middle of a request at once, which takes a thread each.
  cloud.files.set_open(false);
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  for (std::size_t number = 0; number < clients.size(); ++number) {
    threads.emplace_back([&, number] {
      const auto body = fmt::format(R"({{"name": "tag-{}"}})", number);
      const auto answer = clients[number].Post("/v2/tags", body, json_type);
      if (answer && answer->status == 201) ++answered;
    });
  }
  const auto deadline = std::chrono::steady_clock::now() + 2min;
  while (cloud.service.state().tags.size() < clients.size() &&
         std::chrono::steady_clock::now() < deadline) {
    REQUIRE(cloud.clock.wait(1ms));
  }
  CHECK(cloud.service.state().tags.size() == clients.size());
  CHECK(answered == 0);
  CHECK(cloud.client().Get("/v2/account")->status == 200);
  cloud.files.set_open(true);
  for (auto& thread : threads) thread.join();
  CHECK(answered == 200);
}

TEST_CASE("cloud: latency is added to each answer") {
  Cloud cloud(fresh_state(), 100ms);
  auto client = cloud.client();
  for (const auto* path : {"/v2/account", "/v2/nothing"}) {
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(client.Get(path));
    CHECK(std::chrono::steady_clock::now() - start >= 100ms);
  }
}

TEST_CASE("cloud: a state that cannot be written is no acknowledged change") {
  Cloud cloud;
  auto client = cloud.client();
  std::filesystem::create_directory(cloud.folder.file("elsewhere"));
  // A folder in its place cannot be replaced by a file.
  std::filesystem::remove(cloud.folder.file("state.json"));
  std::filesystem::create_directories(cloud.folder.file("state.json/in-the-way"));
  const auto answer = client.Post("/v2/droplets", droplet_body("web-1"), json_type);
  CHECK(answer->status == 500);
  CHECK(Json::parse(answer->body)["id"] == "server_error");
  CHECK(cloud.world.applied().empty());
  std::filesystem::remove_all(cloud.folder.file("state.json"));
  REQUIRE(cloud.service.wait_until_idle(20s));
  CHECK(cloud.kept().droplets.size() == 1);
}

TEST_CASE("cloud: the next process goes on where the last one was killed") {
  auto state = fresh_state();
  {
    testing::Core core;
    core.boot_one("web-1");
    core.post("/v2/droplets", Json::parse(droplet_body("web-2")));
    state = core.state;
  }
  Cloud cloud(*decode(encode(state)));
  REQUIRE(cloud.service.wait_until_idle(20s));
  auto client = cloud.client();
  const auto body = Json::parse(client.Get("/v2/droplets")->body);
  REQUIRE(body["droplets"].size() == 2);
  for (const auto& droplet : body["droplets"]) CHECK(droplet["status"] == "active");
  // The running machine's rules are set anew beside it.
  const auto applied = cloud.world.applied();
  const auto creation = std::ranges::find_if(applied, [](const Effect& effect) {
    return std::holds_alternative<CreateMachine>(effect.kind);
  });
  REQUIRE(creation != applied.end());
  CHECK(creation->repeated);
}

TEST_CASE("cloud: machines that end by themselves are off") {
  Cloud cloud;
  auto client = cloud.client();
  const auto made = Json::parse(client.Post("/v2/droplets", droplet_body("a"), json_type)->body);
  const auto id = made["droplet"]["id"].get<Id>();
  REQUIRE(cloud.service.wait_until_idle(20s));
  cloud.world.change_machine(id, false);
  const auto now = Json::parse(client.Get(fmt::format("/v2/droplets/{}", id))->body);
  CHECK(now["droplet"]["status"] == "off");
}

TEST_CASE("cloud: machines that a stopped cloud stops stay as they were in its state") {
  Cloud cloud;
  auto client = cloud.client();
  client.Post("/v2/droplets", droplet_body("a"), json_type);
  REQUIRE(cloud.service.wait_until_idle(20s));
  REQUIRE(cloud.service.stop());
  const auto id = cloud.kept().droplets.begin()->first;
  cloud.world.change_machine(id, false);
  CHECK(cloud.service.state().droplets.at(id).status == DropletStatus::active);
}

TEST_CASE("cloud: the metadata service knows nobody by this machine's address") {
  Cloud cloud;
  httplib::Client client("127.0.0.1", cloud.server->port());
  CHECK(client.Get("/metadata/v1/id")->status == 404);
}

TEST_CASE("cloud: an address to listen on is an address and a port") {
  CHECK(parse_address("127.0.0.1:0")->port == 0);
  CHECK(parse_address("127.0.0.1:8080")->host == "127.0.0.1");
  for (const auto* address : {"", "127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:x", "a:70000"}) {
    CHECK_FALSE(parse_address(address));
  }
}

TEST_CASE("cloud: an address that is in use is an error") {
  Cloud cloud;
  const auto other = listen(cloud.service, {"127.0.0.1", cloud.server->port(), 0ms, {}});
  CHECK_FALSE(other);
}
