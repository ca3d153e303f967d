// Logs and commands inside containers.
#include "docker/engine.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "docker/support/scripted_engine.hpp"

namespace paas::docker {
namespace {

using nlohmann::json;
using testing::frame;
using testing::ScriptedEngine;

Engine engine_of(ScriptedEngine& http) {
  return Engine(http, "/run/engine.sock", {.name = "zipkick-web-1"});
}

TEST_CASE("engine: logs are told apart, and plain where the container has a terminal") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  std::string output;
  std::string error;
  const auto sink = [&](LogStream stream, std::string_view part) -> Status {
    (stream == LogStream::error ? error : output) += part;
    return {};
  };
  LogOptions options;
  options.tail = "10";
  options.follow = true;
  options.timestamps = true;
  options.since = "1700000000";
  http.answer(200, R"({"Config":{"Tty":false}})");
  http.answer(200, frame(1, "to output\n") + frame(2, "to error\n"));
  REQUIRE(engine.logs("web", options, sink));
  CHECK(http.requests[1] ==
        "GET /v1.41/containers/web/logs?stdout=1&stderr=1&tail=10&follow=1&timestamps=1"
        "&since=1700000000");
  CHECK(http.timeouts[1] == std::chrono::milliseconds(0));
  CHECK(output == "to output\n");
  CHECK(error == "to error\n");
  http.answer(200, R"({"Config":{"Tty":true}})");
  http.answer(200, "plain\r\n");
  REQUIRE(engine.logs("web", {}, sink));
  CHECK(output == "to output\nplain\r\n");
  http.answer(200, R"({"Config":{"Tty":false}})");
  http.answer(200, frame(1, "x"));
  const auto stopped = engine.logs("web", {}, [](LogStream, std::string_view) -> Status {
    return fail(ErrorKind::interrupted, "enough");
  });
  CHECK(stopped.error().kind == ErrorKind::interrupted);
}

TEST_CASE("engine: exec without input gives outputs and exit code") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  http.answer(201, R"({"Id":"e1"})");
  http.answer(200, frame(1, "hello\n") + frame(2, "careful\n"));
  // The engine may still call it running when its stream has ended.
  http.answer(200, R"({"Running":true,"ExitCode":null})");
  http.answer(200, R"({"Running":false,"ExitCode":7})");
  const auto result = engine.exec("web", {"sh", "-c", "exit 7"});
  REQUIRE(result);
  CHECK(result->exit_code == 7);
  CHECK(result->output == "hello\n");
  CHECK(result->error_output == "careful\n");
  CHECK(http.requests ==
        std::vector<std::string>{"POST /v1.41/containers/web/exec", "POST /v1.41/exec/e1/start",
                                 "GET /v1.41/exec/e1/json", "GET /v1.41/exec/e1/json"});
  CHECK(json::parse(http.bodies[0]) ==
        json::parse(R"({"AttachStdin":false,"AttachStdout":true,"AttachStderr":true,"Tty":false,
                        "Cmd":["sh","-c","exit 7"]})"));
}

TEST_CASE("engine: exec with input goes over the raw connection and not into any request") {
  ScriptedEngine http;
  std::string sent;
  const auto hijack = [&](const std::string& socket, const std::string& path,
                          const std::string& body, const ExecOptions& options,
                          const std::function<Status(std::string_view)>& sink) {
    CHECK(socket == "/run/engine.sock");
    CHECK(path == "/v1.41/exec/e1/start");
    CHECK(json::parse(body) == json::parse(R"({"Detach":false,"Tty":false})"));
    CHECK(options.timeout == std::chrono::seconds(7));
    sent = options.input;
    return sink(frame(1, "changed\n"));
  };
  Engine engine(http, "/run/engine.sock", {.name = "db", .hijack = hijack});
  http.answer(201, R"({"Id":"e1"})");
  http.answer(200, R"({"Running":false,"ExitCode":0})");
  const auto result = engine.exec("db", {"/usr/local/bin/set-password"},
                                  {.input = "new-password", .timeout = std::chrono::seconds(7)});
  REQUIRE(result);
  CHECK(result->output == "changed\n");
  CHECK(sent == "new-password");
  CHECK(json::parse(http.bodies[0])["AttachStdin"] == true);
  for (const auto& body : http.bodies) CHECK(body.find("new-password") == std::string::npos);
}

TEST_CASE("engine: a command that does not end is given up after its time") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  http.answer(201, R"({"Id":"e1"})");
  http.answer(200, frame(1, "closed its outputs\n"));
  http.answer(200, R"({"Running":true,"ExitCode":null})");
  const auto result =
      engine.exec("web", {"sleep", "inf"}, {.timeout = std::chrono::milliseconds(0)});
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::timed_out);
}

}  // namespace
}  // namespace paas::docker
