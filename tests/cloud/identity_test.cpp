// Whose cloud it is, is read from a state's settings alone.
#include "cloud/identity.hpp"

#include <doctest/doctest.h>

#include "cloud/state_json.hpp"
#include "cloud/support/core_fixture.hpp"
#include "cloud/support/served_cloud.hpp"
#include "system/posix_files.hpp"

using namespace paas::cloud;

namespace {

struct Fixture {
  std::optional<Identity> identity_of(const std::string& text) {
    REQUIRE(files.write_atomically(folder.file("state.json"), text, 0600));
    return identity_in(files, folder.file(""));
  }

  paas::cloud::testing::TemporaryFolder folder;
  paas::system::PosixFiles files;
};

}  // namespace

TEST_CASE("cloud: the settings tell whose a state is, and nothing behind them is read") {
  Fixture f;
  testing::Core core;
  core.state.settings.name = "c0ffee";
  core.state.settings.public_range = "198.18.32.0/20";
  core.state.settings.metadata_only = true;
  core.boot_one("web-1");
  const auto text = encode(core.state);
  for (const auto& written : {text, text.substr(0, text.find("next_id"))}) {
    const auto identity = f.identity_of(written);
    REQUIRE(identity);
    CHECK(identity->name == "c0ffee");
    CHECK(identity->public_range == "198.18.32.0/20");
    CHECK(identity->metadata_only);
  }
}

TEST_CASE("cloud: settings are found behind other parts, and only at the top") {
  Fixture f;
  const auto identity = f.identity_of(
      R"({"droplets": [{"name": "x", "settings": {"name": "no"}}], "next_id": 7, "settings":
          {"name": "yes", "public_range": "198.18.0.0/20", "metadata_only": false}})");
  REQUIRE(identity);
  CHECK(identity->name == "yes");
}

TEST_CASE("cloud: without settings there is no identity") {
  Fixture f;
  CHECK_FALSE(identity_in(f.files, f.folder.file("")));
  for (const auto* text : {"", "[]", "7", R"({"settings": 7})", R"({"settings": {"name": "x"}})",
                           R"({"settings": {"name": 1, "public_range": 2, "metadata_only": 3}})",
                           R"({"settings": {"name": "x", "public_range": "y", "metadata_)"}) {
    CAPTURE(text);
    CHECK_FALSE(f.identity_of(text));
  }
}
