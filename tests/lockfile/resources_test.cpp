// What a lockfile knows, found by address or name, and forgotten.
#include "lockfile/resources.hpp"

#include <doctest/doctest.h>

#include "lockfile/support/fakes.hpp"

namespace paas::lockfile {
namespace {

using testing::full_lockfile;

std::vector<std::string> addresses(const Lockfile& lockfile) {
  std::vector<std::string> result;
  for (const auto& known : known_resources(lockfile)) result.push_back(address_of(known));
  return result;
}

TEST_CASE("resources: everything that is in the cloud has an address") {
  CHECK(addresses(full_lockfile()) ==
        std::vector<std::string>{"key/paasctl-zipkick", "network/zipkick", "address/198.18.0.50",
                                 "firewall/zipkick-lb", "firewall/zipkick-web", "volume/zipkick-db",
                                 "server/zipkick-web-3", "builder/zipkick-builder-1"});
  CHECK(addresses(Lockfile{}).empty());
}

TEST_CASE("resources: a name that only one has is enough, without the stack's name as well") {
  const auto lockfile = full_lockfile();
  for (const auto* text : {"server/zipkick-web-3", "zipkick-web-3", "web-3"}) {
    CAPTURE(text);
    const auto found = find_resource(lockfile, text);
    REQUIRE(found);
    CHECK(*found == Known{"server", "zipkick-web-3", "3164444"});
  }
}

TEST_CASE("resources: a name that several have is refused with their addresses") {
  auto lockfile = full_lockfile();
  lockfile.firewalls["db"] = {"zipkick-db", "fw-2"};
  const auto found = find_resource(lockfile, "db");
  REQUIRE_FALSE(found);
  CHECK(found.error().kind == ErrorKind::usage);
  CHECK(found.error().hint == "say firewall/zipkick-db or volume/zipkick-db");
}

TEST_CASE("resources: an unknown name is told the nearest address") {
  const auto found = find_resource(full_lockfile(), "server/zipkick-web-4");
  REQUIRE_FALSE(found);
  CHECK(found.error().kind == ErrorKind::not_found);
  CHECK(found.error().hint == "did you mean server/zipkick-web-3?");
}

TEST_CASE("resources: each kind is forgotten, and nothing else with it") {
  for (const auto& known : known_resources(full_lockfile())) {
    CAPTURE(address_of(known));
    auto lockfile = full_lockfile();
    if (known.kind == "key" || known.kind == "network") lockfile.servers.clear();
    const auto before = known_resources(lockfile).size();
    const auto services = lockfile.services;
    REQUIRE(forget(lockfile, known));
    CHECK(known_resources(lockfile).size() == before - 1);
    CHECK_FALSE(find_resource(lockfile, address_of(known)));
    CHECK(lockfile.services == services);
  }
}

TEST_CASE("resources: what servers need is not forgotten before them") {
  auto lockfile = full_lockfile();
  for (const auto* text : {"key/paasctl-zipkick", "network/zipkick"}) {
    CAPTURE(text);
    const auto forgotten = forget(lockfile, *find_resource(lockfile, text));
    REQUIRE_FALSE(forgotten);
    CHECK(forgotten.error().kind == ErrorKind::invalid);
  }
  CHECK(lockfile == full_lockfile());
}

}  // namespace
}  // namespace paas::lockfile
