// A stack whose lockfile is lost, against the local cloud's core: rebuilt, and brought up again.
#include "plan/rebuild.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "observe/observe.hpp"
#include "plan/verify.hpp"
#include "reconcile/support/rig.hpp"

namespace paas::reconcile::testing {
namespace {

constexpr std::string_view lost_stack = R"(stack: shop
region: nyc3
ssh: {from: [0.0.0.0/0]}
images: {web: {pull: "example/web:1"}, postgres: {pull: "example/postgres:16"}}
services:
  web: {type: web, image: web, port: 8000, scale: {min: 2, max: 3}, links: [db]}
  db:
    type: db
    image: postgres
    port: 5432
    scheme: postgresql
    volume: {size: 10GiB, mount: /var/lib/postgresql}
    credentials: {user: app, database: app, env: {POSTGRES_PASSWORD: "{password}"}, set: [/usr/local/bin/set-password]}
lb: {listen: [80], rules: [{to: web}]}
)";

enum class Servers { reached, silent };

struct LostStack {
  LostStack() { bring_up(); }

  void bring_up() {
    Rig rig(world, lost_stack);
    const auto outcome = rig.up();
    REQUIRE_MESSAGE(outcome, (outcome ? "" : describe(outcome.error())));
    for (const auto& failure : outcome->failures) {
      FAIL_CHECK(failure.step.id << ": " << describe(failure.error));
    }
    REQUIRE(outcome->skipped == 0);
    stages.clear();
    for (const auto& event : rig.events) {
      if (event.kind == EventKind::stage) stages.insert(event.step.id + ": " + event.text);
    }
  }

  digitalocean::Client client(Rig& rig) {
    return {rig.http, rig.clock, {"http://127.0.0.1:4000", Secret("dop_v1_test"), {}, {}, [] {
                                    return 0.5;
                                  }}};
  }

  observe::Observed look(Rig& rig, observe::Depth depth) {
    auto api = client(rig);
    auto seen = observe::observe(api, rig.machines, world.stored, "shop", "nyc3", {depth, 1});
    REQUIRE(seen);
    return *seen;
  }

  /// The lockfile is lost; another takes its place.
  void rebuild(Servers servers) {
    const auto old_key = world.stored.ssh_key;
    world.stored = {};
    world.stored.lineage = "fedcba9876543210fedcba9876543210";
    Rig rig(world, lost_stack);
    auto api = client(rig);
    plan::Remains remains;
    remains.stack = rig.stack;
    remains.observed = look(rig, observe::Depth::cloud);
    remains.vpcs = *api.vpcs();
    for (auto& [name, server] : remains.observed.servers) {
      if (servers == Servers::silent) continue;
      auto inside = rig.machines.look({name, server.droplet.public_address, "shown"}, "shop",
                                      name == "shop-lb-1");
      REQUIRE(inside);
      server.machine = *inside;
      remains.host_keys[name] = "ssh-ed25519 shown-by-" + name;
    }
    auto rebuilt = plan::rebuild(world.stored, remains);
    REQUIRE(rebuilt);
    world.stored = rebuilt->lockfile;
    // As the command does: another key, which the provider has not heard of.
    world.stored.ssh_key = old_key;
    world.stored.ssh_key->key.id.clear();
  }

  void check_holds() {
    Rig rig(world, lost_stack);
    const auto plan = rig.plan();
    REQUIRE(plan);
    std::string left;
    for (const auto& step : plan->steps) left += step.id + ": " + step.cause + "\n";
    CHECK(left == "");
    const auto verified =
        plan::verify(world.stored, look(rig, observe::Depth::machines), std::nullopt);
    REQUIRE(verified);
    CHECK(verified->holds());
  }

  std::vector<std::string> droplets() const {
    std::vector<std::string> names;
    for (const auto& [id, droplet] : world.cloud.droplets) {
      if (!droplet.leaving) names.push_back(droplet.name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  World world;
  std::set<std::string> stages;  ///< Of the last run, with their steps.
};

TEST_CASE("rebuild: a lost lockfile is made again, and the servers stay") {
  LostStack lost;
  const auto before = lost.droplets();
  const auto password = lost.world.stored.services.at("db").password;
  lost.rebuild(Servers::reached);
  CHECK(lost.world.stored.services.at("db").rotation);
  lost.bring_up();
  lost.check_holds();
  CHECK(lost.droplets() == before);
  CHECK(lost.world.cloud.volumes.size() == 1);
  CHECK(lost.world.cloud.reserved_ips.size() == 1);
  const auto& db = lost.world.stored.services.at("db");
  CHECK_FALSE(db.rotation);
  CHECK_FALSE(db.password.empty());
  const auto& web = lost.world.insides.machines.at("shop-web-1").containers;
  REQUIRE(web.size() == 1);
  CHECK(web.front().environment.at("DB_PASSWORD") == db.password.reveal());
  CHECK(lost.stages.contains("set_password/db: password set"));
}

TEST_CASE("rebuild: servers that cannot be looked at are replaced, and the volume is kept") {
  LostStack lost;
  const auto volume = lost.world.cloud.volumes.begin()->first;
  lost.rebuild(Servers::silent);
  lost.bring_up();
  lost.check_holds();
  CHECK(lost.droplets() ==
        std::vector<std::string>{"shop-db-2", "shop-lb-2", "shop-web-3", "shop-web-4"});
  REQUIRE(lost.world.cloud.volumes.size() == 1);
  CHECK(lost.world.cloud.volumes.begin()->first == volume);
  CHECK(lost.world.cloud.reserved_ips.size() == 1);
  CHECK_FALSE(lost.world.stored.services.at("db").rotation);
  CHECK(lost.stages.contains("set_password/db: password set"));
}

TEST_CASE("rebuild: a volume that `down` kept is found when the lockfile is lost afterwards") {
  LostStack lost;
  const auto volume = lost.world.cloud.volumes.begin()->first;
  {
    Rig down(lost.world, lost_stack);
    const auto outcome = down.down(plan::Volumes::keep);
    REQUIRE(outcome);
    REQUIRE(outcome->failures.empty());
  }
  lost.rebuild(Servers::reached);
  CHECK(lost.world.stored.volumes.at("shop-db").volume.id == volume);
  lost.bring_up();
  lost.check_holds();
  REQUIRE(lost.world.cloud.volumes.size() == 1);
  CHECK(lost.world.cloud.volumes.begin()->first == volume);
}

TEST_CASE("verify: orphans are destroyed, and an interruption is finished by the next run") {
  LostStack lost;
  // An older lockfile: it does not know the third server.
  const auto older = lost.world.stored;
  auto more = lost.world.stored;
  more.services.at("web").count = 3;
  lost.world.stored = more;
  lost.bring_up();
  REQUIRE(lost.droplets().size() == 5);
  const auto serial = lost.world.stored.serial;
  lost.world.stored = older;
  lost.world.stored.serial = serial;
  Rig rig(lost.world, lost_stack);
  // The cloud proves that it is older.
  const auto refused = rig.plan();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::invalid);
  const auto verified =
      plan::verify(lost.world.stored, lost.look(rig, observe::Depth::machines), std::nullopt);
  REQUIRE(verified);
  REQUIRE(verified->orphans.size() == 1);
  CHECK(verified->orphans[0].name == "shop-web-3");
  // Written down as what leaves, and then the run is killed.
  lost.world.stored = plan::make_removal(lost.world.stored, verified->orphans).lockfile;
  lost.bring_up();
  CHECK(lost.droplets().size() == 4);
  lost.check_holds();
}

}  // namespace
}  // namespace paas::reconcile::testing
