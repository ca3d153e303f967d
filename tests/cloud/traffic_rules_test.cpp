// The firewall's text; tests/cloud/engine shows what it does.
#include "cloud/traffic_rules.hpp"

#include <doctest/doctest.h>

using namespace paas::cloud;

namespace {

const traffic_rules::MetadataEndpoint metadata{"198.18.16.1", 16925};

std::string filter(const TrafficRules& rules) {
  const auto text = traffic_rules::render_filter(rules, metadata);
  REQUIRE(text);
  return *text;
}

}  // namespace

TEST_CASE(
    "traffic_rules: a droplet in a firewall lets through what its rules say and nothing else") {
  const TrafficRules rules{
      .filtered = true,
      .inbound = {{"tcp", 22, 22, {"0.0.0.0/0", "::/0"}},
                  {"tcp", 5432, 5432, {"10.116.0.4/32", "10.116.0.5"}},
                  {"tcp", 8000, 8999, {"10.116.0.0/20"}},
                  {"udp", 0, 0, {"198.51.100.7/32"}},
                  {"tcp", 9000, 9000, {}}},
      .outbound = {{"tcp", 0, 0, {"0.0.0.0/0", "::/0"}}, {"icmp", 0, 0, {"0.0.0.0/0"}}}};
  CHECK(filter(rules) == R"(*mangle
:PREROUTING ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:paas-inbound - [0:0]
:paas-outbound - [0:0]
-F PREROUTING
-F FORWARD
-F POSTROUTING
-A PREROUTING -i eth+ -j paas-inbound
-A FORWARD -o eth+ -d 198.18.16.1/32 -p tcp -m tcp --dport 16925 -j DROP
-A POSTROUTING -o eth+ -j paas-outbound
-A paas-inbound -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A paas-inbound -p tcp -m tcp --dport 22:22 -j ACCEPT
-A paas-inbound -s 10.116.0.4/32 -p tcp -m tcp --dport 5432:5432 -j ACCEPT
-A paas-inbound -s 10.116.0.5/32 -p tcp -m tcp --dport 5432:5432 -j ACCEPT
-A paas-inbound -s 10.116.0.0/20 -p tcp -m tcp --dport 8000:8999 -j ACCEPT
-A paas-inbound -s 198.51.100.7/32 -p udp -j ACCEPT
-A paas-inbound -j DROP
-A paas-outbound -d 198.18.16.1/32 -p tcp -m tcp --dport 16925 -j ACCEPT
-A paas-outbound -d 169.254.0.0/16 -j DROP
-A paas-outbound -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A paas-outbound -p tcp -j ACCEPT
-A paas-outbound -p icmp -j ACCEPT
-A paas-outbound -j DROP
COMMIT
)");
}

TEST_CASE("traffic_rules: without a firewall only the metadata address stays guarded") {
  CHECK(filter({}) == R"(*mangle
:PREROUTING ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:paas-inbound - [0:0]
:paas-outbound - [0:0]
-F PREROUTING
-F FORWARD
-F POSTROUTING
-A PREROUTING -i eth+ -j paas-inbound
-A FORWARD -o eth+ -d 198.18.16.1/32 -p tcp -m tcp --dport 16925 -j DROP
-A POSTROUTING -o eth+ -j paas-outbound
-A paas-inbound -j ACCEPT
-A paas-outbound -d 198.18.16.1/32 -p tcp -m tcp --dport 16925 -j ACCEPT
-A paas-outbound -d 169.254.0.0/16 -j DROP
-A paas-outbound -j ACCEPT
COMMIT
)");
}

TEST_CASE("traffic_rules: without its cable a droplet reaches nothing, not even the metadata") {
  CHECK(filter({.filtered = true,
                .unplugged = true,
                .inbound = {{"tcp", 22, 22, {"0.0.0.0/0"}}},
                .outbound = {{"tcp", 0, 0, {"0.0.0.0/0"}}}}) == R"(*mangle
:PREROUTING ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:paas-inbound - [0:0]
:paas-outbound - [0:0]
-F PREROUTING
-F FORWARD
-F POSTROUTING
-A PREROUTING -i eth+ -j paas-inbound
-A FORWARD -o eth+ -d 198.18.16.1/32 -p tcp -m tcp --dport 16925 -j DROP
-A POSTROUTING -o eth+ -j paas-outbound
-A paas-inbound -j DROP
-A paas-outbound -d 169.254.0.0/16 -j DROP
-A paas-outbound -j DROP
COMMIT
)");
}

TEST_CASE("traffic_rules: a boot also restores the way to the metadata service") {
  const auto text = traffic_rules::render_boot({}, metadata);
  REQUIRE(text);
  CHECK(*text == filter({}) + R"(*nat
-A OUTPUT -d 169.254.169.254/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 198.18.16.1:16925
COMMIT
)");
}

TEST_CASE("traffic_rules: nothing but protocols, ports and addresses becomes part of the text") {
  const auto refused = [](TrafficRule rule) {
    return !traffic_rules::render_filter(
        {.filtered = true, .inbound = {std::move(rule)}, .outbound = {}}, metadata);
  };
  CHECK(refused({"gre", 0, 0, {"10.0.0.0/8"}}));
  CHECK(refused({"tcp", 70000, 70000, {"10.0.0.0/8"}}));
  CHECK(refused({"tcp", 90, 80, {"10.0.0.0/8"}}));
  CHECK(refused({"tcp", 0, 80, {"10.0.0.0/8"}}));
  CHECK(refused({"tcp", 80, 80, {"10.0.0.0/8 -j ACCEPT\n-A paas-inbound"}}));
  CHECK(refused({"tcp", 80, 80, {"10.0.0.0/33"}}));
  CHECK(refused({"tcp", 80, 80, {"example.com"}}));
  CHECK_FALSE(refused({"tcp", 80, 80, {"2001:db8::/32"}}));
}
