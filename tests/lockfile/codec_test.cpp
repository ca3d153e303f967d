// The lockfile's text: read back equal, stable where nothing changed, refused where something is
// wrong.
#include "lockfile/codec.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "lockfile/support/fakes.hpp"

namespace paas::lockfile {
namespace {

using nlohmann::ordered_json;
using testing::CountingRandom;
using testing::full_lockfile;
using testing::test_key;

std::string encoded(const Lockfile& lockfile, std::string_view previous = {}) {
  CountingRandom random;
  auto text = encode(lockfile, test_key(), random, previous);
  REQUIRE(text);
  return std::move(*text);
}

Error error_of(const std::string& text, const Key& key = test_key()) {
  const auto result = decode(text, key);
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::invalid);
  return result.error();
}

/// The full lockfile's text with one change.
std::string changed(const std::function<void(ordered_json&)>& change) {
  auto json = ordered_json::parse(encoded(full_lockfile()));
  change(json);
  return json.dump(2);
}

TEST_CASE("lockfile: every member is read back") {
  const auto lockfile = full_lockfile();
  const auto read = decode(encoded(lockfile), test_key());
  REQUIRE_MESSAGE(read, read.error().message);
  REQUIRE(read->applied);
  CHECK(*read->applied == *lockfile.applied);
  CHECK(*read == lockfile);
}

TEST_CASE("lockfile: a fresh one is read back") {
  Lockfile lockfile;
  lockfile.lineage = testing::test_lineage;
  CHECK(*decode(encoded(lockfile), test_key()) == lockfile);
}

TEST_CASE("lockfile: no secret is in the text") {
  const auto text = encoded(full_lockfile());
  for (const auto* secret :
       {"correct horse", "OPENSSH PRIVATE KEY", "authority key", "\"first\""}) {
    CAPTURE(secret);
    CHECK(text.find(secret) == std::string::npos);
  }
}

TEST_CASE("lockfile: the text begins with what tells versions apart and ends with a line end") {
  const auto text = encoded(full_lockfile());
  CHECK(text.rfind("{\n  \"version\": 1,\n  \"lineage\": \"0123456789abcdef", 0) == 0);
  CHECK(text.substr(text.size() - 3) == "\n}\n");
  CHECK(*lineage_of(text) == testing::test_lineage);
}

TEST_CASE("lockfile: a secret that did not change keeps its sealed text") {
  auto lockfile = full_lockfile();
  CountingRandom random;
  const auto before = *encode(lockfile, test_key(), random, "");
  CHECK(*encode(lockfile, test_key(), random, before) == before);
  lockfile.services["db"].password = Secret("rotated");
  const auto after = ordered_json::parse(*encode(lockfile, test_key(), random, before));
  const auto old = ordered_json::parse(before);
  CHECK(after["ssh_key"] == old["ssh_key"]);
  CHECK(after["services"]["db"]["password"] != old["services"]["db"]["password"]);
}

TEST_CASE("lockfile: an unreadable earlier text is no obstacle to writing") {
  CHECK(decode(encoded(full_lockfile(), "{ not json"), test_key()));
  CHECK(decode(encoded(full_lockfile(), R"({"services": [1]})"), test_key()));
}

TEST_CASE("lockfile: sealed values that were swapped between places are refused") {
  const auto text = changed([](ordered_json& json) {
    std::swap(json["services"]["db"]["password"], json["ssh_key"]["private_key"]);
  });
  const auto error = error_of(text);
  CHECK(error.message.find("/ssh_key/private_key") != std::string::npos);
  CHECK(error.hint.find("PAASCTL_KEY") != std::string::npos);
}

TEST_CASE("lockfile: a sealed value from another lockfile is refused though the key is the same") {
  error_of(changed([](ordered_json& json) { json["lineage"] = "ffffffffffffffff"; }));
}

TEST_CASE("lockfile: a changed sealed text and a wrong key are refused") {
  error_of(changed([](ordered_json& json) {
    auto& sealed = json["services"]["db"]["password"].get_ref<std::string&>();
    sealed[20] = sealed[20] == 'A' ? 'B' : 'A';
  }));
  error_of(changed([](ordered_json& json) { json["services"]["db"]["password"] = "in the open"; }));
  error_of(encoded(full_lockfile()), Key(std::string(32, 'x')));
}

TEST_CASE("case 18: a text cut short anywhere is an error and never a smaller lockfile") {
  const auto text = encoded(full_lockfile());
  for (std::size_t length = 0; length + 2 < text.size(); ++length) {
    const auto result = decode(std::string_view(text).substr(0, length), test_key());
    REQUIRE_FALSE(result);
    REQUIRE(result.error().kind == ErrorKind::invalid);
  }
  // Only the last line end may be missing.
  CHECK(decode(std::string_view(text).substr(0, text.size() - 1), test_key()));
}

TEST_CASE("lockfile: any changed byte gives a value or an error") {
  const auto text = encoded(full_lockfile());
  for (std::size_t i = 0; i < text.size(); i += 13) {
    for (const char byte : {'\0', '"', '9', '\xff'}) {
      auto broken = text;
      broken[i] = byte;
      const auto result = decode(broken, test_key());
      if (!result) CHECK(result.error().kind == ErrorKind::invalid);
    }
  }
}

TEST_CASE("lockfile: a newer version is refused with the name of its writer") {
  const auto error = error_of(changed([](ordered_json& json) {
    json["version"] = 2;
    json["paasctl_version"] = "9.0.0";
    json["something"] = "new";
  }));
  CHECK(error.message.find("version is 2") != std::string::npos);
  CHECK(error.hint.find("paasctl 9.0.0") != std::string::npos);
}

TEST_CASE("lockfile: what is wrong is named by its path") {
  struct Row {
    const char* pointer;
    ordered_json value;
    const char* message;
  };
  const std::vector<Row> rows = {
      {"/unknown", 1, "/unknown is not known"},
      {"/servers/zipkick-web-3/colour", "red", "/servers/zipkick-web-3/colour is not known"},
      {"/serial", "41", "/serial is not a whole number"},
      {"/serial", -1, "/serial is less than 0"},
      {"/serial", 1.5, "/serial is not a whole number"},
      {"/serial", 18446744073709551615ULL, "/serial is too large"},
      {"/serial", 9223372036854775807, "/serial is too large"},
      {"/services/web/next_number", 0, "/services/web/next_number is less than 1"},
      {"/services/web/count", 5000000000, "/services/web/count is too large"},
      {"/services/web/slots", {20000, 70000}, "/services/web/slots has something that is no port"},
      {"/services/web/next_number", 2147483647, "/services/web/next_number is too large"},
      {"/servers/zipkick-web-3/droplet/id", "web", "droplet/id is not the number"},
      {"/servers/zipkick-web-3/droplet/id", "9223372036854775808", "droplet/id is not the number"},
      {"/servers/zipkick-web-3/droplet/id", "0", "droplet/id is not the number"},
      {"/ssh_key/key/id", "7x", "/ssh_key/key/id is not the number"},
      {"/temporary/zipkick-builder-1/id", "-9", "/temporary/zipkick-builder-1/id has characters"},
      {"/lb/intended_for", "007", "/lb/intended_for is not the number"},
      {"/services", ordered_json::array(), "/services is not an object"},
      {"/services/web", nullptr, "/services/web is not an object"},
      {"/services/db/releases", "x", "/services/db/releases is not a list"},
      {"/servers/zipkick-web-3/prepared", 1, "/servers/zipkick-web-3/prepared is neither"},
      {"/servers/zipkick-web-3/host_key", "a\nb", "host_key has control characters"},
      {"/servers/zipkick-web-3/public_address", "-oProxyCommand=x",
       "public_address has characters"},
      {"/servers/zipkick-web-3/droplet/name", "a b", "droplet/name has characters"},
      {"/vpc", 7, "/vpc is not an object"},
      {"/applied", {{"stack", "UPPER"}}, "the lockfile's applied stack"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.pointer);
    const auto text = changed(
        [&](ordered_json& json) { json[ordered_json::json_pointer(row.pointer)] = row.value; });
    const auto error = error_of(text);
    CAPTURE(error.message);
    CHECK(error.message.find(row.message) != std::string::npos);
  }
}

TEST_CASE("lockfile: each missing member is named") {
  const auto whole = ordered_json::parse(encoded(full_lockfile()));
  const std::vector<std::string> optional = {"cloud_account", "ssh_key", "vpc", "lb",
                                             "authority",     "applied"};
  for (const auto& [name, value] : whole.items()) {
    if (std::find(optional.begin(), optional.end(), name) != optional.end()) continue;
    CAPTURE(name);
    const auto error = error_of(changed([key = name](ordered_json& json) { json.erase(key); }));
    CHECK(error.message.find("/" + name + " is missing") != std::string::npos);
  }
  for (const auto& name : optional) {
    CAPTURE(name);
    CHECK(decode(changed([&](ordered_json& json) { json.erase(name); }), test_key()));
  }
}

TEST_CASE("lockfile: a weight is one that HAProxy takes, or there is none") {
  const auto with_weight = [](const ordered_json& weight) {
    return changed(
        [&](ordered_json& json) { json["servers"]["zipkick-web-3"]["weight"] = weight; });
  };
  CHECK(decode(with_weight(256), test_key())->servers.at("zipkick-web-3").weight == 256);
  CHECK(error_of(with_weight(257)).message.find("from 0 to 256") != std::string::npos);
  CHECK_FALSE(decode(with_weight(-1), test_key()));
  CHECK_FALSE(decode(with_weight("5"), test_key()));
  const auto without =
      changed([](ordered_json& json) { json["servers"]["zipkick-web-3"].erase("weight"); });
  CHECK_FALSE(decode(without, test_key())->servers.at("zipkick-web-3").weight);
}

/// Whether zipkick-db-1 holds data by a lockfile of before that was written down.
bool held_before_it_was_written_down(const std::function<void(ordered_json&)>& change) {
  const auto lockfile = decode(changed([&](ordered_json& json) {
                                 auto server = json["servers"]["zipkick-web-3"];
                                 server.erase("holds_data");
                                 server["first_host_key"] = "";
                                 server["service"] = "db";
                                 server["release"] = 1;
                                 json["servers"] = {{"zipkick-db-1", server}};
                                 json["applied"]["services"]["db"].erase("volume");
                                 change(json);
                               }),
                               test_key());
  REQUIRE_MESSAGE(lockfile, (lockfile ? "" : lockfile.error().message));
  return lockfile->servers.at("zipkick-db-1").holds_data;
}

TEST_CASE("lockfile: an older one tells by what was applied which servers hold data") {
  CHECK(held_before_it_was_written_down([](ordered_json&) {}));
  CHECK_FALSE(held_before_it_was_written_down(
      [](ordered_json& json) { json["servers"]["zipkick-db-1"]["release"] = 0; }));
  CHECK_FALSE(held_before_it_was_written_down(
      [](ordered_json& json) { json["servers"]["zipkick-db-1"]["service"] = "web"; }));
  CHECK_FALSE(held_before_it_was_written_down([](ordered_json& json) { json.erase("applied"); }));
  CHECK_FALSE(held_before_it_was_written_down(
      [](ordered_json& json) { json["servers"]["zipkick-db-1"]["holds_data"] = false; }));
  CHECK_FALSE(held_before_it_was_written_down([](ordered_json& json) {
    json["applied"]["services"]["db"]["volume"] = {{"size", "10GiB"}, {"mount", "/data"}};
    CHECK(json["volumes"].contains("zipkick-db"));
  }));
}

/// The droplet for which a reserved IP may have been asked for, by a lockfile of before that was
/// written down.
std::string intended_before_it_was_written_down(const std::function<void(ordered_json&)>& change) {
  const auto lockfile = decode(changed([&](ordered_json& json) {
                                 json["servers"]["zipkick-web-3"]["service"] = "lb";
                                 json["lb"]["reserved_ip"] = "";
                                 json["lb"].erase("intended_for");
                                 change(json);
                               }),
                               test_key());
  REQUIRE_MESSAGE(lockfile, (lockfile ? "" : lockfile.error().message));
  return lockfile->lb ? lockfile->lb->intended_for : "";
}

TEST_CASE("lockfile: an older one may have asked for an address for its load balancer") {
  const auto droplet = full_lockfile().servers.at("zipkick-web-3").droplet.id;
  REQUIRE_FALSE(droplet.empty());
  CHECK(intended_before_it_was_written_down([](ordered_json&) {}) == droplet);
  CHECK(intended_before_it_was_written_down([](ordered_json& json) {
          auto newer = json["servers"]["zipkick-web-3"];
          newer["first_host_key"] = "";
          newer["number"] = 4;
          newer["leaving"] = false;
          newer["droplet"] = {{"name", "zipkick-web-4"}, {"id", "7000"}};
          json["servers"]["zipkick-web-4"] = newer;
          newer["number"] = 5;
          newer["leaving"] = true;
          newer["droplet"] = {{"name", "zipkick-web-5"}, {"id", "8000"}};
          json["servers"]["zipkick-web-5"] = newer;
        }) == "7000");
  CHECK(intended_before_it_was_written_down([](ordered_json& json) {
          json["lb"]["reserved_ip"] = "198.18.0.50";
        }).empty());
  CHECK(intended_before_it_was_written_down([](ordered_json& json) {
          json["servers"]["zipkick-web-3"]["service"] = "web";
        }).empty());
  CHECK(intended_before_it_was_written_down([](ordered_json& json) { json.erase("lb"); }).empty());
}

TEST_CASE("lockfile: that no address was asked for is written down") {
  auto lockfile = full_lockfile();
  lockfile.servers.at("zipkick-web-3").service = "lb";
  lockfile.lb = LoadBalancer{};
  const auto read = decode(encoded(lockfile), test_key());
  REQUIRE(read);
  CHECK(read->lb->intended_for.empty());
}

TEST_CASE("lockfile: one that is nested without bounds is refused") {
  const auto text = encoded(full_lockfile());
  const auto place = text.find("\"applied\": ") + std::string("\"applied\": ").size();
  const auto deep =
      text.substr(0, place) + std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}";
  CHECK(error_of(deep).message.find("nested too deep") != std::string::npos);
}

TEST_CASE("lockfile: a lineage that is no name is refused before it becomes a path") {
  CHECK_FALSE(lineage_of(R"({"version": 1, "lineage": "../../../etc/passwd"})"));
  CHECK_FALSE(lineage_of(R"({"version": 1, "lineage": 5})"));
  CHECK_FALSE(lineage_of(R"([1])"));
  CHECK_FALSE(lineage_of(""));
}

TEST_CASE("lockfile: what is not UTF-8 is an error and no exception") {
  auto lockfile = full_lockfile();
  lockfile.cloud_url = "\xff";
  CountingRandom random;
  const auto text = encode(lockfile, test_key(), random, "");
  REQUIRE_FALSE(text);
  CHECK(text.error().kind == ErrorKind::invalid);
}

}  // namespace
}  // namespace paas::lockfile
