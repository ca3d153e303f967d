// Names, numbers, ports and passwords are given out once.
#include "lockfile/names.hpp"

#include <doctest/doctest.h>

#include <array>
#include <set>

#include "lockfile/support/fakes.hpp"

namespace paas::lockfile {
namespace {

TEST_CASE("lockfile: names and tags are made of the stack's and the service's") {
  CHECK(server_name("zipkick", "web", 3) == "zipkick-web-3");
  CHECK(volume_name("zipkick", "db") == "zipkick-db");
  CHECK(firewall_name("zipkick", "lb") == "zipkick-lb");
  CHECK(vpc_name("zipkick") == "zipkick");
  CHECK(ssh_key_name("zipkick") == "paasctl-zipkick");
  CHECK(snapshot_prefix("zipkick", "web") == "zipkick.web.image-");
  CHECK(snapshot_prefix("shop", "eu-db") != snapshot_prefix("shop-eu", "db"));
  CHECK(service_of_snapshot("shop", snapshot_prefix("shop", "eu-db") + "20260131") == "eu-db");
  CHECK(service_of_snapshot("shop", snapshot_prefix("shop-eu", "db") + "20260131").empty());
  CHECK(service_of_snapshot("shop", "shop.db").empty());
  CHECK(service_of_snapshot("shop", "shop.db.backup-1").empty());
  CHECK(service_of_snapshot("shop", "shop-db-image-1").empty());
  const auto origin = snapshot_origin("sha256:3f54fb9d266d00ff", "debian-12-x64");
  const auto name = snapshot_name("shop", "eu-db", "20260131", origin);
  CHECK(name.starts_with("shop.eu-db.image-20260131-3f54fb9d-"));
  CHECK(service_of_snapshot("shop", name) == "eu-db");
  CHECK(origin_of_snapshot(name) == origin);
  CHECK(origin.base != snapshot_origin("", "debian-13-x64").base);
  // Of an earlier version, and of a service whose name looks like one.
  CHECK_FALSE(origin_of_snapshot("shop.web.image-20260131081500"));
  CHECK_FALSE(origin_of_snapshot("shop.a-3f54fb9d-9a2c.image-20260131081500"));
  CHECK(stack_tag("zipkick") == "paas:zipkick");
  CHECK(service_tag("zipkick", "web") == "paas:zipkick:web");
  CHECK(client_tag("zipkick", "db") == "paas:zipkick:uses:db");
}

TEST_CASE("lockfile: builders are told from servers by their names") {
  CHECK(is_builder_name(builder_name("shop", "web", "0123abcd")));
  for (const auto* name :
       {"shop-web-1", "shop-builder-1", "shop-web-builder-0123abcg", "-builder-"}) {
    CAPTURE(name);
    CHECK_FALSE(is_builder_name(name));
  }
}

TEST_CASE("lockfile: a server's number is not used again after the server is gone") {
  Lockfile lockfile;
  CHECK(allocate_server(lockfile, "z", "web").droplet.name == "z-web-1");
  auto& second = allocate_server(lockfile, "z", "web");
  CHECK(second.number == 2);
  CHECK(second.service == "web");
  CHECK(second.droplet.id.empty());
  lockfile.servers.erase("z-web-2");
  CHECK(allocate_server(lockfile, "z", "web").number == 3);
  CHECK(allocate_server(lockfile, "z", "db").number == 1);
  CHECK(lockfile.services["web"].next_number == 4);
  // A counter that was set back by hand gives no name that is in use.
  lockfile.services["web"].next_number = 1;
  CHECK(allocate_server(lockfile, "z", "web").number == 2);
  CHECK(allocate_server(lockfile, "z", "web").number == 4);
  CHECK(lockfile.servers.size() == 5);
}

TEST_CASE("lockfile: two slots a service and one internal port, unique in the stack and kept") {
  Lockfile lockfile;
  CHECK(allocate_slots(lockfile, "frontend") == std::vector<int>{20000, 20001});
  CHECK(allocate_slots(lockfile, "backend") == std::vector<int>{20002, 20003});
  CHECK(allocate_slots(lockfile, "frontend") == std::vector<int>{20000, 20001});
  CHECK(allocate_internal_port(lockfile, "frontend", {80}) == 30000);
  CHECK(allocate_internal_port(lockfile, "backend", {80}) == 30001);
  CHECK(allocate_internal_port(lockfile, "frontend", {80}) == 30000);
  lockfile.services.erase("frontend");
  CHECK(allocate_slots(lockfile, "api") == std::vector<int>{20000, 20001});
  CHECK(allocate_internal_port(lockfile, "api", {80}) == 30000);
}

TEST_CASE("lockfile: no internal port is one that the load balancer listens on for everybody") {
  Lockfile lockfile;
  CHECK(allocate_internal_port(lockfile, "frontend", {30000, 80, 30002}) == 30001);
  CHECK(allocate_internal_port(lockfile, "backend", {30000, 80, 30002}) == 30003);
}

TEST_CASE("lockfile: a server's name is read back into its parts") {
  const auto parts = parse_server_name("shop", "shop-eu-db-12");
  REQUIRE(parts);
  CHECK(parts->service == "eu-db");
  CHECK(parts->number == 12);
  for (const auto* name :
       {"shop-web", "shop-1", "shop--1", "shop-web-0", "shop-web-007", "web-1", "shop-web-1x",
        "shop-web-99999999999", "shop-web-builder-12345678", "shopping-web-1", ""}) {
    CAPTURE(name);
    CHECK_FALSE(parse_server_name("shop", name));
  }
}

TEST_CASE("lockfile: passwords are 32 letters and digits, all of them equally likely") {
  testing::CountingRandom random;
  std::array<int, 256> counts{};
  constexpr int rounds = 3000;
  std::set<std::string> seen;
  for (int i = 0; i < rounds; ++i) {
    const auto password = generate_password(random).reveal();
    REQUIRE(password.size() == 32);
    CHECK(seen.insert(password).second);
    for (const unsigned char c : password) ++counts[c];
  }
  int letters = 0;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] == 0) continue;
    ++letters;
    CHECK((std::isalnum(static_cast<int>(c)) != 0));
    // 1548 are expected of each; the first eight letters of a biased choice would have 1875.
    CHECK(counts[c] > 1348);
    CHECK(counts[c] < 1748);
  }
  CHECK(letters == 62);
}

}  // namespace
}  // namespace paas::lockfile
