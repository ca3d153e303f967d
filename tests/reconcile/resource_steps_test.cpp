// What servers stand on: things of other stacks under our names, volumes that grow, firewalls that
// come late.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <utility>

#include "lockfile/names.hpp"
#include "reconcile/support/small_stack.hpp"

namespace paas::reconcile::testing {
namespace {

/// A stack with a database; with NAME and SERVICE in two places, two stacks have the same names.
std::string stack_of(const std::string& name, const std::string& service, int gigabytes = 10) {
  return fmt::format(R"(stack: {}
region: nyc3
ssh: {{from: [0.0.0.0/0]}}
images: {{postgres: {{pull: "example/postgres:16"}}}}
services:
  {}:
    type: db
    image: postgres
    port: 5432
    scheme: postgresql
    volume: {{size: {}GiB, mount: /var/lib/postgresql}}
    credentials: {{user: app, database: app, env: {{POSTGRES_PASSWORD: "{{password}}"}}}}
)",
                     name, service, gigabytes);
}

Outcome outcome_of(const Result<Outcome>& outcome) {
  REQUIRE_MESSAGE(outcome, (outcome ? "" : describe(outcome.error())));
  return *outcome;
}

/// The lockfile of another stack, whose run comes next.
void change_stack(World& world) {
  world.stored = {};
  world.stored.lineage = "fedcba9876543210fedcba9876543210";
}

TEST_CASE("reconcile: what another stack has under our names is neither taken nor destroyed") {
  World world;
  Rig other(world, stack_of("shop-eu", "db"));
  require_up(other);
  const auto made = world.cloud.volumes.begin()->second;
  const auto droplets = world.cloud.droplets.size();
  const auto kept = world.stored;
  change_stack(world);
  Rig ours(world, stack_of("shop", "eu-db"));
  const auto outcome = ours.up();
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().kind == ErrorKind::exists);
  CHECK(outcome.error().message.find("shop-eu-db exists already") != std::string::npos);
  CHECK(ours.http.changes.empty());
  // Intents that were written before anybody looked, as if both began at once.
  world.stored.applied = ours.stack;
  world.stored.volumes["shop-eu-db"] = {{"shop-eu-db", ""}, "eu-db", 10, "nyc3"};
  world.stored.firewalls["eu-db"] = {"shop-eu-db", ""};
  auto& server = lockfile::allocate_server(world.stored, "shop", "eu-db");
  server.region = "nyc3";
  CHECK_FALSE(ours.up());
  CHECK(outcome_of(ours.down(plan::Volumes::destroy)).failures.empty());
  CHECK(world.stored.servers.empty());
  CHECK(world.stored.volumes.empty());
  CHECK(world.cloud.droplets.size() == droplets);
  CHECK(world.cloud.firewalls.size() == 1);
  REQUIRE(world.cloud.volumes.size() == 1);
  CHECK(world.cloud.volumes.begin()->second.id == made.id);
  world.stored = kept;
  Rig again(world, stack_of("shop-eu", "db"));
  const auto plan = again.plan();
  REQUIRE(plan);
  CHECK(plan->empty());
}

TEST_CASE("reconcile: another lockfile of the same stack changes and destroys nothing") {
  World world;
  Rig first(world, stack_of("shop", "db"));
  require_up(first);
  const auto tags = world.cloud.tags;
  const auto kept = world.stored;
  change_stack(world);
  Rig second(world, stack_of("shop", "db"));
  const auto up = second.up();
  REQUIRE_FALSE(up);
  CHECK(up.error().kind == ErrorKind::invalid);
  CHECK_FALSE(second.down(plan::Volumes::destroy));
  CHECK(second.http.changes.empty());
  // Both began at once: it wrote its intents down before it could see anything.
  world.stored.applied = second.stack;
  lockfile::allocate_server(world.stored, "shop", "db").region = "nyc3";
  CHECK(outcome_of(second.down(plan::Volumes::destroy)).failures.empty());
  CHECK(second.http.changes.empty());
  CHECK(world.cloud.tags == tags);
  world.stored = kept;
  Rig again(world, stack_of("shop", "db"));
  const auto plan = again.plan();
  REQUIRE(plan);
  CHECK(plan->empty());
}

