// Requests about networks and volumes, and events.
#include "docker/engine.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "docker/support/scripted_engine.hpp"

namespace paas::docker {
namespace {

using nlohmann::json;
using testing::ScriptedEngine;

Engine engine_of(ScriptedEngine& http) { return Engine(http, "/run/engine.sock", "zipkick-web-1"); }

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

TEST_CASE("engine: events come one by one until the sink has enough") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  http.answer(200, "{\"Action\":\"start\"}\n{\"Action\":\"die\"}\n{\"Action\":\"never\"}\n");
  std::vector<std::string> actions;
  const auto done = engine.events({{"type", {"container"}}}, [&](const json& event) -> Status {
    actions.push_back(event["Action"]);
    if (actions.size() < 2) return {};
    return fail(ErrorKind::interrupted, "enough");
  });
  CHECK(done.error().kind == ErrorKind::interrupted);
  CHECK(actions == std::vector<std::string>{"start", "die"});
  CHECK(http.requests[0] == "GET /v1.41/events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D");
}

}  // namespace
}  // namespace paas::docker
