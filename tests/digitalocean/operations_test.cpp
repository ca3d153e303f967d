// Each operation's request as the API's document has it, and what is read from the answer.
#include <doctest/doctest.h>

#include "digitalocean/support/fakes.hpp"

namespace paas::digitalocean {
namespace {

using nlohmann::json;
using testing::answer;
using testing::Fixture;

constexpr const char* droplet_json = R"({"droplet": {
  "id": 3164444, "name": "zipkick-web-1", "memory": 1024, "vcpus": 1, "disk": 25, "locked": true,
  "status": "active", "created_at": "2026-07-21T18:37:44Z", "features": [], "backup_ids": [],
  "next_backup_window": null, "snapshot_ids": [], "volume_ids": ["v-1"], "size_slug": "s-1vcpu-1gb",
  "image": {"id": 7555620, "slug": "debian-12-x64"}, "size": {},
  "networks": {"v4": [{"ip_address": "10.10.0.2", "type": "private"},
                      {"ip_address": "198.18.0.9", "type": "public"},
                      {"ip_address": "198.18.0.77", "type": "public"}], "v6": []},
  "region": {"slug": "nyc3"}, "tags": ["paas:zipkick"], "vpc_uuid": "vpc-1"}})";

constexpr const char* action_json =
    R"({"action": {"id": 36804636, "status": "in-progress", "type": "create", "resource_id": 3164444}})";

TEST_CASE("digitalocean: the account's limit is read with the token in the header") {
  Fixture f;
  f.http.expect("GET", "/v2/account",
                answer(200, R"({"account": {"droplet_limit": 25, "email": "a@example.com",
                                "uuid": "user-1", "status": "active"}})"));
  const auto account = f.client.account();
  REQUIRE(account);
  CHECK(account->owner == "user-1");
  CHECK(account->droplet_limit == 25);
  CHECK(account->status == "active");
  const auto& headers = f.http.requests.at(0).headers;
  const std::pair<std::string, std::string> expected{"Authorization", "Bearer dop_v1_canary"};
  CHECK(std::find(headers.begin(), headers.end(), expected) != headers.end());
  CHECK(f.http.requests.at(0).url.find("canary") == std::string::npos);
}

TEST_CASE("digitalocean: regions and sizes are listed 200 a page") {
  Fixture f;
  f.http.expect("GET", "/v2/regions?page=1&per_page=200",
                answer(200, R"({"regions": [{"slug": "nyc3", "name": "New York 3",
                  "available": true, "sizes": ["s-1vcpu-1gb"], "features": []}],
                  "links": {}, "meta": {"total": 1}})"));
  f.http.expect("GET", "/v2/sizes?page=1&per_page=200",
                answer(200, R"({"sizes": [{"slug": "s-1vcpu-1gb", "memory": 1024, "vcpus": 1,
                  "disk": 25, "price_monthly": 6.0, "price_hourly": 0.00893, "available": true,
                  "regions": ["nyc3"]}], "links": {"pages": {}}, "meta": {"total": 1}})"));
  const auto regions = f.client.regions();
  REQUIRE(regions);
  CHECK(regions->at(0).sizes == std::vector<std::string>{"s-1vcpu-1gb"});
  const auto sizes = f.client.sizes();
  REQUIRE(sizes);
  CHECK(sizes->at(0).memory_megabytes == 1024);
  CHECK(sizes->at(0).price_hourly_dollars == doctest::Approx(0.00893));
}

TEST_CASE("digitalocean: an SSH key is found by its fingerprint, registered and deleted") {
  Fixture f;
  const std::string key = R"({"ssh_key": {"id": 512189, "fingerprint": "3b:16", "name": "k",
                              "public_key": "ssh-ed25519 AAAA"}})";
  f.http.expect("GET", "/v2/account/keys/3b:16", answer(200, key));
  f.http.expect("GET", "/v2/account/keys/00:00", answer(404, R"({"id": "not_found"})"));
  f.http.expect("POST", "/v2/account/keys", answer(201, key));
  f.http.expect("DELETE", "/v2/account/keys/512189", answer(204));
  const auto found = f.client.find_ssh_key("3b:16");
  REQUIRE(found);
  REQUIRE(found->has_value());
  CHECK((*found)->id == 512189);
  const auto missing = f.client.find_ssh_key("00:00");
  REQUIRE(missing);
  CHECK_FALSE(missing->has_value());
  REQUIRE(f.client.create_ssh_key("k", "ssh-ed25519 AAAA"));
  CHECK(f.sent_body(2) == json{{"name", "k"}, {"public_key", "ssh-ed25519 AAAA"}});
  CHECK(f.client.delete_ssh_key(512189));
}