/// A private network of the stack's name that somebody else made.
cloud::Vpc add_their_vpc(World& world, const std::string& region) {
  cloud::Vpc theirs;
  theirs.id = "11111111-2222-3333-4444-555555555555";
  theirs.name = "shop";
  theirs.region = region;
  theirs.ip_range = "10.99.0.0/20";
  theirs.made = true;
  world.cloud.vpcs[theirs.id] = theirs;
  return theirs;
}

TEST_CASE("reconcile: a private network of our name that we did not make is left alone") {
  World world;
  const auto theirs = add_their_vpc(world, "nyc3");
  for (int run = 0; run < 2; ++run) {
    Rig rig(world, stack_of("shop", "db"));
    const auto outcome = outcome_of(rig.up());
    REQUIRE(outcome.failures.size() == 1);
    CHECK(outcome.failures[0].step.id == "create_vpc/shop");
    CHECK(outcome.failures[0].error.kind == ErrorKind::exists);
    CHECK(world.cloud.droplets.empty());
  }
  Rig rig(world, stack_of("shop", "db"));
  CHECK(outcome_of(rig.down(plan::Volumes::destroy)).failures.empty());
  CHECK(world.cloud.vpcs.contains(theirs.id));
}

TEST_CASE("reconcile: a private network of our name in another region is not ours to delete") {
  World world;
  const auto theirs = add_their_vpc(world, "fra1");
  Rig rig(world, stack_of("shop", "db"));
  world.stored.applied = rig.stack;
  world.stored.vpc = {"shop", ""};
  CHECK(outcome_of(rig.down(plan::Volumes::destroy)).failures.empty());
  CHECK_FALSE(world.stored.vpc);
  CHECK(world.cloud.vpcs.contains(theirs.id));
}

TEST_CASE("reconcile: what the API refuses to make is not expected to be there") {
  World world;
  Rig rig(world, stack_of("shop", "db"));
  rig.stack.region = "mars1";
  const auto outcome = outcome_of(rig.up());
  std::set<std::string> failed;
  for (const auto& failure : outcome.failures) failed.insert(failure.step.id);
  CHECK(failed == std::set<std::string>{"create_volume/shop-db", "create_vpc/shop"});
  CHECK_FALSE(world.stored.vpc);
  CHECK(world.stored.volumes.empty());
}

TEST_CASE("reconcile: a firewall that the API refuses is not expected to be there") {
  World world;
  Rig rig(world, stack_of("shop", "db"));
  rig.http.intercept = [&](const HttpRequest& request) -> Result<HttpResponse> {
    if (request.method != "POST" || !request.url.ends_with("/v2/firewalls")) {
      return rig.http.pass(request);
    }
    return HttpResponse{422, {}, R"({"id": "unprocessable_entity", "message": "no"})"};
  };
  CHECK_FALSE(outcome_of(rig.up()).failures.empty());
  CHECK(world.stored.firewalls.empty());
  Rig again(world, stack_of("shop", "db"));
  require_up(again);
}

TEST_CASE("reconcile: an address that somebody gave our droplet is neither taken nor released") {
  World world;
  Rig rig(world, small);
  require_up(rig);
  const auto address = world.stored.lb->reserved_ip;
  // The lockfile neither knows it nor asked for it.
  world.stored.lb->reserved_ip.clear();
  Rig again(world, small);
  const auto outcome = outcome_of(again.up());
  REQUIRE(outcome.failures.size() == 1);
  CHECK(outcome.failures.front().step.id == "create_address/shop-lb-1");
  CHECK(outcome.failures.front().error.kind == ErrorKind::exists);
  CHECK(outcome.failures.front().error.message ==
        "droplet shop-lb-1 has reserved IP " + address + ", which this stack did not reserve");
  Rig down(world, small);
  CHECK(outcome_of(down.down(plan::Volumes::destroy)).failures.empty());
  CHECK(world.cloud.droplets.empty());
  CHECK(world.cloud.reserved_ips.size() == 1);
}

TEST_CASE("reconcile: down leaves the stack's tag while a volume that nobody knows carries it") {
  World world;
  Rig rig(world, stack_of("shop", "db"));
  require_up(rig);
  const auto volume = world.stored.volumes.at("shop-db");
  world.stored.volumes.clear();
  world.stored.applied->services.front().volume.reset();
  Rig down(world, stack_of("shop", "db"));
  CHECK(outcome_of(down.down(plan::Volumes::destroy)).failures.empty());
  CHECK(world.cloud.droplets.empty());
  CHECK(world.cloud.volumes.contains(volume.volume.id));
  CHECK(world.cloud.tags.contains("paas:shop"));
}

