// Requests about networks and volumes.
#include "docker/engine.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "docker/support/scripted_engine.hpp"

namespace paas::docker {
namespace {

using nlohmann::json;
using testing::ScriptedEngine;

Engine engine_of(ScriptedEngine& http) {
  return Engine(http, "/run/engine.sock", {.name = "zipkick-web-1"});
}

TEST_CASE("engine: networks and volumes in requests") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  http.answer(201, R"({"Id":"n1","Warning":""})");
  CHECK(engine.create_network({{"Name", "vpc"}}).value() == "n1");
  http.answer(200);
  CHECK(engine.connect_network("vpc", "web", "10.10.0.5"));
  CHECK(json::parse(http.bodies[1]) ==
        json::parse(
            R"({"Container":"web","EndpointConfig":{"IPAMConfig":{"IPv4Address":"10.10.0.5"}}})"));
  http.answer(200);
  CHECK(engine.connect_network("vpc", "web", ""));
  CHECK(json::parse(http.bodies[2]) == json::parse(R"({"Container":"web"})"));
  http.answer(200);
  CHECK(engine.disconnect_network("vpc", "web"));
  CHECK(http.requests[3] == "POST /v1.41/networks/vpc/disconnect");
  http.answer(201, R"({"Name":"data","Driver":"local"})");
  CHECK(engine.create_volume("data", {{"k", "v"}}).value() == "data");
  CHECK(json::parse(http.bodies[4]) == json::parse(R"({"Name":"data","Labels":{"k":"v"}})"));
  http.answer(200, R"({"Volumes":null,"Warnings":null})");
  CHECK(engine.volumes({"k"})->empty());
  http.answer(403, R"({"message":"network vpc has active endpoints"})");
  CHECK(engine.remove_network("vpc").error().message == "network vpc has active endpoints");
}

}  // namespace
}  // namespace paas::docker