TEST_CASE("digitalocean: tags are created, put on droplets, taken off and deleted") {
  Fixture f;
  f.http.expect("POST", "/v2/tags", answer(201, R"({"tag": {"name": "paas:z"}})"));
  f.http.expect("POST", "/v2/tags", answer(409, R"({"id": "conflict", "message": "exists"})"));
  f.http.expect("POST", "/v2/tags/paas:z/resources", answer(204));
  f.http.expect("DELETE", "/v2/tags/paas:z/resources", answer(204));
  f.http.expect("DELETE", "/v2/tags/paas:z", answer(404, R"({"id": "not_found"})"));
  CHECK(f.client.create_tag("paas:z"));
  CHECK(f.client.create_tag("paas:z"));
  CHECK(f.sent_body(0) == json::parse(R"({"name": "paas:z"})"));
  CHECK(f.client.tag_droplets("paas:z", {7, 8}));
  CHECK(f.sent_body(2) == json::parse(R"({"resources": [
      {"resource_id": "7", "resource_type": "droplet"},
      {"resource_id": "8", "resource_type": "droplet"}]})"));
  CHECK(f.client.untag_droplets("paas:z", {7}));
  CHECK(f.sent_body(3) ==
        json::parse(R"({"resources": [{"resource_id": "7", "resource_type": "droplet"}]})"));
  CHECK(f.client.delete_tag("paas:z"));
}

TEST_CASE("digitalocean: a volume is tagged by its identifier") {
  Fixture f;
  f.http.expect("POST", "/v2/tags/paas:z/resources", answer(204));
  f.http.expect("POST", "/v2/tags/paas:z/resources", answer(404, R"({"id": "not_found"})"));
  CHECK(f.client.tag_volume("paas:z", "506f78a4"));
  CHECK(f.sent_body(0) == json::parse(R"({"resources": [
      {"resource_id": "506f78a4", "resource_type": "volume"}]})"));
  CHECK_FALSE(f.client.tag_volume("paas:z", "506f78a4"));
}

TEST_CASE("digitalocean: a droplet is created from a slug or an identifier") {
  Fixture f;
  f.http.expect("POST", "/v2/droplets", answer(202, droplet_json));
  f.http.expect("POST", "/v2/droplets", answer(202, droplet_json));
  DropletRequest request;
  request.name = "zipkick-web-1";
  request.region = "nyc3";
  request.size = "s-1vcpu-1gb";
  request.image = "debian-12-x64";
  REQUIRE(f.client.create_droplet(request));
  CHECK(f.sent_body(0) == json::parse(R"({"name": "zipkick-web-1", "region": "nyc3",
      "size": "s-1vcpu-1gb", "image": "debian-12-x64"})"));
  request.image = "7555620";
  request.ssh_keys = {512189};
  request.tags = {"paas:zipkick"};
  request.user_data = "#cloud-config\n";
  request.vpc_id = "vpc-1";
  REQUIRE(f.client.create_droplet(request));
  CHECK(f.sent_body(1) == json::parse(R"({"name": "zipkick-web-1", "region": "nyc3",
      "size": "s-1vcpu-1gb", "image": 7555620, "ssh_keys": [512189], "tags": ["paas:zipkick"],
      "user_data": "#cloud-config\n", "vpc_uuid": "vpc-1"})"));
}

TEST_CASE("digitalocean: a droplet is read with its first public and private address") {
  Fixture f;
  f.http.expect("GET", "/v2/droplets/3164444", answer(200, droplet_json));
  const auto droplet = f.client.droplet(3164444);
  REQUIRE(droplet);
  CHECK(droplet->name == "zipkick-web-1");
  CHECK(droplet->locked);
  CHECK(droplet->public_address == "198.18.0.9");
  CHECK(droplet->private_address == "10.10.0.2");
  CHECK(droplet->image_id == 7555620);
  CHECK(droplet->region == "nyc3");
  CHECK(droplet->volume_ids == std::vector<std::string>{"v-1"});
}

