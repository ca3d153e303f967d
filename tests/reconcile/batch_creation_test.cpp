// Droplets of servers that are alike are created with one request, and none of them twice.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "reconcile/executor.hpp"
#include "reconcile/support/rig.hpp"

namespace paas::reconcile::testing {
namespace {

using nlohmann::json;

std::string stack_of(int web_servers) {
  return fmt::format(R"(stack: farm
region: nyc3
ssh: {{from: [0.0.0.0/0]}}
images: {{web: {{pull: "example/web:1"}}}}
services:
  web: {{type: web, image: web, port: 8000, scale: {{min: {0}, max: {0}}}}}
  crunch: {{type: worker, image: web}}
lb: {{listen: [80], rules: [{{to: web}}]}}
)",
                     web_servers);
}

bool creates_droplets(const HttpRequest& request) {
  return request.method == "POST" && request.url.ends_with("/v2/droplets");
}

std::vector<std::string> names_in(const HttpRequest& request) {
  const auto body = json::parse(request.body);
  if (body.contains("name")) return {body.at("name")};
  return body.at("names");
}

/// Exactly the stack is there, each server once, and nothing is left to do.
void check_complete(World& world, int web_servers) {
  std::vector<std::string> droplets;
  for (const auto& [id, droplet] : world.cloud.droplets) {
    droplets.push_back(droplet.name);
    CHECK(world.stored.servers.at(droplet.name).droplet.id == std::to_string(id));
  }
  CHECK(droplets.size() == static_cast<std::size_t>(web_servers + 2));
  CHECK(world.stored.servers.size() == droplets.size());
  for (const auto& [name, server] : world.stored.servers) {
    CAPTURE(name);
    CHECK(server.prepared);
    CHECK(server.first_host_key.empty());
    CHECK(server.host_key == "ssh-ed25519 second-of-" + name);
  }
  const auto next = Rig(world, stack_of(web_servers)).plan();
  REQUIRE(next);
  CHECK(next->steps.empty());
}

void require_success(const Result<Outcome>& outcome) {
  REQUIRE(outcome);
  for (const auto& failure : outcome->failures) FAIL_CHECK(describe(failure.error));
  REQUIRE(outcome->failures.empty());
  REQUIRE(outcome->skipped == 0);
}

/// A rig whose requests for droplets are written down.
struct Farm {
  explicit Farm(World& world, int web_servers) : rig(world, stack_of(web_servers)) {
    rig.http.intercept = [this](const HttpRequest& request) {
      if (!creates_droplets(request)) return rig.http.pass(request);
      const std::scoped_lock lock(mutex);
      requests.push_back(names_in(request));
      return instead ? instead(request) : rig.http.pass(request);
    };
  }
  std::size_t largest() const {
    std::size_t size = 0;
    for (const auto& names : requests) size = std::max(size, names.size());
    return size;
  }

