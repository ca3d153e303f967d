// A lockfile of one cloud or account says nothing about another.
#include "lockfile/cloud.hpp"

#include <doctest/doctest.h>

#include "lockfile/support/fakes.hpp"

namespace paas::lockfile {
namespace {

using testing::full_lockfile;

const Cloud ours = {"https://api.digitalocean.com", "team-a"};
const Cloud other_account = {"https://api.digitalocean.com", "team-b"};
const Cloud other_url = {"local:b", "team-a"};

Lockfile known() {
  auto lockfile = full_lockfile();
  lockfile.cloud_url = ours.url;
  lockfile.cloud_account = ours.account;
  return lockfile;
}

/// Nothing that was made in a cloud.
Lockfile empty() {
  Lockfile lockfile;
  lockfile.cloud_url = ours.url;
  lockfile.cloud_account = ours.account;
  lockfile.services["web"].count = 3;
  return lockfile;
}

TEST_CASE("lockfile: the cloud it was applied to is no difference") {
  auto lockfile = known();
  REQUIRE(bind_cloud(lockfile, ours, Loss::refuse));
  CHECK(lockfile == known());
  REQUIRE(bind_cloud(lockfile, ours, Loss::accept));
  CHECK(lockfile == known());
}

TEST_CASE("lockfile: another account or address is refused while anything is known there") {
  std::vector<Lockfile> kinds(7, empty());
  kinds[0].servers = known().servers;
  kinds[1].volumes = known().volumes;
  kinds[2].firewalls = known().firewalls;
  kinds[3].vpc = known().vpc;
  kinds[4].ssh_key = known().ssh_key;
  kinds[5].lb = known().lb;
  kinds[6].temporary = known().temporary;
  for (const auto& kind : kinds) {
    for (const auto& cloud : {other_account, other_url}) {
      auto lockfile = kind;
      const auto bound = bind_cloud(lockfile, cloud, Loss::refuse);
      REQUIRE_FALSE(bound);
      CHECK(bound.error().kind == ErrorKind::invalid);
      CHECK(bound.error().hint.find("--accept-loss") != std::string::npos);
      CHECK(lockfile == kind);
    }
  }
}

TEST_CASE("lockfile: an answer that does not say whose account it is is no proof") {
  auto lockfile = known();
  CHECK_FALSE(bind_cloud(lockfile, {ours.url, ""}, Loss::refuse));
}

TEST_CASE(
    "lockfile: one that knows nothing goes to any cloud, and an older one learns its account") {
  auto lockfile = empty();
  REQUIRE(bind_cloud(lockfile, other_url, Loss::refuse));
  CHECK(lockfile.cloud_url == other_url.url);
  CHECK(lockfile.services.at("web").count == 3);
  auto older = known();
  older.cloud_account.clear();
  REQUIRE(bind_cloud(older, ours, Loss::refuse));
  CHECK(older == known());
}

TEST_CASE("lockfile: what is lost with another cloud is forgotten, what is the stack's own stays") {
  auto lockfile = known();
  REQUIRE(bind_cloud(lockfile, other_account, Loss::accept));
  CHECK_FALSE(knows_resources(lockfile));
  CHECK(lockfile.cloud_account == other_account.account);
  CHECK(lockfile.services == known().services);
  CHECK(lockfile.ssh_key->private_key == known().ssh_key->private_key);
  CHECK(lockfile.applied == known().applied);
}

}  // namespace
}  // namespace paas::lockfile