std::vector<std::string> tags_of_volume(const World& world) {
  REQUIRE(world.cloud.volumes.size() == 1);
  return world.cloud.volumes.begin()->second.tags;
}

TEST_CASE("reconcile: a volume that down keeps has the stack's tag, until it goes as well") {
  World world;
  const std::vector<std::string> own = {"paas:shop"};
  Rig first(world, stack_of("shop", "db"));
  require_up(first);
  CHECK(tags_of_volume(world) == own);
  Rig down(world, stack_of("shop", "db"));
  require_down(down, plan::Volumes::keep);
  CHECK(tags_of_volume(world) == own);
  CHECK(world.cloud.tags.size() == 1);
  SUBCASE("it is used again") {
    Rig second(world, stack_of("shop", "db"));
    require_up(second);
    CHECK(tags_of_volume(world) == own);
    CHECK(second.plan()->empty());
  }
  SUBCASE("it is destroyed") {
    Rig destroy(world, stack_of("shop", "db"));
    require_down(destroy, plan::Volumes::destroy);
    check_nothing_left(world);
  }
  SUBCASE("it is destroyed by a run that is killed, and by the next one") {
    for (int kill = 1;; ++kill) {
      CAPTURE(kill);
      auto copy = world;
      Rig killed(copy, stack_of("shop", "db"));
      killed.fuse.set(kill);
      (void)killed.down(plan::Volumes::destroy);
      if (!killed.fuse.blown()) break;
      Rig again(copy, stack_of("shop", "db"));
      require_down(again, plan::Volumes::destroy);
      check_nothing_left(copy);
    }
  }
}

TEST_CASE("reconcile: a volume that was refused leaves the lockfile as it was") {
  World world;
  Rig first(world, stack_of("shop", "db"));
  bool is_first = false;
  SUBCASE("there was none before") { is_first = true; }
  SUBCASE("the one before was deleted by hand") {
    require_up(first);
    world.cloud.volumes.clear();
  }
  const auto before = world.stored.volumes;
  CHECK(before.empty() == is_first);
  Rig refused(world, stack_of("shop", "db"));
  refused.http.intercept = [&](const HttpRequest& request) -> Result<HttpResponse> {
    if (request.method == "POST" && request.url.ends_with("/v2/volumes")) {
      return HttpResponse{
          422, {}, R"({"id": "unprocessable_entity", "message": "volume limit exceeded"})"};
    }
    return refused.http.pass(request);
  };
  CHECK_FALSE(outcome_of(refused.up()).failures.empty());
  CHECK(world.stored.volumes == before);
}

TEST_CASE("reconcile: a volume that cannot be destroyed gets its tag back when it is used again") {
  World world;
  Rig first(world, stack_of("shop", "db"));
  require_up(first);
  Rig down(world, stack_of("shop", "db"));
  down.http.intercept = [&](const HttpRequest& request) -> Result<HttpResponse> {
    if (request.method == "DELETE" && request.url.find("/v2/volumes/") != std::string::npos) {
      return HttpResponse{403, {}, R"({"id": "forbidden", "message": "no"})"};
    }
    return down.http.pass(request);
  };
  CHECK(outcome_of(down.down(plan::Volumes::destroy)).failures.size() == 1);
  CHECK(tags_of_volume(world).empty());
  CHECK(world.stored.volumes.contains("shop-db"));
  Rig second(world, stack_of("shop", "db"));
  require_up(second);
  CHECK(tags_of_volume(world) == std::vector<std::string>{"paas:shop"});
  CHECK(second.plan()->empty());
}

TEST_CASE("reconcile: a volume that lost its tag is tagged again, and nothing else is done") {
  World world;
  Rig first(world, stack_of("shop", "db"));
  require_up(first);
  auto& tags = world.cloud.volumes.begin()->second.tags;
  tags.clear();
  SUBCASE("and has another tag") { tags = {"backup"}; }
  SUBCASE("and the tag itself is gone") { world.cloud.tags.erase("paas:shop"); }
  Rig second(world, stack_of("shop", "db"));
  CHECK(step_ids(*second.plan()) == "tag_volume/shop-db: it lacks paas:shop\n");
  require_up(second);
  CHECK(tags_of_volume(world).back() == "paas:shop");
  CHECK(second.plan()->empty());
}

