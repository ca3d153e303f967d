// A lockfile and what was found out about it, as text and JSON.
#include "report/state.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace paas::report {
namespace {

lockfile::Lockfile some_lockfile() {
  lockfile::Lockfile lockfile;
  lockfile.lineage = "0123456789abcdef0123456789abcdef";
  lockfile.serial = 41;
  lockfile.paasctl_version = "0.1.0";
  lockfile.applied.emplace().name = "shop";
  lockfile.applied->region = "nyc3";
  lockfile.cloud_url = "https://api.digitalocean.com";
  lockfile.cloud_account = "3f1b2c4d";
  lockfile.ssh_key = {{"paasctl-shop", "512189"}, Secret("PRIVATE"), "ssh-ed25519 AAAA"};
  lockfile.vpc = lockfile::Resource{"shop", "0d3db13e"};
  lockfile.vpc_range = "10.10.0.0/20";
  auto& web = lockfile.services["web"];
  web.count = 2;
  web.next_number = 4;
  web.slots = {20000, 20001};
  web.internal_port = 30000;
  auto& db = lockfile.services["db"];
  db.releases = {{3, "", "sha256:00ff", "", ""}};
  db.password = Secret("hunter2");
  auto& server = lockfile.servers["shop-web-3"];
  server.service = "web";
  server.number = 3;
  server.droplet = {"shop-web-3", ""};
  server.first_host_key = Secret("PRIVATE");
  server.warm = true;
  server.leaving = true;
  lockfile.volumes["shop-db"] = {{"shop-db", "v-1"}, "db", 10, "nyc3"};
  return lockfile;
}

TEST_CASE("report: a lockfile is shown without its secrets") {
  const auto lockfile = some_lockfile();
  CHECK(state_text(lockfile, Color::no) ==
        "Lineage 0123456789abcdef0123456789abcdef, serial 41\n"
        "Stack shop in nyc3\n"
        "Cloud https://api.digitalocean.com, account 3f1b2c4d\n"
        "\n"
        "SERVICE  SERVERS  NEXT  SLOTS        PORT   RELEASE  PASSWORD\n"
        "db       0        1     -            -      r3       ***\n"
        "web      2        4     20000 20001  30000  -        -\n"
        "\n"
        "RESOURCE           ID        DETAIL\n"
        "key/paasctl-shop   512189\n"
        "network/shop       0d3db13e  10.10.0.0/20\n"
        "volume/shop-db     v-1       10 GiB in nyc3\n"
        "server/shop-web-3  intended  - -, not prepared, warm, leaving\n");
  const auto text = state_json(lockfile);
  CHECK(text.find("PRIVATE") == std::string::npos);
  CHECK(text.find("hunter2") == std::string::npos);
  const auto json = nlohmann::json::parse(text);
  CHECK(json.at("format_version") == 1);
  CHECK(json.at("serial") == 41);
  CHECK(json.at("services").at(0).at("password") == "***");
  CHECK(json.at("services").at(1).at("password") == "");
  CHECK(json.at("services").at(1).at("internal_port") == 30000);
  CHECK(json.at("resources").at(3).at("address") == "server/shop-web-3");
  CHECK(json.at("servers").at(0).at("leaving") == true);
  CHECK(json.at("servers").at(0).at("warm") == true);
  CHECK(json.at("volumes").at(0).at("size_gigabytes") == 10);
}

TEST_CASE("report: a rotation in progress is shown with its state and user") {
  auto lockfile = some_lockfile();
  auto& db = lockfile.services["db"];
  db.user = "app_b";
  db.password_rotated = "2026-11-24T10:00:00Z";
  CHECK(state_text(lockfile, Color::no).find("r3       *** of app_b\n") != std::string::npos);
  db.rotation = {lockfile::RotationState::set, Secret("hunter3"), "app"};
  const auto text = state_text(lockfile, Color::no);
  CHECK(text.find("r3       *** of app_b, rotation to app set\n") != std::string::npos);
  const auto json = nlohmann::json::parse(state_json(lockfile)).at("services").at(0);
  CHECK(json.at("password") == "***");
  CHECK(json.at("password_user") == "app_b");
  CHECK(json.at("password_rotated") == "2026-11-24T10:00:00Z");
  CHECK(json.at("rotation") == nlohmann::json({{"state", "set"}, {"user", "app"}}));
  CHECK((text + json.dump()).find("hunter") == std::string::npos);
  // As state rebuild leaves it: the password of before is lost.
  db.password = Secret();
  db.user.clear();
  db.rotation = {lockfile::RotationState::pending, Secret(), ""};
  CHECK(state_text(lockfile, Color::no).find("r3       rotation pending\n") != std::string::npos);
  db.rotation.reset();
  const auto without = nlohmann::json::parse(state_json(lockfile)).at("services").at(0);
  CHECK(without.at("rotation").is_null());
}

TEST_CASE("report: an empty lockfile says so") {
  lockfile::Lockfile lockfile;
  lockfile.lineage = "0123456789abcdef";
  CHECK(state_text(lockfile, Color::no) ==
        "Lineage 0123456789abcdef, serial 0\n\nIt knows nothing in the cloud.\n");
}

TEST_CASE("report: findings are a table, and orphans another") {
  plan::Verification verification;
  verification.findings = {{{"network", "shop", "0d3db13e"}, plan::Condition::ok, ""},
                           {{"server", "shop-web-3", ""}, plan::Condition::missing, "it is gone"}};
  verification.orphans = {{"droplet", "shop-web-4", "4711", true, ""},
                          {"volume", "shop-old", "v-2", false, "it holds data"}};
  CHECK(verification_text(verification) ==
        "RESOURCE           ID        STATE    DETAIL\n"
        "network/shop       0d3db13e  ok\n"
        "server/shop-web-3  -         missing  it is gone\n"
        "\n"
        "ORPHAN              ID    REMOVABLE  DETAIL\n"
        "droplet/shop-web-4  4711  yes\n"
        "volume/shop-old     v-2   no         it holds data\n");
  const auto json = nlohmann::json::parse(verification_json("shop", verification));
  CHECK(json.at("stack") == "shop");
  CHECK(json.at("holds") == false);
  CHECK(json.at("resources").at(1).at("condition") == "missing");
  CHECK(json.at("orphans").at(0).at("removable") == true);
}

}  // namespace
}  // namespace paas::report