TEST_CASE("digitalocean: a droplet with nothing but what is needed is read") {
  Fixture f;
  f.http.expect("GET", "/v2/droplets/1", answer(200, R"({"droplet": {"id": 1, "name": "a",
      "status": "new", "networks": null, "image": null, "tags": null, "region": null}})"));
  const auto droplet = f.client.droplet(1);
  REQUIRE(droplet);
  CHECK(droplet->public_address.empty());
  CHECK(droplet->tags.empty());
}

TEST_CASE("digitalocean: an answer with another droplet than was asked for is unknown") {
  Fixture f;
  f.http.expect("GET", "/v2/droplets/1", answer(200, droplet_json));
  f.http.expect("POST", "/v2/droplets", answer(202, droplet_json));
  const auto read = f.client.droplet(1);
  REQUIRE_FALSE(read);
  CHECK(read.error().kind == ErrorKind::unreachable);
  CHECK(describe(read.error()) ==
        "reading droplet 1: the API's answer has droplet zipkick-web-1 (3164444), which nobody "
        "asked for");
  DropletRequest request;
  request.name = "zipkick-web-2";
  const auto made = f.client.create_droplet(request);
  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::unreachable);
}

TEST_CASE("digitalocean: identifiers that do not fit or are negative are missing") {
  for (const auto* id : {"18446744073709551615", "9223372036854775808", "-7", "0", "1.5"}) {
    CAPTURE(id);
    Fixture f;
    f.http.expect("GET", "/v2/droplets/-1",
                  answer(200, fmt::format(R"({{"droplet": {{"id": {}, "name": "a", "status": "new",
                                              "volume_ids": []}}}})",
                                          id)));
    const auto droplet = f.client.droplet(-1);
    REQUIRE_FALSE(droplet);
    CHECK(droplet.error().kind == ErrorKind::unreachable);
    CHECK(droplet.error().message == "the API's answer describes a droplet without id");
  }
}

TEST_CASE(
    "digitalocean: droplets are listed by tag, and by exact name though the API ignores case") {
  Fixture f;
  f.http.expect("GET", "/v2/droplets?tag_name=paas:z&page=1&per_page=200",
                answer(200, R"({"droplets": [{"id": 1, "name": "a", "status": "active"}],
                                "links": {}, "meta": {"total": 1}})"));
  f.http.expect("GET", "/v2/droplets?name=a&page=1&per_page=200",
                answer(200, R"({"droplets": [{"id": 1, "name": "a", "status": "active"},
                                             {"id": 2, "name": "A", "status": "active"}],
                                "links": {}, "meta": {"total": 2}})"));
  const auto tagged = f.client.droplets_by_tag("paas:z");
  REQUIRE(tagged);
  CHECK(tagged->size() == 1);
  const auto named = f.client.droplets_by_name("a");
  REQUIRE(named);
  REQUIRE(named->size() == 1);
  CHECK(named->at(0).id == 1);
  CHECK(f.client.droplets_by_tag("").error().kind == ErrorKind::invalid);
}

TEST_CASE("digitalocean: actions and snapshots of a droplet") {
  Fixture f;
  f.http.expect("POST", "/v2/droplets/7/actions", answer(201, action_json));
  f.http.expect("POST", "/v2/droplets/7/actions", answer(201, action_json));
  f.http.expect("GET", "/v2/actions/36804636", answer(200, action_json));
  f.http.expect("GET", "/v2/snapshots?resource_type=droplet&page=1&per_page=200",
                answer(200, R"({"snapshots": [{"id": "6372321", "name": "s", "regions": ["nyc3"],
                  "created_at": "2026-07-21T18:37:44Z", "resource_type": "droplet",
                  "min_disk_size": 25, "size_gigabytes": 2.34, "resource_id": "1", "tags": null}],
                  "links": {}, "meta": {"total": 1}})"));
  f.http.expect("DELETE", "/v2/snapshots/6372321", answer(204));
  REQUIRE(f.client.droplet_action(7, "power_off"));
  CHECK(f.sent_body(0) == json::parse(R"({"type": "power_off"})"));
  REQUIRE(f.client.snapshot_droplet(7, "s"));
  CHECK(f.sent_body(1) == json::parse(R"({"type": "snapshot", "name": "s"})"));
  const auto action = f.client.action(36804636);
  REQUIRE(action);
  CHECK(action->status == "in-progress");
  CHECK(action->resource_id == 3164444);
  const auto snapshots = f.client.droplet_snapshots();
  REQUIRE(snapshots);
  CHECK(snapshots->at(0).min_disk_gigabytes == 25);
  CHECK(f.client.delete_snapshot("6372321"));
}

