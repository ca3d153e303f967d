// The lockfile of a run whose every droplet was refused comes back after another run made them.
#include <doctest/doctest.h>

#include "plan/catch_up.hpp"
#include "plan/verify.hpp"
#include "reconcile/support/cloud_request.hpp"
#include "reconcile/support/small_stack.hpp"

namespace paas::reconcile::testing {
namespace {

std::string database_in_container() {
  return with(std::string(small), "    volume: {size: 10GiB, mount: /var/lib/postgresql}\n", "");
}

struct OlderLockfile {
  explicit OlderLockfile(std::string text) : yaml(std::move(text)) {
    Rig refused(world, yaml);
    refused.http.intercept = [&](const HttpRequest& request) -> Result<HttpResponse> {
      if (request.method == "POST" && request.url.ends_with("/v2/droplets")) {
        return HttpResponse{
            422, {}, R"({"id": "unprocessable_entity", "message": "size is sold out"})"};
      }
      return refused.http.pass(request);
    };
    REQUIRE_FALSE(refused.up()->failures.empty());
    const auto older = world.stored;
    REQUIRE(older.servers.size() == 4);
    Rig made(world, yaml);
    require_up(made);
    world.stored = older;
  }

  observe::Observed look(Rig& rig) {
    digitalocean::Client api(rig.http, rig.clock,
                             {cloud_url, Secret(cloud_token), {}, {}, [] { return 0.5; }});
    auto seen = observe::observe(api, rig.machines, world.stored, "shop", "nyc3",
                                 {observe::Depth::machines, 1});
    REQUIRE(seen);
    return *seen;
  }

  /// As `state accept` does.
  void accept() {
    Rig rig(world, yaml);
    CHECK(plan::catch_up(rig.stack, look(rig), world.stored).taken.size() == 4);
  }

  const std::string yaml;
  World world;
};

TEST_CASE("case 19: a lockfile that never asked for the servers that are there is refused") {
  OlderLockfile older(database_in_container());
  const auto before = droplet_names(older.world);
  for (const bool is_down : {false, true}) {
    CAPTURE(is_down);
    Rig rig(older.world, older.yaml);
    const auto outcome = is_down ? rig.down(plan::Volumes::keep) : rig.up();
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().message.find("the lockfile is older than the cloud") == 0);
    CHECK(outcome.error().hint.find("`paasctl state accept`") != std::string::npos);
    CHECK(rig.http.changes.empty());
  }
  Rig rig(older.world, older.yaml);
  CHECK_FALSE(plan::verify(older.world.stored, older.look(rig), std::nullopt));
  CHECK(droplet_names(older.world) == before);
  CHECK(older.world.cloud.firewalls.size() == 3);
}

TEST_CASE("reconcile: once it is accepted, each server is replaced, and data is asked for") {
  OlderLockfile older(database_in_container());
  older.accept();
  Rig rig(older.world, older.yaml);
  REQUIRE(rig.plan()->losses.size() == 1);
  CHECK(rig.plan()->losses[0].name == "shop-db-1");
  const auto down = plan::make_down(older.world.stored, older.look(rig), plan::Volumes::keep);
  REQUIRE(down.losses.size() == 1);
  CHECK(down.losses[0].name == "shop-db-1");
  auto copy = older.world;
  Rig ending(copy, older.yaml);
  require_down(ending, plan::Volumes::keep);
  check_nothing_left(copy);
}

TEST_CASE("reconcile: once it is accepted, the volume moves to the server that replaces its own") {
  OlderLockfile older{std::string(small)};
  const auto volume = older.world.cloud.volumes.begin()->first;
  older.accept();
  Rig rig(older.world, older.yaml);
  CHECK(rig.plan()->losses.empty());
  require_up(rig);
  check_only_the_stack(older.world, older.yaml, 4);
  CHECK(droplet_names(older.world) ==
        std::vector<std::string>{"shop-db-2", "shop-lb-2", "shop-web-3", "shop-web-4"});
  CHECK(older.world.cloud.volumes.begin()->first == volume);
  CHECK(plan::verify(older.world.stored, older.look(rig), std::nullopt)->holds());
}

}  // namespace
}  // namespace paas::reconcile::testing
