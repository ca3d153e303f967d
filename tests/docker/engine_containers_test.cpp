// Requests about containers.
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

TEST_CASE("engine: a container is created with all that its description says") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  ContainerSpec spec;
  spec.name = "zipkick-web-3";
  spec.image = "sha256:abc";
  spec.entrypoint = {"/run-as", "web"};
  spec.command = {"serve", "--port", "8000"};
  spec.environment = {"MODE=frontend"};
  spec.labels = {{"paas.stack", "zipkick"}};
  spec.ports = {{"10.0.0.2", 20001, 8000}, {"127.0.0.1", 20001, 8000}};
  spec.mounts = {{"/etc/paas/hosts", "/etc/hosts.paas", true}, {"data", "/var/lib/data", false}};
  spec.stop_timeout_seconds = 30;
  spec.hostname = "web";
  http.answer(201, R"({"Id":"c1","Warnings":[]})");
  CHECK(engine.create_container(spec).value() == "c1");
  CHECK(http.requests[0] == "POST /v1.41/containers/create?name=zipkick-web-3");
  CHECK(json::parse(http.bodies[0]) == json::parse(R"({
    "Image": "sha256:abc", "Entrypoint": ["/run-as", "web"], "Cmd": ["serve", "--port", "8000"], "Env": ["MODE=frontend"],
    "Labels": {"paas.stack": "zipkick"}, "Hostname": "web", "StopTimeout": 30,
    "ExposedPorts": {"8000/tcp": {}},
    "HostConfig": {
      "RestartPolicy": {"Name": "unless-stopped"},
      "PortBindings": {"8000/tcp": [{"HostIp": "10.0.0.2", "HostPort": "20001"},
                                    {"HostIp": "127.0.0.1", "HostPort": "20001"}]},
      "Mounts": [
        {"Type": "bind", "Source": "/etc/paas/hosts", "Target": "/etc/hosts.paas", "ReadOnly": true},
        {"Type": "volume", "Source": "data", "Target": "/var/lib/data", "ReadOnly": false}]}})"));
}

TEST_CASE("engine: a text that is not UTF-8 is refused instead of changed") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  ContainerSpec spec;
  spec.image = "web";
  spec.environment = {"PASSWORD=\xff\xfe"};
  const auto created = engine.create_container(spec);
  REQUIRE_FALSE(created);
  CHECK(created.error().kind == ErrorKind::invalid);
  CHECK(http.requests.empty());
}

TEST_CASE("engine: a container's life in requests") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  for (int i = 0; i < 4; ++i) http.answer(204);
  CHECK(engine.start_container("web"));
  CHECK(engine.stop_container("web", 90));
  CHECK(engine.kill_container("web", "SIGHUP"));
  CHECK(engine.remove_container("web"));
  CHECK(http.requests == std::vector<std::string>{
                             "POST /v1.41/containers/web/start",
                             "POST /v1.41/containers/web/stop?t=90",
                             "POST /v1.41/containers/web/kill?signal=SIGHUP",
                             "DELETE /v1.41/containers/web?force=1&v=1",
                         });
  // A stop of 90 seconds must not end as a timeout of the request.
  CHECK(http.timeouts[1] > std::chrono::seconds(90));
}

TEST_CASE("engine: a container that is already in the state that was asked for is no error") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  http.answer(304);
  CHECK(engine.start_container("web"));
  http.answer(304);
  CHECK(engine.stop_container("web", 1));
  http.answer(404, R"({"message":"No such container: web"})");
  CHECK(engine.remove_container("web"));
  http.answer(404, R"({"message":"network x not found"})");
  CHECK(engine.remove_network("x"));
  http.answer(404, R"({"message":"get x: no such volume"})");
  CHECK(engine.remove_volume("x"));
}

TEST_CASE("engine: a removal that is under way is waited for") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  http.answer(409, R"({"message":"removal of container web is already in progress"})");
  http.answer(200, R"({"StatusCode":0})");
  CHECK(engine.remove_container("web"));
  CHECK(http.requests[1] == "POST /v1.41/containers/web/wait?condition=removed");
}

TEST_CASE("engine: containers are listed by their labels") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  http.answer(200, R"([
    {"Id":"1","Names":["/other/alias","/zipkick-web-1"],"ImageID":"sha256:a","State":"running",
     "Status":"Up 3 minutes","Labels":{"paas.stack":"zipkick"},
     "Ports":[{"IP":"10.0.0.2","PrivatePort":8000,"PublicPort":20001,"Type":"tcp"},
              {"PrivatePort":9000,"Type":"tcp"}]},
    {"Id":"2","Names":["/zipkick-db-1"],"ImageID":"sha256:b","State":"exited",
     "Status":"Exited (137) 2 hours ago","Labels":null,"Ports":null}])");
  const auto list = engine.containers({"paas.stack=zipkick", "paas.service"});
  REQUIRE(list);
  CHECK(http.requests[0] ==
        "GET /v1.41/containers/json?all=1&filters="
        "%7B%22label%22%3A%5B%22paas.stack%3Dzipkick%22%2C%22paas.service%22%5D%7D");
  REQUIRE(list->size() == 2);
  CHECK((*list)[0].name == "zipkick-web-1");
  CHECK((*list)[0].image_id == "sha256:a");
  CHECK((*list)[0].labels.at("paas.stack") == "zipkick");
  CHECK((*list)[0].ports == std::vector<PortBinding>{{"10.0.0.2", 20001, 8000}});
  CHECK((*list)[1].state == "exited");
  CHECK((*list)[1].exit_code == 137);
}

TEST_CASE("engine: an inspected container has what it was created with, running or not") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  const char* const body = R"({"Id":"1","Name":"/web","Image":"sha256:a","RestartCount":2,
    "State":{"Status":"exited","ExitCode":3,"StartedAt":"2026-01-31T08:15:00Z"},
    "Config":{"Env":["A=1","B="],"Labels":{"k":"v"}},
    "HostConfig":{"PortBindings":{"8000/tcp":[{"HostIp":"10.0.0.2","HostPort":"20001"}]}},
    "NetworkSettings":{"Ports":{}}})";
  http.answer(200, body);
  const auto info = engine.inspect_container("web");
  REQUIRE(info);
  CHECK(info->name == "web");
  CHECK(info->state == "exited");
  CHECK(info->exit_code == 3);
  CHECK(info->restart_count == 2);
  CHECK(info->environment == std::vector<std::string>{"A=1", "B="});
  CHECK(info->ports == std::vector<PortBinding>{{"10.0.0.2", 20001, 8000}});
  http.answer(200, R"({"HostConfig":{"PortBindings":{"80/tcp":[{"HostIp":"","HostPort":""}]}},
    "NetworkSettings":{"Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"49153"}]}}})");
  CHECK(engine.inspect_container("web")->ports == std::vector<PortBinding>{{"0.0.0.0", 49153, 80}});
}

TEST_CASE("engine: a container is committed to an image") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  http.answer(201, R"({"Id":"sha256:c"})");
  CHECK(engine.commit_container("web", "paas/snapshot", "7").value() == "sha256:c");
  CHECK(http.requests[0] == "POST /v1.41/commit?container=web&repo=paas%2Fsnapshot&tag=7");
}

}  // namespace
}  // namespace paas::docker