TEST_CASE("digitalocean: volumes are created, found, attached, detached, resized and deleted") {
  Fixture f;
  const std::string volume = R"({"id": "v-1", "name": "zipkick-db", "size_gigabytes": 10,
      "region": {"slug": "nyc3"}, "droplet_ids": null, "tags": null})";
  f.http.expect("POST", "/v2/volumes", answer(201, R"({"volume": )" + volume + "}"));
  f.http.expect("GET", "/v2/volumes?name=zipkick-db&region=nyc3&page=1&per_page=200",
                answer(200, R"({"volumes": [)" + volume + R"(], "meta": {"total": 1}})"));
  f.http.expect("GET", "/v2/volumes?region=nyc3&page=1&per_page=200",
                answer(200, R"({"volumes": [)" + volume + R"(], "meta": {"total": 1}})"));
  for (int i = 0; i < 3; ++i)
    f.http.expect("POST", "/v2/volumes/v-1/actions", answer(202, action_json));
  f.http.expect("DELETE", "/v2/volumes/v-1", answer(204));
  REQUIRE(f.client.create_volume("zipkick-db", "nyc3", 10, {"paas:zipkick"}));
  CHECK(f.sent_body(0) == json::parse(R"({"name": "zipkick-db", "region": "nyc3",
                                          "size_gigabytes": 10, "tags": ["paas:zipkick"]})"));
  const auto found = f.client.volumes_by_name("zipkick-db", "nyc3");
  REQUIRE(found);
  CHECK(found->at(0).region == "nyc3");
  CHECK(found->at(0).droplet_ids.empty());
  CHECK(f.client.volumes("nyc3"));
  REQUIRE(f.client.attach_volume("v-1", 7, "nyc3"));
  CHECK(f.sent_body(3) == json::parse(R"({"type": "attach", "droplet_id": 7, "region": "nyc3"})"));
  REQUIRE(f.client.detach_volume("v-1", 7, "nyc3"));
  CHECK(f.sent_body(4) == json::parse(R"({"type": "detach", "droplet_id": 7, "region": "nyc3"})"));
  REQUIRE(f.client.resize_volume("v-1", 20, "nyc3"));
  CHECK(f.sent_body(5) ==
        json::parse(R"({"type": "resize", "size_gigabytes": 20, "region": "nyc3"})"));
  CHECK(f.client.delete_volume("v-1"));
}

TEST_CASE("digitalocean: members of one team have the same owner") {
  Fixture f;
  f.http.expect("GET", "/v2/account",
                answer(200, R"({"account": {"uuid": "user-1", "status": "active",
                                "team": {"uuid": "team-1", "name": "shop"}}})"));
  const auto account = f.client.account();
  REQUIRE(account);
  CHECK(account->owner == "team-1");
}

TEST_CASE("digitalocean: a droplet's firewalls are listed by its identifier") {
  Fixture f;
  f.http.expect("GET", "/v2/droplets/7/firewalls?page=1&per_page=200",
                answer(200, R"({"firewalls": [{"id": "fw-1", "name": "shop-db",
                                "status": "succeeded"}], "meta": {"total": 1}})"));
  const auto firewalls = f.client.firewalls_of_droplet(7);
  REQUIRE(firewalls);
  REQUIRE(firewalls->size() == 1);
  CHECK(firewalls->front().id == "fw-1");
}