TEST_CASE("reconcile: an untagged volume that an interrupted run made is tagged as it is taken") {
  World world;
  Rig first(world, stack_of("shop", "db"));
  require_up(first);
  world.cloud.volumes.begin()->second.tags.clear();
  world.stored.volumes.at("shop-db").volume.id.clear();
  Rig second(world, stack_of("shop", "db"));
  require_up(second);
  CHECK(tags_of_volume(world) == std::vector<std::string>{"paas:shop"});
}

TEST_CASE("reconcile: down deletes the tags of services that left the stack before") {
  World world;
  const auto both = stack_of("shop", "db") +
                    "  cache: {type: cache, image: postgres, port: 6379, scheme: redis}\n";
  Rig before(world, both);
  require_up(before);
  REQUIRE(world.cloud.tags.contains("paas:shop:cache"));
  Rig after(world, stack_of("shop", "db"));
  require_up(after);
  CHECK(outcome_of(after.down(plan::Volumes::destroy)).failures.empty());
  CHECK(world.cloud.tags.empty());
}

TEST_CASE("reconcile: a stranger's droplet of our name is not ours to take or to destroy") {
  World world;
  {
    Rig killed(world, stack_of("shop", "db"));
    killed.fuse.set(1);
    (void)killed.up();
  }
  REQUIRE(world.stored.servers.contains("shop-db-1"));
  HttpRequest request;
  request.method = "POST";
  request.url = "http://127.0.0.1:4000/v2/droplets";
  request.body = R"({"name": "shop-db-1", "region": "nyc3", "size": "s-1vcpu-1gb",
                     "image": "debian-12-x64"})";
  Rig rig(world, stack_of("shop", "db"));
  const auto made = rig.http.send(request);
  REQUIRE(made);
  REQUIRE(made->status == 202);
  const auto stranger = world.cloud.droplets.begin()->first;
  require_up(rig);
  CHECK(world.cloud.droplets.size() == 2);
  CHECK(world.stored.servers.at("shop-db-1").droplet.id != std::to_string(stranger));
  world.stored.servers.at("shop-db-1").droplet.id.clear();
  CHECK(outcome_of(rig.down(plan::Volumes::destroy)).failures.empty());
  REQUIRE(world.cloud.droplets.contains(stranger));
  CHECK_FALSE(world.cloud.droplets.at(stranger).leaving);
}

TEST_CASE("reconcile: a volume's file system grows, wherever the run that grew it was killed") {
  World before;
  Rig first(before, stack_of("shop", "db"));
  require_up(first);
  const auto bigger = stack_of("shop", "db", 20);
  int effects = 0;
  {
    auto world = before;
    Rig measured(world, bigger);
    require_up(measured);
    effects = measured.fuse.spent();
    CHECK(world.insides.grown ==
          std::vector<std::string>{"/dev/disk/by-id/scsi-0DO_Volume_shop-db"});
  }
  REQUIRE(effects >= 3);
  for (int kill = 1; kill <= effects; ++kill) {
    CAPTURE(kill);
    auto world = before;
    Rig killed(world, bigger);
    killed.fuse.set(kill);
    (void)killed.up();
    Rig fresh(world, bigger);
    require_up(fresh);
    CHECK_FALSE(world.insides.grown.empty());
    CHECK(world.cloud.volumes.begin()->second.size_gigabytes == 20);
    CHECK(world.stored.volumes.at("shop-db").size_gigabytes == 20);
    const auto next = fresh.plan();
    REQUIRE(next);
    CHECK(next->empty());
  }
}

/// How often a volume was detached by a `down` whose answers to that are lost that often.
int detached_by_down(int lost_answers, bool takes_effect) {
  World world;
  Rig rig(world, stack_of("shop", "db"));
  require_up(rig);
  int effects = 0;
  rig.http.intercept = [&](const HttpRequest& request) -> Result<HttpResponse> {
    const bool detaches = request.method == "POST" && request.url.ends_with("/actions") &&
                          request.body.find("detach") != std::string::npos;
    if (!detaches) return rig.http.pass(request);
    const bool is_lost = lost_answers-- > 0;
    if (is_lost && !takes_effect) return HttpResponse{500, {}, R"({"id": "server_error"})"};
    ++effects;
    auto response = rig.http.pass(request);
    if (!is_lost) return response;
    return fail(ErrorKind::unreachable, "the connection was reset");
  };
  const auto outcome = outcome_of(rig.down(plan::Volumes::keep));
  if (!outcome.failures.empty()) return -1;
  CHECK(world.cloud.droplets.empty());
  return effects;
}