  Rig rig;
  std::mutex mutex;
  std::vector<std::vector<std::string>> requests;
  std::function<Result<HttpResponse>(const HttpRequest&)> instead;
};

TEST_CASE("reconcile: servers of a service are created ten a request") {
  for (const int parallelism : {1, 16}) {
    CAPTURE(parallelism);
    World world;
    Farm farm(world, 23);
    farm.rig.options.parallelism = parallelism;
    require_success(farm.rig.up());
    std::multiset<std::size_t> sizes;
    for (const auto& names : farm.requests) sizes.insert(names.size());
    CHECK(sizes == std::multiset<std::size_t>{1, 1, 3, 10, 10});
    check_complete(world, 23);
  }
}

TEST_CASE(
    "reconcile: all servers are asked for before the first is awaited, with one list for all") {
  World world;
  Rig rig(world, stack_of(23));
  rig.options.parallelism = 1;
  int creations = 0;
  std::vector<int> listed_after;
  rig.http.intercept = [&](const HttpRequest& request) {
    if (creates_droplets(request)) ++creations;
    const bool lists =
        request.method == "GET" && request.url.find("?tag_name=") != std::string::npos;
    if (lists && creations > 0) listed_after.push_back(creations);
    return rig.http.pass(request);
  };
  require_success(rig.up());
  CHECK(creations == 5);
  CHECK(listed_after == std::vector<int>{5});
  rig.http.intercept = {};
  check_complete(world, 23);
}

TEST_CASE("reconcile: servers are awaited although the list of them changes whenever it is read") {
  World world;
  // With the load balancer and the worker more than one page.
  Rig rig(world, stack_of(201));
  rig.options.parallelism = 1;
  int lists = 0;
  rig.http.intercept = [&](const HttpRequest& request) {
    auto response = rig.http.pass(request);
    const bool is_second_page = request.method == "GET" &&
                                request.url.find("?tag_name=") != std::string::npos &&
                                request.url.find("&page=2&") != std::string::npos;
    if (!is_second_page) return response;
    ++lists;
    auto body = json::parse(response->body);
    body["meta"]["total"] = body["meta"]["total"].get<int>() + 1;
    response->body = body.dump();
    return response;
  };
  require_success(rig.up());
  CHECK(lists > 0);
}

TEST_CASE(
    "reconcile: after a request that failed the other servers are tried when their turn comes") {
  World world;
  Farm farm(world, 12);
  farm.rig.options.parallelism = 1;
  farm.instead = [&](const HttpRequest& request) -> Result<HttpResponse> {
    if (names_in(request).front().find("-web-") == std::string::npos)
      return farm.rig.http.pass(request);
    return HttpResponse{422, {}, R"({"id":"unprocessable_entity","message":"size is sold out"})"};
  };
  const auto outcome = farm.rig.up();
  REQUIRE(outcome);
  CHECK(outcome->failures.size() == 12);
  // Each was asked for once, those of the second request too.
  CHECK(farm.requests.size() == 4);
  farm.instead = {};
  require_success(Rig(world, stack_of(12)).up());
  check_complete(world, 12);
}

TEST_CASE("reconcile: what a request is to create is written down before it, all with one key") {
  World world;
  Farm farm(world, 3);
  std::set<std::string> first_keys;
  farm.instead = [&](const HttpRequest& request) {
    const auto data = json::parse(request.body).at("user_data").get<std::string>();
    for (const auto& name : names_in(request)) {
      const auto& server = world.stored.servers.at(name);
      CHECK(server.droplet.id.empty());
      CHECK(data.find(server.host_key) != std::string::npos);
      CHECK(data.find(name) == std::string::npos);
      if (name.starts_with("farm-web-")) first_keys.insert(server.first_host_key.reveal());
    }
    return farm.rig.http.pass(request);
  };
  require_success(farm.rig.up());
  CHECK(farm.largest() == 3);
  CHECK(first_keys.size() == 1);
  check_complete(world, 3);
}

TEST_CASE("reconcile: droplets of a request whose answer was lost are all found by their names") {
  World world;
  Farm farm(world, 4);
  farm.instead = [&](const HttpRequest& request) -> Result<HttpResponse> {
    auto response = farm.rig.http.pass(request);
    if (names_in(request).size() == 1) return response;
    return fail(ErrorKind::unreachable, "the connection was reset");
  };
  require_success(farm.rig.up());
  CHECK(farm.requests.size() == 3);
  check_complete(world, 4);
}

TEST_CASE("reconcile: a request that got lost is sent again when none of its names is found") {
  World world;
  Farm farm(world, 4);
  int lost = 0;
  std::chrono::milliseconds lost_at{0};
  farm.instead = [&](const HttpRequest& request) -> Result<HttpResponse> {
    if (names_in(request).size() > 1 && ++lost == 1) {
      lost_at = farm.rig.clock.monotonic();
      return fail(ErrorKind::unreachable, "the connection was reset");
    }
    if (lost == 2) {
      CHECK(farm.rig.clock.monotonic() - lost_at >= farm.rig.options.timeouts.grace);
      lost = 3;
    }
    return farm.rig.http.pass(request);
  };
  require_success(farm.rig.up());
  CHECK(lost == 3);
  CHECK(farm.requests.size() == 4);
  check_complete(world, 4);
}

TEST_CASE("reconcile: of a request that made only some droplets, the others are asked for again") {
  World world;
  Farm farm(world, 4);
  bool is_cut = false;
  farm.instead = [&](const HttpRequest& request) -> Result<HttpResponse> {
    auto names = names_in(request);
    if (names.size() == 1 || is_cut) return farm.rig.http.pass(request);
    is_cut = true;
    names.pop_back();
    auto fewer = request;
    auto body = json::parse(request.body);
    body["names"] = names;
    fewer.body = body.dump();
    return farm.rig.http.pass(fewer);
  };
  require_success(farm.rig.up());
  REQUIRE(farm.requests.size() == 4);
  CHECK(std::count(farm.requests.begin(), farm.requests.end(),
                   std::vector<std::string>{"farm-web-4"}) == 1);
  check_complete(world, 4);
}

TEST_CASE("reconcile: a droplet that the answer left out is found by its name, not made twice") {
  World world;
  Farm farm(world, 4);
  farm.instead = [&](const HttpRequest& request) -> Result<HttpResponse> {
    auto response = farm.rig.http.pass(request);
    if (!response || names_in(request).size() == 1) return response;
    auto body = json::parse(response->body);
    body["droplets"].erase(0);
    response->body = body.dump();
    return response;
  };
  require_success(farm.rig.up());
  CHECK(farm.requests.size() == 3);
  check_complete(world, 4);
}

TEST_CASE("reconcile: a droplet that is gone after it was accepted is not awaited to the end") {
  World world;
  Farm farm(world, 2);
  farm.instead = [&](const HttpRequest& request) -> Result<HttpResponse> {
    auto response = farm.rig.http.pass(request);
    if (names_in(request).size() == 1) return response;
    // As when a placement fails: the create action errors, and the droplet is not found any more.
    const auto id = json::parse(response->body)["droplets"][0]["id"].get<std::int64_t>();
    CHECK(world.cloud.droplets.erase(id) == 1);
    return response;
  };
  const auto outcome = farm.rig.up();
  REQUIRE(outcome);
  REQUIRE(outcome->failures.size() == 1);
  const auto& error = outcome->failures.front().error;
  CHECK(error.kind == ErrorKind::failed);
  CHECK(describe(error).find("was accepted and is gone") != std::string::npos);
  CHECK(farm.rig.clock.monotonic() < farm.rig.options.timeouts.active);
  farm.instead = {};
  require_success(Rig(world, stack_of(2)).up());
  check_complete(world, 2);
}

TEST_CASE("reconcile: a droplet whose tags were taken away is found active by its identifier") {
  World world;
  Farm farm(world, 2);
  farm.instead = [&](const HttpRequest& request) -> Result<HttpResponse> {
    auto response = farm.rig.http.pass(request);
    for (auto& [id, droplet] : world.cloud.droplets) {
      if (!droplet.name.starts_with("farm-web-")) continue;
      droplet.tags.clear();
      droplet.tags_to_come.clear();
    }
    return response;
  };
  const auto outcome = farm.rig.up();
  REQUIRE(outcome);
  for (const auto& failure : outcome->failures) {
    CAPTURE(describe(failure.error));
    CHECK(failure.step.kind != plan::StepKind::create_server);
  }
  for (const auto* name : {"farm-web-1", "farm-web-2"}) {
    CHECK_FALSE(world.stored.servers.at(name).private_address.empty());
  }
}

TEST_CASE("reconcile: 408 and a proxy's page are no refusal: nothing is made twice") {
  for (const auto& [status, body] : std::vector<std::pair<int, std::string>>{
           {408, R"({"id": "timeout", "message": "it took too long"})"},
           {422, "<html>no</html>"},
           {403, "<html>no</html>"}}) {
    CAPTURE(status);
    World world;
    Farm farm(world, 1);
    farm.instead = [&](const HttpRequest& request) -> Result<HttpResponse> {
      (void)farm.rig.http.pass(request);
      return HttpResponse{status, {}, body};
    };
    (void)farm.rig.up();
    const auto made = world.cloud.droplets.size();
    CHECK(made == 3);
    require_success(Farm(world, 1).rig.up());
    check_complete(world, 1);
  }
}

/// Each droplet is made, and its request is refused all the same.
void refuse_untruly(World& world) {
  Farm farm(world, 1);
  farm.instead = [&](const HttpRequest& request) -> Result<HttpResponse> {
    (void)farm.rig.http.pass(request);
    return HttpResponse{422, {}, R"({"id": "unprocessable_entity", "message": "no"})"};
  };
  (void)farm.rig.up();
  REQUIRE(world.cloud.droplets.size() == 3);
}

TEST_CASE("reconcile: what was withdrawn and is there is neither made again nor forgotten") {
  World world;
  refuse_untruly(world);
  for (const bool is_down : {false, true}) {
    CAPTURE(is_down);
    Farm again(world, 1);
    const auto outcome = is_down ? again.rig.down(plan::Volumes::destroy) : again.rig.up();
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().kind == ErrorKind::invalid);
    CHECK(again.rig.http.changes.empty());
  }
  CHECK(world.cloud.droplets.size() == 3);
  CHECK(world.stored.servers.size() == 3);
}

