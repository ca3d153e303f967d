// How every request is made, and what becomes of errors.
#include "docker/engine.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "docker/support/scripted_engine.hpp"

namespace paas::docker {
namespace {

using testing::ScriptedEngine;

Engine engine_of(ScriptedEngine& http) {
  return Engine(http, "/run/engine.sock", {.name = "zipkick-web-1"});
}

TEST_CASE("engine: the version is agreed once, between what both sides know") {
  struct Case {
    const char* newest;
    const char* oldest;
    const char* used;
  };
  for (const auto& [newest, oldest, used] :
       {Case{"1.41", "1.12", "1.41"}, Case{"1.44", "1.24", "1.44"}, Case{"1.52", "1.44", "1.44"},
        Case{"1.60", "1.50", "1.50"}, Case{"1.9", "1.1", "1.9"}}) {
    ScriptedEngine http(newest, oldest);
    auto engine = engine_of(http);
    http.answer(200, "OK");
    http.answer(200, "OK");
    REQUIRE(engine.ping());
    auto copy = engine;
    REQUIRE(copy.ping());
    CHECK(http.requests[1] == "GET /v" + std::string(used) + "/_ping");
    CHECK(http.version_requests == 1);
  }
}

TEST_CASE("engine: threads that start together ask for the version once") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) http.answer(200, "OK");
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { CHECK(engine.ping()); });
  }
  for (auto& thread : threads) thread.join();
  CHECK(http.version_requests == 1);
}

TEST_CASE("engine: errors have the kind, the engine's message and the engine's name") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  const auto error_for = [&](int status, const std::string& body) {
    http.answer(status, body);
    const auto result = engine.start_container("web");
    REQUIRE_FALSE(result);
    return result.error();
  };
  CHECK(error_for(404, R"({"message":"No such container: web"})").kind == ErrorKind::not_found);
  CHECK(error_for(409, R"({"message":"taken"})").kind == ErrorKind::exists);
  CHECK(error_for(500, R"({"message":"driver failed"})").kind == ErrorKind::failed);
  const auto plain = error_for(500, "<html>proxy</html>\n");
  CHECK(describe(plain) == "zipkick-web-1: <html>proxy</html>");
  CHECK(error_for(502, "").message == "status 502 without a message");
  http.break_off(ErrorKind::unreachable, "cannot reach /run/engine.sock: No such file");
  const auto gone = engine.containers({});
  REQUIRE_FALSE(gone);
  CHECK(gone.error().kind == ErrorKind::unreachable);
  CHECK(gone.error().hint.find("DOCKER_HOST") != std::string::npos);
}

TEST_CASE(
    "engine: one of a server is called by its server, and not by the socket that leads to it") {
  ScriptedEngine http;
  Engine engine(http, "/run/engine.sock",
                {.name = "Docker Engine on web-1",
                 .address = "web-1:/var/run/docker.sock",
                 .hint = "see: paasctl server ssh web-1"});
  http.break_off(ErrorKind::unreachable, "cannot reach /run/engine.sock: Connection refused");
  const auto gone = engine.ping();
  REQUIRE_FALSE(gone);
  CHECK(describe(gone.error()) ==
        "Docker Engine on web-1: cannot reach web-1:/var/run/docker.sock: Connection refused");
  CHECK(gone.error().hint == "see: paasctl server ssh web-1");
}

TEST_CASE("docker: the identifiers of all images take one request") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  http.answer(200, R"([{"Id":"sha256:aa","RepoTags":["web:1"]},{"Id":"sha256:bb"}])");
  const auto ids = engine.image_ids();
  REQUIRE(ids);
  CHECK(*ids == std::vector<std::string>{"sha256:aa", "sha256:bb"});
}

TEST_CASE("case 30: half an answer is an error, never an empty list") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  for (const char* body : {"", "[{\"Id\"", "{}", "null", "<html>"}) {
    http.answer(200, body);
    CHECK_FALSE(engine.containers({}));
    http.answer(200, body);
    CHECK_FALSE(engine.networks({}));
    http.answer(200, body);
    CHECK_FALSE(engine.images());
    http.answer(200, body);
    CHECK_FALSE(engine.image_ids());
  }
}

}  // namespace
}  // namespace paas::docker