TEST_CASE("reconcile: after a lost answer to an action it is looked whether it came about") {
  CHECK(detached_by_down(1, true) == 1);
  CHECK(detached_by_down(1, false) == 1);
  CHECK(detached_by_down(2, false) == 1);
  CHECK(detached_by_down(3, false) == -1);
}

TEST_CASE("reconcile: after the first refusal of an action it is looked whether it came about") {
  World world;
  Rig rig(world, stack_of("shop", "db"));
  require_up(rig);
  // What an interrupted run asked for ends between the look and the request.
  bool comes_about = false;
  SUBCASE("it did") { comes_about = true; }
  SUBCASE("it did not") {}
  int asked = 0;
  rig.http.intercept = [&](const HttpRequest& request) -> Result<HttpResponse> {
    const bool detaches = request.method == "POST" && request.url.ends_with("/actions") &&
                          request.body.find("detach") != std::string::npos;
    if (!detaches) return rig.http.pass(request);
    ++asked;
    if (!comes_about) {
      return HttpResponse{422, {}, R"({"id": "unprocessable_entity", "message": "not this one"})"};
    }
    for (auto& [id, volume] : world.cloud.volumes) volume.droplet_id = 0;
    for (auto& [id, droplet] : world.cloud.droplets) droplet.volume_ids.clear();
    const auto answer = rig.http.pass(request);
    CHECK(answer->body.find("Attachment not found") != std::string::npos);
    return answer;
  };
  const auto outcome = outcome_of(rig.down(plan::Volumes::keep));
  CHECK(outcome.failures.empty() == comes_about);
  CHECK(asked == (comes_about ? 1 : 2));
}

TEST_CASE("reconcile: an address that is there when it is asked for again is the stack's") {
  World world;
  Rig first(world, small);
  require_up(first);
  // An interrupted run asked for it, and its droplet gets it between the look and the request.
  auto& reserved = world.cloud.reserved_ips.begin()->second;
  const auto droplet = std::exchange(reserved.droplet_id, 0);
  const auto ip = std::exchange(world.stored.lb->reserved_ip, "");
  world.stored.lb->intended_for = std::to_string(droplet);
  bool comes_about = false;
  SUBCASE("it is") { comes_about = true; }
  SUBCASE("it is not") {}
  Rig rig(world, small);
  rig.http.intercept = [&](const HttpRequest& request) -> Result<HttpResponse> {
    if (request.method != "POST" || !request.url.ends_with("/v2/reserved_ips")) {
      return rig.http.pass(request);
    }
    if (!comes_about) {
      return HttpResponse{422, {}, R"({"id": "unprocessable_entity", "message": "no more"})"};
    }
    reserved.droplet_id = droplet;
    auto answer = rig.http.pass(request);
    CHECK(answer->body.find("already has a reserved IP") != std::string::npos);
    return answer;
  };
  const auto outcome = outcome_of(rig.up());
  CHECK(outcome.failures.empty() == comes_about);
  CHECK(world.cloud.reserved_ips.size() == 1);
  CHECK(world.stored.lb->reserved_ip == (comes_about ? ip : ""));
  // Whether a refused one is still on its way is unknown.
  CHECK(world.stored.lb->intended_for.empty() == comes_about);
}

TEST_CASE("reconcile: a container waits until its server's firewall is there") {
  World world;
  Rig rig(world, stack_of("shop", "db"));
  rig.http.early_answers = 3;
  require_up(rig);
  CHECK(rig.http.early_answers == 0);
  CHECK(world.insides.machines.at("shop-db-1").containers.size() == 1);
}

TEST_CASE("reconcile: without its server's firewall no container starts") {
  World world;
  Rig rig(world, stack_of("shop", "db"));
  rig.http.early_answers = 1'000'000;
  const auto outcome = outcome_of(rig.up());
  REQUIRE(outcome.failures.size() == 1);
  CHECK(outcome.failures[0].step.id == "start_container/shop-db-1");
  CHECK(outcome.failures[0].error.kind == ErrorKind::timed_out);
  CHECK(world.insides.machines.at("shop-db-1").containers.empty());
}

}  // namespace
}  // namespace paas::reconcile::testing
