// Tests of what a droplet can ask about itself.
#include "cloud/metadata.hpp"

#include <doctest/doctest.h>

#include "cloud/support/core_fixture.hpp"

using namespace paas::cloud;
using paas::cloud::testing::Core;
using paas::cloud::testing::Json;

TEST_CASE("cloud: a droplet is told about itself, by either of its addresses") {
  Core core;
  const auto id = core.boot_one("web-1", {{"user_data", "#cloud-config\n"}, {"tags", {"a", "b"}}});
  const auto droplet = core.state.droplets.at(id);
  const auto ask = [&](const std::string& path) {
    const auto answer = metadata(core.state, droplet.public_address, path);
    return answer ? answer->body : "(nothing)";
  };
  CHECK(ask("/metadata/v1/id") == std::to_string(id));
  CHECK(ask("/metadata/v1/hostname") == "web-1");
  CHECK(ask("/metadata/v1/user-data") == "#cloud-config\n");
  CHECK(ask("/metadata/v1/region") == "nyc3");
  CHECK(ask("/metadata/v1/public-keys") == "");
  CHECK(ask("/metadata/v1/tags") == "a\nb");
  CHECK(ask("/metadata/v1/interfaces/public/0/ipv4/address") == droplet.public_address);
  CHECK(ask("/metadata/v1/interfaces/private/0/ipv4/address") == droplet.private_address);
  CHECK(ask("/metadata/v1/interfaces/public/0/ipv4/gateway") == "198.18.16.1");
  CHECK(ask("/metadata/v1/interfaces/public/") == "0/\n");
  CHECK(ask("/metadata/v1/reserved_ip/ipv4/active") == "false");
  CHECK(ask("/metadata/v1/interfaces/public/1/ipv4/address") == "(nothing)");
  CHECK(ask("/metadata/v1/nothing") == "(nothing)");
  CHECK(ask("/metadata/v2/id") == "(nothing)");
  CHECK(ask("/metadata/v1/").find("user-data\n") != std::string::npos);
  CHECK(Json::parse(ask("/metadata/v1.json"))["droplet_id"] == id);
  CHECK(metadata(core.state, droplet.private_address, "/metadata/v1/id")->body ==
        std::to_string(id));
}

TEST_CASE("cloud: a droplet learns its reserved IP") {
  Core core;
  const auto id = core.boot_one("lb-1");
  const auto made = core.post("/v2/reserved_ips", {{"droplet_id", id}});
  core.settle();
  const auto answer = metadata(core.state, core.state.droplets.at(id).public_address,
                               "/metadata/v1/reserved_ip/ipv4/ip_address");
  REQUIRE(answer);
  CHECK(answer->body == made.body["reserved_ip"]["ip"].get<std::string>());
}

TEST_CASE("cloud: nobody learns about another's droplet, nor about one that is gone") {
  Core core;
  const auto id = core.boot_one("web-1");
  const auto address = core.state.droplets.at(id).public_address;
  CHECK_FALSE(metadata(core.state, "198.18.16.99", "/metadata/v1/user-data"));
  CHECK_FALSE(metadata(core.state, "", "/metadata/v1/user-data"));
  core.remove("/v2/droplets/" + std::to_string(id));
  CHECK_FALSE(metadata(core.state, address, "/metadata/v1/user-data"));
}