TEST_CASE("reconcile: what was withdrawn and shows up after the plan was made is left alone") {
  World world;
  refuse_untruly(world);
  // Tags apply late: until then nothing tells whose they are.
  std::map<std::int64_t, std::vector<std::string>> tags;
  for (auto& [id, droplet] : world.cloud.droplets) tags[id] = std::exchange(droplet.tags, {});
  for (const bool is_down : {false, true}) {
    CAPTURE(is_down);
    auto copy = world;
    Farm again(copy, 1);
    again.rig.options.on_event = [&](const Event&) {
      for (auto& [id, droplet] : copy.cloud.droplets) droplet.tags = tags.at(id);
    };
    const auto outcome = is_down ? again.rig.down(plan::Volumes::destroy) : again.rig.up();
    REQUIRE(outcome);
    CHECK(copy.cloud.droplets.size() == 3);
    CHECK(copy.stored.servers.size() == 3);
    CHECK(copy.cloud.firewalls.size() == 3);
    CHECK(again.requests.empty());
    REQUIRE_FALSE(outcome->failures.empty());
    CHECK(outcome->failures.front().error.kind == ErrorKind::exists);
    CHECK(outcome->failures.front().error.hint.find("`paasctl state accept`") != std::string::npos);
  }
}

TEST_CASE("reconcile: a refusal is every server's of the request, and nothing is sent again") {
  World world;
  world.cloud.settings.droplet_limit = 3;
  Farm farm(world, 4);
  const auto outcome = farm.rig.up();
  REQUIRE(outcome);
  CHECK(farm.requests.size() == 3);
  std::vector<std::string> failed;
  for (const auto& failure : outcome->failures) {
    failed.push_back(failure.step.id);
    CHECK(failure.error.kind == ErrorKind::limited);
  }
  CHECK(failed == std::vector<std::string>{"create_server/farm-web-1", "create_server/farm-web-2",
                                           "create_server/farm-web-3", "create_server/farm-web-4"});
  CHECK(world.cloud.droplets.size() == 2);
  // What was refused is neither looked for by the next run nor waited for when it is taken down.
  for (const auto& [name, server] : world.stored.servers) {
    CAPTURE(name);
    CHECK(server.droplet.id.empty() == !lockfile::is_asked_for(server));
  }
  auto left = world;
  Farm down(left, 4);
  const auto began = down.rig.clock.monotonic();
  require_success(down.rig.down(plan::Volumes::destroy));
  CHECK(down.rig.clock.monotonic() - began < down.rig.options.timeouts.grace);
  world.cloud.settings.droplet_limit = 6;
  Farm again(world, 4);
  require_success(again.rig.up());
  CHECK(again.rig.clock.monotonic() - began < again.rig.options.timeouts.grace);
  CHECK(again.largest() == 4);
  check_complete(world, 4);
}

