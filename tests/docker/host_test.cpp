// Where the engine is looked for.
#include "docker/host.hpp"

#include <doctest/doctest.h>

#include "system/support/variables.hpp"

namespace paas::docker {
namespace {

TEST_CASE("engine: DOCKER_HOST names the socket") {
  const auto socket = [](const std::optional<std::string>& value) {
    tests::Variables environment;
    if (value) environment.values["DOCKER_HOST"] = *value;
    const auto found = engine_socket(environment);
    return found ? *found : "error: " + found.error().message;
  };
  CHECK(socket(std::nullopt) == "/var/run/docker.sock");
  CHECK(socket("") == "/var/run/docker.sock");
  CHECK(socket("unix:///run/user/1000/docker.sock") == "/run/user/1000/docker.sock");
  CHECK(socket("tcp://10.0.0.1:2375") ==
        "error: DOCKER_HOST is tcp://10.0.0.1:2375, which is no unix socket");
}

}  // namespace
}  // namespace paas::docker