TEST_CASE("digitalocean: a firewall's rules go out as the API wants them and come back equal") {
  Fixture f;
  FirewallSpec spec;
  spec.name = "zipkick-db";
  spec.inbound = {{"tcp", "5432", {"203.0.113.7/32"}, {"paas:zipkick:uses:db"}, {}},
                  {"icmp", "", {"10.10.0.0/20"}, {}, {}}};
  spec.outbound = {{"tcp", "0", {"0.0.0.0/0", "::/0"}, {}, {}}, {"udp", "0", {}, {}, {7}}};
  spec.tags = {"paas:zipkick:db"};
  const auto body = json::parse(R"({"name": "zipkick-db",
    "inbound_rules": [
      {"protocol": "tcp", "ports": "5432",
       "sources": {"addresses": ["203.0.113.7/32"], "tags": ["paas:zipkick:uses:db"]}},
      {"protocol": "icmp", "ports": "0", "sources": {"addresses": ["10.10.0.0/20"]}}],
    "outbound_rules": [
      {"protocol": "tcp", "ports": "0", "destinations": {"addresses": ["0.0.0.0/0", "::/0"]}},
      {"protocol": "udp", "ports": "0", "destinations": {"droplet_ids": [7]}}],
    "tags": ["paas:zipkick:db"], "droplet_ids": []})");
  auto returned = body;
  returned["id"] = "fw-1";
  returned["status"] = "waiting";
  returned["pending_changes"] =
      json::parse(R"([{"droplet_id": 7, "removing": false, "status": "waiting"}])");
  // As the API may say it.
  returned["outbound_rules"][0]["ports"] = "all";
  const auto text = json{{"firewall", returned}}.dump();
  f.http.expect("POST", "/v2/firewalls", answer(202, text));
  f.http.expect("PUT", "/v2/firewalls/fw-1", answer(200, text));
  f.http.expect("GET", "/v2/firewalls/fw-1", answer(200, text));
  f.http.expect("GET", "/v2/firewalls?page=1&per_page=200",
                answer(200, json{{"firewalls", {returned}}, {"meta", {{"total", 1}}}}.dump()));
  f.http.expect("DELETE", "/v2/firewalls/fw-1", answer(204));
  const auto created = f.client.create_firewall(spec);
  REQUIRE(created);
  CHECK(f.sent_body(0) == body);
  CHECK(created->spec == spec);
  CHECK(created->pending_droplets == std::vector<std::int64_t>{7});
  REQUIRE(f.client.update_firewall("fw-1", spec));
  CHECK(f.sent_body(1) == body);
  REQUIRE(f.client.firewall("fw-1"));
  const auto all = f.client.firewalls();
  REQUIRE(all);
  CHECK(all->at(0).id == "fw-1");
  CHECK(f.client.delete_firewall("fw-1"));
  spec.inbound.push_back({"tcp", "22", {}, {}, {}});
  CHECK(f.client.create_firewall(spec).error().kind == ErrorKind::invalid);
}

TEST_CASE("digitalocean: VPCs and reserved IPs") {
  Fixture f;
  f.http.expect("POST", "/v2/vpcs", answer(201, R"({"vpc": {"id": "vpc-1", "name": "zipkick",
      "region": "nyc3", "ip_range": "10.10.0.0/20", "default": false}})"));
  f.http.expect("GET", "/v2/vpcs?page=1&per_page=200",
                answer(200, R"({"vpcs": [], "meta": {"total": 0}})"));
  f.http.expect("DELETE", "/v2/vpcs/vpc-1", answer(204));
  f.http.expect("POST", "/v2/reserved_ips", answer(202, R"({"reserved_ip": {"ip": "198.18.0.50",
      "region": {"slug": "nyc3"}, "droplet": null, "locked": true}, "links": {}})"));
  f.http.expect("GET", "/v2/reserved_ips?page=1&per_page=200",
                answer(200, R"({"reserved_ips": [{"ip": "198.18.0.50", "region": {"slug": "nyc3"},
                  "droplet": {"id": 7}, "locked": false}], "meta": {"total": 1}})"));
  f.http.expect("POST", "/v2/reserved_ips/198.18.0.50/actions", answer(201, action_json));
  f.http.expect("DELETE", "/v2/reserved_ips/198.18.0.50", answer(204));
  const auto vpc = f.client.create_vpc("zipkick", "nyc3");
  REQUIRE(vpc);
  CHECK(vpc->ip_range == "10.10.0.0/20");
  CHECK(f.sent_body(0) == json::parse(R"({"name": "zipkick", "region": "nyc3"})"));
  const auto vpcs = f.client.vpcs();
  REQUIRE(vpcs);
  CHECK(vpcs->empty());
  CHECK(f.client.delete_vpc("vpc-1"));
  const auto reserved = f.client.create_reserved_ip(7);
  REQUIRE(reserved);
  CHECK(reserved->droplet_id == 0);
  CHECK(f.sent_body(3) == json::parse(R"({"droplet_id": 7})"));
  const auto all = f.client.reserved_ips();
  REQUIRE(all);
  CHECK(all->at(0).droplet_id == 7);
  REQUIRE(f.client.assign_reserved_ip("198.18.0.50", 8));
  CHECK(f.sent_body(5) == json::parse(R"({"type": "assign", "droplet_id": 8})"));
  CHECK(f.client.delete_reserved_ip("198.18.0.50"));
}

}  // namespace
}  // namespace paas::digitalocean
