// Ranges, routes, announcements and loop devices, as far as they are text and numbers.
#include "cloud/host_network.hpp"

#include <doctest/doctest.h>

#include <atomic>

#include "base/text.hpp"
#include "cloud/loop_devices.hpp"
#include "cloud/neighbour_announcement.hpp"
#include "cloud/side_by_side.hpp"

using namespace paas;
using namespace paas::cloud;

TEST_CASE("ip_range: host bits are cleared and nonsense is nothing") {
  const auto range = IpRange::parse("10.116.3.7/20");
  REQUIRE(range);
  CHECK(range->text() == "10.116.0.0/20");
  CHECK(range->address(1) == "10.116.0.1");
  CHECK(format_ipv4(range->last()) == "10.116.15.255");
  CHECK(IpRange::parse("10.0.0.1")->text() == "10.0.0.1/32");
  CHECK(IpRange::parse("0.0.0.0/0")->last() == 0xFFFFFFFFU);
  for (const char* text :
       {"", "default", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::/0", "10.0.0.0/8 x"}) {
    CHECK_FALSE(IpRange::parse(text));
  }
}

TEST_CASE("ip_range: ranges overlap when one holds the other") {
  const auto overlap = [](const char* left, const char* right) {
    return IpRange::parse(left)->overlaps(*IpRange::parse(right));
  };
  CHECK(overlap("198.18.16.0/20", "198.18.0.0/15"));
  CHECK(overlap("198.18.0.0/15", "198.18.16.0/20"));
  CHECK(overlap("10.0.0.1", "10.0.0.0/31"));
  CHECK_FALSE(overlap("198.18.16.0/20", "198.18.32.0/20"));
}

TEST_CASE("host_network: only unreachable routes with the cloud's own mark are its own") {
  const auto routes = parse_routes(R"([
    {"dst":"default","gateway":"192.0.2.1","dev":"eth0","flags":[]},
    {"dst":"172.17.0.0/16","dev":"docker0","protocol":"kernel","flags":["linkdown"]},
    {"type":"unreachable","dst":"198.18.16.0/20","protocol":"119","metric":4026531841,"flags":[]},
    {"type":"unreachable","dst":"198.18.32.0/20","protocol":"119","metric":4026531842,"flags":[]}])",
                                   4026531841U);
  REQUIRE(routes);
  REQUIRE(routes->size() == 3);
  CHECK((*routes)[0].destination.text() == "172.17.0.0/16");
  CHECK((*routes)[0].device == "docker0");
  CHECK_FALSE((*routes)[0].ours);
  CHECK((*routes)[1].ours);
  CHECK_FALSE((*routes)[2].ours);
  CHECK(parse_routes("", 1)->empty());
  CHECK_FALSE(parse_routes("Object \"route\" is unknown", 1));
}

TEST_CASE("loop_devices: files are found by name, also when they were removed") {
  const auto devices = parse_loop_devices(R"json({"loopdevices": [
      {"name": "/dev/loop0", "maj:min": "  7:0  ", "back-file": "/state/world/volumes/a"},
      {"name": "/dev/loop12", "maj:min": "  7:12 ", "back-file": "/state/world/volumes/b (deleted)"},
      {"name": "/dev/loop13", "maj:min": "  7:13 ", "back-file": null}]
})json");
  REQUIRE(devices);
  CHECK(*devices == std::vector<LoopDevice>{{"/dev/loop0", "7:0", "/state/world/volumes/a"},
                                            {"/dev/loop12", "7:12", "/state/world/volumes/b"},
                                            {"/dev/loop13", "7:13", ""}});
  CHECK(parse_loop_devices("\n")->empty());
  CHECK_FALSE(parse_loop_devices("losetup: not found"));
}

TEST_CASE("neighbour_announcement: the frame is an ARP request about the sender itself") {
  const auto frame = gratuitous_arp("198.18.18.1", "02:42:c6:12:10:09");
  REQUIRE(frame);
  CHECK(text::hex(*frame) ==
        "ffffffffffff"
        "0242c6121009"
        "0806"
        "0001"
        "0800"
        "06"
        "04"
        "0001"
        "0242c6121009"
        "c6121201"
        "000000000000"
        "c6121201");
  CHECK_FALSE(gratuitous_arp("198.18.18", "02:42:c6:12:10:09"));
  CHECK_FALSE(gratuitous_arp("198.18.18.1", ""));
  CHECK_FALSE(gratuitous_arp("198.18.18.1", "02:42:c6:12:10:09:11"));
}

TEST_CASE("side_by_side: every job runs, and the first error in order is reported") {
  std::atomic<int> ran = 0;
  std::vector<std::function<Status()>> jobs;
  for (int i = 0; i < 20; ++i) {
    jobs.push_back([&ran, i]() -> Status {
      ++ran;
      if (i == 7 || i == 11) return fail(ErrorKind::failed, "job " + std::to_string(i));
      return {};
    });
  }
  const Status status = side_by_side(jobs, 4);
  CHECK(ran == 20);
  REQUIRE_FALSE(status);
  CHECK(status.error().message == "job 7");
  CHECK(side_by_side({}));
}
