// The client against the local cloud's core, in process: what it asks for takes effect.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <mutex>

#include "cloud/support/core_fixture.hpp"
#include "digitalocean/support/fakes.hpp"

namespace paas::digitalocean {
namespace {

/// Answers as the core does.
class CoreHttp : public Http {
 public:
  explicit CoreHttp(cloud::testing::Core& core) : core_(core) {}

  Result<HttpResponse> send(const HttpRequest& request) override {
    const auto body = request.body.empty() ? nlohmann::json() : nlohmann::json::parse(request.body);
    const std::lock_guard lock(mutex_);
    const auto exchange =
        core_.send(request.method, testing::ScriptedHttp::target_of(request), body);
    HttpResponse response{exchange.status, {}, {}};
    if (!exchange.body.is_null()) response.body = exchange.body.dump();
    return response;
  }

 private:
  cloud::testing::Core& core_;
  std::mutex mutex_;
};

struct LocalCloud {
  cloud::testing::Core core;
  CoreHttp http{core};
  testing::VirtualClock clock;
  Client client{
      http, clock, {testing::ScriptedHttp::url, Secret(cloud::testing::test_token), {}, {}, {}}};
};

TEST_CASE("digitalocean: a reserved IP is taken from its droplet, once") {
  LocalCloud local;
  const auto droplet = local.core.boot_one("lb-1");
  const auto created = local.client.create_reserved_ip(droplet);
  REQUIRE(created);
  local.core.settle();
  const auto held = local.client.reserved_ip(created->ip);
  REQUIRE(held);
  CHECK(held->droplet_id == droplet);
  const auto action = local.client.unassign_reserved_ip(created->ip);
  REQUIRE(action);
  CHECK(action->status == "in-progress");
  local.core.settle();
  const auto ended = local.client.action(action->id);
  REQUIRE(ended);
  CHECK(ended->status == "completed");
  const auto free = local.client.reserved_ip(created->ip);
  REQUIRE(free);
  CHECK(free->droplet_id == 0);
  const auto again = local.client.unassign_reserved_ip(created->ip);
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == ErrorKind::failed);
}

TEST_CASE("digitalocean: all tags are listed, with how many resources have them") {
  LocalCloud local;
  const auto none = local.client.tags();
  REQUIRE(none);
  CHECK(none->empty());
  const auto droplets = local.core.boot({"web-1", "web-2"});
  for (int i = 100; i < 350; ++i) REQUIRE(local.client.create_tag(fmt::format("tag-{}", i)));
  REQUIRE(local.client.tag_droplets("tag-320", {droplets[0], droplets[1]}));
  local.core.settle();
  const auto all = local.client.tags();
  REQUIRE(all);
  REQUIRE(all->size() == 250);
  for (std::size_t i = 0; i < all->size(); ++i) {
    CHECK(all->at(i).name == fmt::format("tag-{}", 100 + i));
    CHECK(all->at(i).resources == (i == 220 ? 2 : 0));
  }
}

}  // namespace
}  // namespace paas::digitalocean
