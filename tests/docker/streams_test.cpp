// Decoding what engines stream.
#include "docker/streams.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "docker/support/scripted_engine.hpp"

namespace paas::docker {
namespace {

using testing::frame;

TEST_CASE("streams: frames are told apart wherever the parts end") {
  const auto whole = frame(1, "out one\n") + frame(2, "") + frame(2, "error\n") + frame(0, "zero") +
                     frame(1, std::string(300, 'x'));
  for (std::size_t size = 1; size <= whole.size(); size += 3) {
    std::string output;
    std::string error;
    Demultiplexer frames([&](LogStream stream, std::string_view part) -> Status {
      (stream == LogStream::error ? error : output) += part;
      return {};
    });
    for (std::size_t at = 0; at < whole.size(); at += size) {
      REQUIRE(frames.feed(std::string_view(whole).substr(at, size)));
    }
    CHECK(output == "out one\nzero" + std::string(300, 'x'));
    CHECK(error == "error\n");
  }
}

TEST_CASE("streams: what is not in frames is an error, and so is the sink's") {
  Demultiplexer frames(
      [](LogStream, std::string_view) -> Status { return fail(ErrorKind::interrupted, "enough"); });
  CHECK(frames.feed("plain text").error().message == "the engine's output stream is not in frames");
  Demultiplexer stopped(
      [](LogStream, std::string_view) -> Status { return fail(ErrorKind::interrupted, "enough"); });
  CHECK(stopped.feed(frame(1, "x")).error().kind == ErrorKind::interrupted);
}

TEST_CASE("streams: JSON lines come one by one, the last without an end too") {
  std::vector<int> seen;
  JsonLines lines([&](const nlohmann::json& value) -> Status {
    seen.push_back(value["n"].get<int>());
    return {};
  });
  REQUIRE(lines.feed("{\"n\":1}\r\n\r\n{\"n\""));
  REQUIRE(lines.feed(":2}\n{\"n\":3}"));
  CHECK(seen == std::vector<int>{1, 2});
  REQUIRE(lines.finish());
  CHECK(seen == std::vector<int>{1, 2, 3});
  CHECK(lines.feed("<html>\n").error().message == "the engine sent what is not JSON: <html>");
}

TEST_CASE("streams: a failed build has the engine's message and its last lines") {
  std::vector<std::string> shown;
  Messages messages([&](std::string_view line) { shown.emplace_back(line); });
  REQUIRE(messages.feed(R"({"stream":"Step 1/2 : FROM scratch"}
{"stream":"\n"}
{"stream":"part "}
{"stream":"of a line\nnext"}
{"status":"Downloading","id":"abc","progress":"[=> ]"}
{"aux":{"ID":"sha256:1"}}
{"errorDetail":{"code":3,"message":"The command returned a non-zero code: 3"},"error":"short"}
)"));
  const auto done = messages.finish();
  REQUIRE_FALSE(done);
  CHECK(done.error().kind == ErrorKind::failed);
  CHECK(done.error().message == "The command returned a non-zero code: 3");
  CHECK(done.error().hint ==
        "the last lines of output:\nStep 1/2 : FROM scratch\npart of a line\n"
        "abc: Downloading [=> ]\nnext");
  CHECK(shown == std::vector<std::string>{"Step 1/2 : FROM scratch", "part of a line",
                                          "abc: Downloading [=> ]", "next"});
  CHECK(messages.image_id() == "sha256:1");
}

}  // namespace
}  // namespace paas::docker
