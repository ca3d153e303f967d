// Sealed values open with their key at their place and nowhere else.
#include "lockfile/seal.hpp"

#include <doctest/doctest.h>

#include <set>

#include "lockfile/support/fakes.hpp"
#include "system/support/variables.hpp"

namespace paas::lockfile {
namespace {

using testing::CountingRandom;
using testing::FakeFiles;
using testing::test_key;
using testing::test_lineage;
using tests::Variables;

TEST_CASE("lockfile: a sealed value opens at its place and does not show") {
  CountingRandom random;
  for (const auto& value :
       {std::string("password"), std::string(), std::string("a\0b", 3), std::string(5000, 'x')}) {
    const auto sealed = seal(Secret(value), "/services/db/password", test_key(), random);
    REQUIRE(sealed);
    CHECK(sealed->rfind("paas1:", 0) == 0);
    CHECK(sealed->find("password") == std::string::npos);
    const auto opened = unseal(*sealed, "/services/db/password", test_key());
    REQUIRE(opened);
    CHECK(opened->reveal() == value);
  }
}

TEST_CASE("lockfile: a value sealed twice looks different") {
  CountingRandom random;
  const Secret value("password");
  CHECK(*seal(value, "/a", test_key(), random) != *seal(value, "/a", test_key(), random));
}

TEST_CASE("lockfile: no changed character, other place or other key opens a sealed value") {
  CountingRandom random;
  const auto sealed = *seal(Secret("password"), "/a", test_key(), random);
  CHECK_FALSE(unseal(sealed, "/b", test_key()));
  CHECK_FALSE(unseal(sealed, "/a", Key(std::string(32, 'K'))));
  CHECK_FALSE(unseal(sealed, "/a", Key("short")));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    CAPTURE(i);
    CHECK_FALSE(unseal(changed, "/a", test_key()));
    CHECK_FALSE(unseal(sealed.substr(0, i), "/a", test_key()));
  }
}

TEST_CASE("lockfile: the text of a sealed value stays readable by later versions") {
  // Sealed by the first version: AES-256-GCM, twelve bytes of nonce first, sixteen of tag last.
  CountingRandom random;
  const auto sealed = *seal(Secret("password"), "/a", test_key(), random);
  const auto raw = text::base64_decode(sealed.substr(6));
  REQUIRE(raw);
  CHECK(raw->size() == 12 + 8 + 16);
  CHECK(raw->substr(0, 12) == CountingRandom().bytes(12));
}

TEST_CASE("lockfile: SHA-256 is the published one") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("lockfile: a key is made once, private to its owner, and found again") {
  FakeFiles files;
  Variables environment(Variables::Values{{"HOME", "/home/u"}});
  CountingRandom random;
  const std::string path = std::string("/home/u/.config/paasctl/keys/") + test_lineage;
  const auto made = create_key(files, environment, random, test_lineage);
  REQUIRE(made);
  CHECK(made->reveal().size() == 32);
  CHECK(files.files.at(path).mode == 0600);
  CHECK(files.files.at("/home/u/.config/paasctl/keys").mode == 0700);
  CHECK(*load_key(files, environment, test_lineage) == *made);
  CHECK(*create_key(files, environment, random, test_lineage) == *made);
}

TEST_CASE("lockfile: XDG_CONFIG_HOME comes before HOME unless it is relative") {
  Variables environment(Variables::Values{{"HOME", "/home/u"}, {"XDG_CONFIG_HOME", "/etc/x"}});
  CHECK(*key_path(environment, test_lineage) == std::string("/etc/x/paasctl/keys/") + test_lineage);
  environment.values["XDG_CONFIG_HOME"] = "relative";
  CHECK(key_path(environment, test_lineage)->rfind("/home/u/.config/", 0) == 0);
  environment.values.clear();
  CHECK(key_path(environment, test_lineage).error().kind == ErrorKind::not_found);
}

TEST_CASE("lockfile: PAASCTL_KEY is used and nothing is stored") {
  FakeFiles files;
  Variables environment(
      Variables::Values{{"PAASCTL_KEY", text::base64_encode(std::string(32, 'k')) + "\n"}});
  CountingRandom random;
  CHECK(*create_key(files, environment, random, test_lineage) == test_key());
  CHECK(*load_key(files, environment, test_lineage) == test_key());
  CHECK(files.files.empty());
  environment.values["PAASCTL_KEY"] = "c2hvcnQ=";
  CHECK(load_key(files, environment, test_lineage).error().kind == ErrorKind::invalid);
}

TEST_CASE("lockfile: a missing key names both places, and one that others may read is refused") {
  FakeFiles files;
  Variables environment(Variables::Values{{"HOME", "/home/u"}});
  const auto missing = load_key(files, environment, test_lineage);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::unauthorised);
  CHECK(missing.error().hint.find("PAASCTL_KEY") != std::string::npos);
  CHECK(missing.error().hint.find("/home/u/.config/paasctl/keys/") != std::string::npos);
  const auto path = *key_path(environment, test_lineage);
  const auto encoded = text::base64_encode(test_key().reveal());
  files.files[path] = {encoded, 0640, FileKind::regular};
  CHECK(load_key(files, environment, test_lineage).error().kind == ErrorKind::invalid);
  files.files[path] = {encoded, 0600, FileKind::symlink};
  CHECK(load_key(files, environment, test_lineage).error().kind == ErrorKind::invalid);
  files.files[path] = {encoded.substr(1), 0600, FileKind::regular};
  CHECK(load_key(files, environment, test_lineage).error().kind == ErrorKind::invalid);
  files.files[path] = {encoded, 0600, FileKind::regular};
  CHECK(load_key(files, environment, test_lineage));
}

TEST_CASE("lockfile: a key from another machine is stored, and never in another one's place") {
  FakeFiles files;
  Variables environment(Variables::Values{{"HOME", "/home/u"}});
  const auto text = key_text(test_key());
  CHECK(text.back() == '\n');
  const auto key = parse_key(text, "standard input");
  REQUIRE(key);
  CHECK(*key == test_key());
  const auto path = store_key(files, environment, test_lineage, *key);
  REQUIRE(path);
  CHECK(files.files.at(*path).mode == 0600);
  CHECK(*load_key(files, environment, test_lineage) == test_key());
  files.written.clear();
  CHECK(store_key(files, environment, test_lineage, *key));
  const auto other = store_key(files, environment, test_lineage, Key(std::string(32, 'x')));
  REQUIRE_FALSE(other);
  CHECK(other.error().kind == ErrorKind::exists);
  CHECK(files.written.empty());
  CHECK(*load_key(files, environment, test_lineage) == test_key());
  CHECK(parse_key("c2hvcnQ=", "standard input").error().message ==
        "standard input is not a key: 32 bytes in base64 are");
}

TEST_CASE("lockfile: a lineage that would leave the folder of keys is refused") {
  Variables environment(Variables::Values{{"HOME", "/home/u"}});
  for (const auto* lineage : {"", "short", "../../etc/passwd", "0123456789/abcdef", "01234567\n"}) {
    CAPTURE(lineage);
    CHECK(key_path(environment, lineage).error().kind == ErrorKind::invalid);
  }
}

}  // namespace
}  // namespace paas::lockfile
