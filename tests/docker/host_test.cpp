// Where the engine is looked for.
#include "docker/host.hpp"

#include <doctest/doctest.h>

namespace paas::docker {
namespace {

class OneVariable : public Environment {
 public:
  explicit OneVariable(std::optional<std::string> value) : value_(std::move(value)) {}
  std::optional<std::string> get(const std::string& name) override {
    return name == "DOCKER_HOST" ? value_ : std::nullopt;
  }

 private:
  std::optional<std::string> value_;
};

TEST_CASE("engine: DOCKER_HOST names the socket") {
  const auto socket = [](std::optional<std::string> value) {
    OneVariable environment(std::move(value));
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
