// What `state verify` finds, and what it may remove.
#include "plan/verify.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "plan/numbers.hpp"
#include "plan/support/world.hpp"

namespace paas::plan::testing {
namespace {

constexpr const char* own_network = "vpc-of-the-stack";

struct VerifyFixture {
  VerifyFixture() {
    world.up();
    world.lock().vpc->id = own_network;
    for (auto& [name, server] : world.input.observed.servers) server.droplet.vpc_id = own_network;
  }
  Verification verified(std::optional<bool> key_found = true) const {
    auto result = verify(world.input.lockfile, world.input.observed, key_found);
    if (!result) FAIL(describe(result.error()));
    return *result;
  }
  /// Only what is not ok, a line each.
  std::string problems(std::optional<bool> key_found = true) const {
    std::string text;
    for (const auto& finding : verified(key_found).findings) {
      if (finding.condition == Condition::ok) continue;
      text += fmt::format("{} {}: {}\n", to_text(finding.condition),
                          lockfile::address_of(finding.resource), finding.detail);
    }
    return text;
  }
  digitalocean::Droplet& add_droplet(const std::string& name, std::int64_t id,
                                     const std::string& vpc) {
    auto& droplet = world.input.observed.servers[name].droplet;
    droplet.name = name;
    droplet.id = id;
    droplet.vpc_id = vpc;
    droplet.status = "active";
    droplet.tags = {"paas:zipkick", "paas:zipkick:frontend"};
    return droplet;
  }
  World world;
};

TEST_CASE("verify: a stack that is as it was applied holds") {
  VerifyFixture f;
  CHECK(f.problems() == "");
  CHECK(f.verified().holds());
  CHECK(f.verified().findings.size() == 1 + 1 + 1 + 5 + 1 + 7);
}

TEST_CASE("verify: the stack file is not asked") {
  VerifyFixture f;
  f.world.service("frontend").env["MODE"] = "other";
  f.world.change_image("web");
  CHECK(f.verified().holds());
}

TEST_CASE("verify: what is gone is missing") {
  VerifyFixture f;
  f.world.destroy_droplet("zipkick-frontend-2");
  f.world.input.observed.volumes.clear();
  f.world.input.observed.firewalls.erase("zipkick-cache");
  f.world.input.observed.reserved_ips.clear();
  const auto address = f.world.lock().lb->reserved_ip;
  const auto text = f.problems(false);
  for (const auto& line : {std::string("missing key/paasctl-zipkick: it is gone\n"),
                           "missing address/" + address + ": it is gone\n",
                           std::string("missing firewall/zipkick-cache: it is gone\n"),
                           std::string("missing volume/zipkick-db: it is gone\n"),
                           std::string("missing server/zipkick-frontend-2: it is gone\n")}) {
    CHECK_MESSAGE(text.find(line) != std::string::npos, text);
  }
}

TEST_CASE("verify: what was changed by hand differs, and says how") {
  VerifyFixture f;
  f.world.container("zipkick-backend-1").state = "exited";
  f.world.input.observed.firewalls.at("zipkick-db").spec.inbound.pop_back();
  f.world.power_off("zipkick-cache-1");
  const auto text = f.problems();
  CHECK_MESSAGE(
      text.find("differs server/zipkick-backend-1: its container is exited") != std::string::npos,
      text);
  CHECK_MESSAGE(
      text.find("differs firewall/zipkick-db: its rules differ from what the stack says") !=
          std::string::npos,
      text);
  CHECK_MESSAGE(text.find("differs server/zipkick-cache-1: it is powered off") != std::string::npos,
                text);
}

TEST_CASE("verify: a server that does not answer is unknown, not missing") {
  VerifyFixture f;
  f.world.cut_off("zipkick-db-1");
  CHECK(f.problems() == "unknown server/zipkick-db-1: connecting to it took longer than 10s\n");
}

TEST_CASE("verify: an intent that came to nothing is missing") {
  VerifyFixture f;
  auto& server = f.world.lock().servers["zipkick-frontend-3"];
  server.service = "frontend";
  server.number = 3;
  server.droplet.name = "zipkick-frontend-3";
  f.world.lock().services.at("frontend").next_number = 4;
  CHECK(
      f.problems().find("missing server/zipkick-frontend-3: it was meant to be made and was not") !=
      std::string::npos);
}

TEST_CASE("verify: an address on the stack's droplet that the lockfile does not know is told") {
  VerifyFixture f;
  const auto address = f.world.lock().lb->reserved_ip;
  f.world.interrupt_address();
  CHECK(f.verified().orphans.empty());
  f.world.lock().lb->intended_for.clear();
  const auto orphans = f.verified().orphans;
  REQUIRE(orphans.size() == 1);
  CHECK(orphans[0].kind == "address");
  CHECK(orphans[0].name == address);
  CHECK_FALSE(orphans[0].removable);
  CHECK(orphans[0].detail == "it is on droplet zipkick-lb-1");
  // On an orphan it is told as well, and on a droplet of another network it is somebody else's.
  auto& elsewhere = f.add_droplet("zipkick-lb-9", 900, "elsewhere");
  f.world.input.observed.reserved_ips.front().droplet_id = elsewhere.id;
  CHECK(f.verified().orphans.size() == 1);
  elsewhere.vpc_id = own_network;
  CHECK(f.verified().orphans.size() == 2);
}

TEST_CASE("verify: orphans are told, and only those of the own network are removable") {
  VerifyFixture f;
  f.add_droplet("zipkick-frontend-9", 900, own_network);
  f.add_droplet("zipkick-frontend-8", 800, "elsewhere");
  auto twin = f.world.server("zipkick-db-1").droplet;
  twin.id = 4711;
  f.world.input.observed.namesakes.push_back(twin);
  auto& volume = f.world.input.observed.volumes["zipkick-old"];
  volume.name = "zipkick-old";
  volume.id = "v-old";
  volume.tags = {"paas:zipkick"};
  const auto result = f.verified();
  CHECK_FALSE(result.holds());
  std::string text;
  for (const auto& orphan : result.orphans) {
    text += fmt::format("{} {} {} {}\n", orphan.kind, orphan.name, orphan.id, orphan.removable);
  }
  CHECK(text ==
        "droplet zipkick-frontend-8 800 false\n"
        "droplet zipkick-frontend-9 900 true\n"
        "droplet zipkick-db-1 4711 true\n"
        "volume zipkick-old v-old false\n");

  const auto plan = make_removal(f.world.lock(), result.orphans);
  REQUIRE(plan.steps.size() == 2);
  CHECK(plan.steps[0].id == "delete_server/zipkick-frontend-9");
  CHECK(plan.steps[1].id == "delete_server/zipkick-db-1.4711");
  CHECK(plan.lockfile.servers.at("zipkick-db-1.4711").droplet.id == "4711");
  CHECK(plan.lockfile.servers.at("zipkick-db-1.4711").leaving);
  CHECK(plan.lockfile.servers.at("zipkick-db-1") == f.world.lock().servers.at("zipkick-db-1"));
  CHECK(plan.lockfile.services.at("frontend").next_number == 10);
}

/// Names of what an orphan of that name would lose, now and when its removal was cut short.
std::string losses_with(const std::string& name) {
  VerifyFixture f;
  f.add_droplet(name, 900, own_network);
  const auto orphans = f.verified().orphans;
  REQUIRE(orphans.size() == 1);
  auto removal = make_removal(f.world.lock(), orphans);
  std::string names;
  for (const auto& loss : removal.losses) names += loss.name;
  CHECK(orphans[0].may_hold_data == !names.empty());
  CHECK(orphans[0].detail.empty() == names.empty());
  f.world.lock() = removal.lockfile;
  std::string later;
  for (const auto& loss : f.world.plan().losses) later += loss.name;
  CHECK(later == names);
  return names;
}

TEST_CASE("verify: an orphan that may be a database's is removed only when it is named") {
  CHECK(losses_with("zipkick-db-9") == "zipkick-db-9");
  CHECK(losses_with("zipkick-notes-9") == "zipkick-notes-9");
  CHECK(losses_with("zipkick") == "zipkick");
  CHECK(losses_with("zipkick-frontend-9") == "");
  CHECK(losses_with("zipkick-cache-9") == "");
  CHECK(losses_with("zipkick-lb-9") == "");
  CHECK(losses_with("zipkick-web-builder-12345678") == "");
}

TEST_CASE("verify: the text of a loss has the orphan's identifier, for names are not unique") {
  VerifyFixture f;
  auto twin = f.world.server("zipkick-db-1").droplet;
  twin.id = 4711;
  f.world.input.observed.namesakes.push_back(twin);
  const auto plan = make_removal(f.world.lock(), f.verified().orphans);
  REQUIRE(plan.losses.size() == 1);
  CHECK(plan.losses[0].name == "zipkick-db-1.4711");
  CHECK(plan.losses[0].text == "droplet zipkick-db-1 (4711), which may hold data");
}

TEST_CASE("verify: a removal that was interrupted is finished by the next plan") {
  VerifyFixture f;
  f.add_droplet("zipkick-frontend-9", 900, own_network);
  f.world.lock() = make_removal(f.world.lock(), f.verified().orphans).lockfile;
  const auto plan = f.world.plan();
  REQUIRE(plan.steps.size() == 1);
  CHECK(plan.steps[0].id == "delete_server/zipkick-frontend-9");
}

TEST_CASE("verify: a firewall goes only where no other lockfile can need it") {
  VerifyFixture f;
  auto& firewall = f.world.input.observed.firewalls["zipkick-old"];
  firewall.id = "fw-old";
  firewall.spec.name = "zipkick-old";
  firewall.spec.tags = {"paas:zipkick:old"};
  auto orphans = f.verified().orphans;
  REQUIRE(orphans.size() == 1);
  CHECK(orphans[0].removable);
  const auto plan = make_removal(f.world.lock(), orphans);
  REQUIRE(plan.steps.size() == 1);
  CHECK(plan.steps[0].id == "delete_firewall/old");
  CHECK(plan.lockfile.firewalls.at("old").id == "fw-old");
  f.add_droplet("zipkick-frontend-8", 800, "elsewhere");
  orphans = f.verified().orphans;
  REQUIRE(orphans.size() == 2);
  CHECK_FALSE(orphans[1].removable);
}

TEST_CASE(
    "plan: a droplet with a number that was not given out proves that the lockfile is older") {
  VerifyFixture f;
  f.add_droplet("zipkick-frontend-3", 900, own_network);
  const auto plan = make(f.world.input);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().kind == ErrorKind::invalid);
  CHECK(plan.error().message ==
        "the lockfile is older than the cloud: droplet zipkick-frontend-3 (900) is in its network, "
        "and it has given out numbers up to 2 only");
  CHECK(plan.error().hint.find("`paasctl state accept`") != std::string::npos);
  raise_numbers("zipkick", f.world.input.observed, f.world.lock());
  CHECK(f.world.lock().services.at("frontend").next_number == 4);
  CHECK(make(f.world.input));
}

TEST_CASE("plan: droplets of another network, builders and old numbers prove nothing") {
  VerifyFixture f;
  f.add_droplet("zipkick-frontend-3", 900, "elsewhere");
  f.add_droplet("zipkick-web-builder-12345678", 901, own_network);
  f.world.lock().services.at("frontend").next_number = 8;
  f.add_droplet("zipkick-frontend-7", 902, own_network);
  CHECK(make(f.world.input));
}

}  // namespace
}  // namespace paas::plan::testing