TEST_CASE("reconcile: a run that was killed at any point of a shared request makes nothing twice") {
  World whole;
  Farm measured(whole, 3);
  int before = 0;
  measured.instead = [&](const HttpRequest& request) {
    if (names_in(request).size() > 1) before = measured.rig.fuse.spent();
    return measured.rig.http.pass(request);
  };
  require_success(measured.rig.up());
  // From the key's being written down, over the request and the identifiers, to the addresses.
  REQUIRE(before > 1);
  for (int kill = before - 1; kill < before + 8; ++kill) {
    CAPTURE(kill);
    World world;
    Farm killed(world, 3);
    killed.rig.fuse.set(kill);
    (void)killed.rig.up();
    REQUIRE(killed.rig.fuse.blown());
    Farm fresh(world, 3);
    require_success(fresh.rig.up());
    check_complete(world, 3);
  }
}

TEST_CASE("reconcile: an interruption after a shared request loses none of its droplets") {
  World world;
  Farm farm(world, 5);
  bool is_asked = false;
  farm.instead = [&](const HttpRequest& request) {
    is_asked = is_asked || names_in(request).size() > 1;
    return farm.rig.http.pass(request);
  };
  farm.rig.options.interrupted = [&] { return is_asked; };
  const auto outcome = farm.rig.up();
  REQUIRE(outcome);
  CHECK(outcome->interrupted);
  for (int number = 1; number <= 5; ++number) {
    CHECK_FALSE(world.stored.servers.at(fmt::format("farm-web-{}", number)).droplet.id.empty());
  }
  Farm again(world, 5);
  require_success(again.rig.up());
  CHECK(std::none_of(again.requests.begin(), again.requests.end(),
                     [](const auto& names) { return names.front().starts_with("farm-web-"); }));
  check_complete(world, 5);
}

}  // namespace
}  // namespace paas::reconcile::testing
