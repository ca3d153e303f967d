// Who servers pull as.
#include "reconcile/registry_logins.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "reconcile/support/rig.hpp"
#include "reconcile/support/small_stack.hpp"

namespace paas::reconcile::testing {
namespace {

/// `small` with its web image somewhere else, and logins.
std::string pulling(const std::string& reference, const std::string& registries) {
  return with(std::string(small), "example/web:1", reference) + registries;
}

TEST_CASE("registry: servers pull with the login of the image's registry, and only of that") {
  World world;
  const auto yaml = pulling("ghcr.io/acme/web:1",
                            "registries: {ghcr.io: {username: bot, password: {env: TOKEN}}}\n");
  Rig rig(world, yaml);
  rig.variables.values["TOKEN"] = "hunter22\n";
  require_up(rig);
  // Two servers of web; the one of db pulls from Docker Hub as nobody.
  REQUIRE(rig.machines.pulled_as.size() == 2);
  for (const auto& login : rig.machines.pulled_as) {
    CHECK(login.host == "ghcr.io");
    CHECK(login.username == "bot");
    CHECK(login.password == Secret("hunter22"));
  }
}

TEST_CASE("registry: a password that is not there is told before anything is pulled") {
  World world;
  const auto yaml = pulling("ghcr.io/acme/web:1",
                            "registries: {ghcr.io: {username: bot, password: {env: TOKEN}}}\n");
  Rig rig(world, yaml);
  const auto outcome = rig.up();
  REQUIRE(outcome);
  CHECK(all_of(outcome->failures).find("the environment variable TOKEN is not set") !=
        std::string::npos);
  CHECK(rig.machines.pulled_as.empty());
}

TEST_CASE("case 31: a login that expires in the middle leaves what serves, and a new one goes on") {
  World world;
  const std::string logins = "registries: {ghcr.io: {username: bot, password: {env: TOKEN}}}\n";
  const auto run = [&world, &logins](const std::string& reference, const std::string& token,
                                     int pulls) {
    Rig rig(world, pulling(reference, logins));
    rig.variables.values["TOKEN"] = token;
    rig.machines.pulls_left = {{token, pulls}};
    rig.options.parallelism = 1;
    const auto outcome = rig.up();
    REQUIRE_MESSAGE(outcome, (outcome ? "" : describe(outcome.error())));
    return *outcome;
  };
  CHECK(all_of(run("ghcr.io/acme/web:1", "old token", 2).failures) == "");
  const auto before = world.insides.machines;

  const auto refused = run("ghcr.io/acme/web:2", "old token", 1);
  REQUIRE(refused.failures.size() == 1);
  CHECK(refused.failures.front().step.id == "send_image/shop-web-2");
  CHECK(refused.failures.front().error.kind == ErrorKind::unauthorised);
  CHECK(refused.failures.front().error.hint.find("registries.ghcr.io") != std::string::npos);
  const auto& balancer = *world.insides.machines.at("shop-lb-1").balancer;
  CHECK(balancer.in_rotation.at("web") == before.at("shop-lb-1").balancer->in_rotation.at("web"));
  for (const auto* server : {"shop-web-1", "shop-web-2"}) {
    const auto& containers = world.insides.machines.at(server).containers;
    const auto old = std::find_if(containers.begin(), containers.end(), [](const auto& container) {
      return container.name == "shop-web-1";
    });
    REQUIRE(old != containers.end());
    CHECK(old->state == "running");
  }

  // One pull is left to do.
  CHECK(all_of(run("ghcr.io/acme/web:2", "new token", 1).failures) == "");
  CHECK(balancer.in_rotation.at("web") == std::set<std::string>{"shop-web-1.r2", "shop-web-2.r2"});
  check_only_the_stack(world, pulling("ghcr.io/acme/web:2", logins), 4);
}

TEST_CASE("registry: of DigitalOcean's own the account gives one login to all that read") {
  World world;
  const auto yaml = pulling("registry.digitalocean.com/acme/web:1", "");
  world.cloud.registries["acme"] = {"acme", "nyc3", "basic", {}};
  Rig rig(world, yaml);
  require_up(rig);
  REQUIRE(rig.machines.pulled_as.size() == 2);
  CHECK(rig.machines.pulled_as[0].host == "registry.digitalocean.com");
  CHECK_FALSE(rig.machines.pulled_as[0].password.empty());
  CHECK(rig.machines.pulled_as[0].password == rig.machines.pulled_as[1].password);
}

TEST_CASE("registry: without a registry of the account the way on is told") {
  World world;
  Rig rig(world, pulling("registry.digitalocean.com/acme/web:1", ""));
  const auto outcome = rig.up();
  REQUIRE(outcome);
  const auto& failures = outcome->failures;
  const auto failed = std::find_if(failures.begin(), failures.end(), [](const auto& failure) {
    return failure.step.id == "send_image/shop-web-1";
  });
  REQUIRE(failed != failures.end());
  CHECK(failed->error.hint.find("registries") != std::string::npos);
}

TEST_CASE("registry: a login of the stack file goes before the account's") {
  World world;
  const auto yaml = pulling("registry.digitalocean.com/acme/web:1",
                            "registries: {registry.digitalocean.com: {username: ci, password: "
                            "{env: TOKEN}}}\n");
  world.cloud.registries["acme"] = {"acme", "nyc3", "basic", {}};
  Rig rig(world, yaml);
  rig.variables.values["TOKEN"] = "hunter22";
  require_up(rig);
  REQUIRE_FALSE(rig.machines.pulled_as.empty());
  CHECK(rig.machines.pulled_as[0].username == "ci");
}

TEST_CASE("registry: a refused pull says which login was used, or how to give one") {
  const auto refused = [](const std::string& text) { return make_error(ErrorKind::failed, text); };
  const auto anonymous = explain_pull(
      refused("pull access denied for acme/web, repository does not exist or may require login"),
      "acme/web:1", std::nullopt);
  CHECK(anonymous.kind == ErrorKind::unauthorised);
  CHECK(anonymous.hint ==
        "if it is private, give the stack file a login: registries: {docker.io: {username: NAME, "
        "password: {env: VARIABLE}}}");
  const docker::RegistryLogin login{"ghcr.io", "bot", Secret("hunter22")};
  const auto wrong = explain_pull(refused("Head: unauthorized: authentication required"),
                                  "ghcr.io/acme/web:1", login);
  CHECK(wrong.hint ==
        "the registry refused bot: look at registries.ghcr.io in the stack file, and at what it "
        "names");
  const auto other = explain_pull(refused("no space left on device"), "acme/web:1", std::nullopt);
  CHECK(other.kind == ErrorKind::failed);
  CHECK(other.hint.empty());
}

}  // namespace
}  // namespace paas::reconcile::testing
