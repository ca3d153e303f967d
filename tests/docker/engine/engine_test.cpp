// The client against a real engine.
#include "docker/engine.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "docker/engine/fixture.hpp"

namespace paas::docker {
namespace {

using testing::RealEngine;

TEST_CASE_FIXTURE(RealEngine, "real engine: it says what it is") {
  const auto info = engine.info();
  REQUIRE_MESSAGE(info, info.error().message);
  CHECK_FALSE(info->version.empty());
  CHECK_FALSE(info->driver.empty());
  CHECK(info->data_root.rfind('/', 0) == 0);
  MESSAGE("Docker Engine ", info->version, ", API ", info->api_version, ", ", info->driver);
}

TEST_CASE_FIXTURE(RealEngine, "real engine: a build shows its lines and gives the image") {
  std::vector<std::string> lines;
  const auto tag = image("built");
  const auto id = build(tag,
                        "FROM scratch\nCOPY program /program\n"
                        "RUN [\"/program\", \"write\", \"/made\", \"x\", \"3\"]\n",
                        [&](std::string_view line) { lines.emplace_back(line); });
  REQUIRE_MESSAGE(id, id.error().message);
  CHECK(std::find(lines.begin(), lines.end(), "wrote /made") != lines.end());
  const auto info = engine.inspect_image(tag);
  REQUIRE(info);
  CHECK(info->id == *id);
  CHECK(info->tags == std::vector<std::string>{tag});
  CHECK(info->layers.size() == 2);
  CHECK(info->labels.at("paas.test") == prefix);
  CHECK(engine.config_digest(tag).value().rfind("sha256:", 0) == 0);
  const auto images = engine.images();
  REQUIRE(images);
  CHECK(std::any_of(images->begin(), images->end(),
                    [&](const auto& other) { return other.id == *id && !other.layers.empty(); }));

  REQUIRE(engine.tag_image(tag, name("other"), "2"));
  CHECK(engine.inspect_image(name("other") + ":2").value().id == *id);
  CHECK(engine.remove_image(name("other") + ":2"));
  CHECK(engine.inspect_image(name("other") + ":2").error().kind == ErrorKind::not_found);
}

TEST_CASE_FIXTURE(RealEngine, "real engine: a failed build has the program's last words") {
  const auto failed = build(image("failed"),
                            "FROM scratch\nCOPY program /program\n"
                            "RUN [\"/program\", \"say\", \"half done\\n\", \"\", \"3\"]\n");
  REQUIRE_FALSE(failed);
  CHECK(failed.error().kind == ErrorKind::failed);
  CHECK(failed.error().message.find("returned a non-zero code: 3") != std::string::npos);
  CHECK(failed.error().hint.find("half done") != std::string::npos);
  const auto malformed = build(image("malformed"), "FORM scratch\n");
  REQUIRE_FALSE(malformed);
  CHECK(malformed.error().message.find("unknown instruction: FORM") != std::string::npos);
}

TEST_CASE_FIXTURE(RealEngine, "real engine: a container lives as it was described") {
  ContainerSpec spec;
  spec.environment = {"MODE=frontend", "EMPTY=", "SPACES=a b"};
  spec.ports = {{"127.0.0.1", 0, 8000}};
  spec.hostname = "web";
  const auto web = running("web", spec);
  const auto info = engine.inspect_container(web);
  REQUIRE(info);
  CHECK(info->name == web);
  CHECK(info->state == "running");
  REQUIRE(info->ports.size() == 1);
  CHECK(info->ports[0].host_address == "127.0.0.1");
  CHECK(info->ports[0].host_port > 0);
  CHECK(info->ports[0].container_port == 8000);

  const auto environment = engine.exec(web, {"/program", "env"});
  REQUIRE_MESSAGE(environment, environment.error().message);
  CHECK(environment->output.find("MODE=frontend\n") != std::string::npos);
  CHECK(environment->output.find("SPACES=a b\n") != std::string::npos);
  CHECK(environment->output.find("HOSTNAME=web\n") != std::string::npos);

  const auto listed = engine.containers({"paas.test=" + prefix});
  REQUIRE(listed);
  REQUIRE(listed->size() == 1);
  CHECK((*listed)[0].id == info->id);
  CHECK((*listed)[0].name == web);
  CHECK((*listed)[0].ports == info->ports);
  CHECK(engine.containers({"paas.test=" + prefix, "absent"})->empty());

  // A taken name is an error of its own kind.
  spec.name = web;
  spec.image = info->image_id;
  CHECK(engine.create_container(spec).error().kind == ErrorKind::exists);

  CHECK(engine.start_container(web));
  CHECK(engine.stop_container(web, 10));
  CHECK(engine.stop_container(web, 10));
  const auto stopped = engine.containers({"paas.test=" + prefix});
  REQUIRE(stopped->size() == 1);
  CHECK((*stopped)[0].state == "exited");
  // The program ends with 0 on SIGTERM: it was asked, not killed.
  CHECK((*stopped)[0].exit_code == 0);
  CHECK(engine.start_container(web));
  CHECK(engine.kill_container(web, "SIGKILL"));
  CHECK(engine.remove_container(web));
  CHECK(engine.remove_container(web));
  CHECK(engine.inspect_container(web).error().kind == ErrorKind::not_found);
}

TEST_CASE_FIXTURE(RealEngine, "real engine: exec gives both outputs and the exit code") {
  const auto web = running("exec");
  const auto said = engine.exec(web, {"/program", "say", "to output", "to error", "42"});
  REQUIRE(said);
  CHECK(said->output == "to output");
  CHECK(said->error_output == "to error");
  CHECK(said->exit_code == 42);
  // A command that closes its outputs is waited for all the same.
  const auto quiet = engine.exec(web, {"/program", "linger", "5"});
  REQUIRE(quiet);
  CHECK(quiet->exit_code == 5);
  const auto missing = engine.exec(web, {"/absent"});
  if (missing) CHECK((missing->exit_code == 126 || missing->exit_code == 127));
  if (!missing) CHECK(missing.error().message.find("/absent") != std::string::npos);
  REQUIRE(engine.stop_container(web, 10));
  CHECK(engine.exec(web, {"/program", "env"}).error().kind == ErrorKind::exists);
}

TEST_CASE_FIXTURE(RealEngine, "real engine: exec passes input on, its end too") {
  const auto web = running("input");
  const auto small = engine.exec(web, {"/program", "copy"}, {.input = "new password"});
  REQUIRE_MESSAGE(small, small.error().message);
  CHECK(small->output == "new password");
  CHECK(small->exit_code == 0);
  std::string big;
  for (int i = 0; i < 300'000; ++i) big += fmt::format("{:015}\n", i);
  const auto echoed = engine.exec(web, {"/program", "copy"}, {.input = big});
  REQUIRE_MESSAGE(echoed, echoed.error().message);
  CHECK(echoed->output == big);
  // A program that does not read its input still has its output and exit code.
  const auto unread = engine.exec(web, {"/program", "say", "done", "", "9"}, {.input = big});
  REQUIRE_MESSAGE(unread, unread.error().message);
  CHECK(unread->output == "done");
  CHECK(unread->exit_code == 9);
}

TEST_CASE_FIXTURE(RealEngine, "real engine: logs are told apart and followed to the end") {
  const auto web = running("logs");
  std::mutex mutex;
  std::condition_variable changed;
  std::string output;
  std::string error;
  LogOptions options;
  options.follow = true;
  Status followed;
  std::thread follower([&] {
    followed = engine.logs(web, options, [&](LogStream stream, std::string_view part) -> Status {
      const std::lock_guard lock(mutex);
      (stream == LogStream::error ? error : output) += part;
      changed.notify_all();
      return {};
    });
  });
  {
    std::unique_lock lock(mutex);
    CHECK(changed.wait_for(lock, std::chrono::seconds(30),
                           [&] { return output == "ready\n" && error == "careful\n"; }));
  }
  // The end of the container is the end of the stream.
  CHECK(engine.stop_container(web, 10));
  follower.join();
  CHECK(followed);
  std::string last;
  options.follow = false;
  options.tail = "0";
  REQUIRE(engine.logs(web, options, [&](LogStream, std::string_view part) -> Status {
    last += part;
    return {};
  }));
  CHECK(last.empty());
}

TEST_CASE_FIXTURE(RealEngine, "real engine: what a container wrote is kept by a commit") {
  const auto web = running("files");
  REQUIRE(engine.exec(web, {"/program", "write", "/kept", "text", "1"})->exit_code == 0);
  REQUIRE(engine.stop_container(web, 10));
  const auto committed = engine.commit_container(web, name("committed"), "1");
  REQUIRE_MESSAGE(committed, committed.error().message);
  ContainerSpec spec;
  spec.image = image("committed");
  const auto copy = running("copy", spec);
  CHECK(engine.exec(copy, {"/program", "read", "/kept"})->output == "text");
  CHECK(engine.remove_container(copy));
}

TEST_CASE_FIXTURE(RealEngine, "real engine: networks with pinned addresses, volumes with labels") {
  const auto network = name("net");
  const auto created =
      engine.create_network({{"Name", network},
                             {"CheckDuplicate", true},
                             {"Internal", true},
                             {"Labels", {{"paas.test", prefix}}},
                             {"IPAM", {{"Config", {{{"Subnet", "198.19.250.0/29"}}}}}}});
  REQUIRE_MESSAGE(created, created.error().message);
  CHECK(engine.create_network({{"Name", network}, {"CheckDuplicate", true}}).error().kind ==
        ErrorKind::exists);
  const auto web = running("net");
  const auto connected = engine.connect_network(network, web, "198.19.250.5");
  CHECK_MESSAGE(connected, (connected ? "" : connected.error().message));
  const auto inspected = engine.inspect_container_json(web);
  CHECK((*inspected)["NetworkSettings"]["Networks"][network]["IPAddress"] == "198.19.250.5");
  CHECK(engine.remove_network(network).error().message.find("active endpoints") !=
        std::string::npos);
  CHECK(engine.disconnect_network(network, web));
  CHECK(engine.networks({"paas.test=" + prefix})->size() == 1);
  CHECK(engine.remove_network(network));
  CHECK(engine.remove_network(network));
  CHECK(engine.networks({"paas.test=" + prefix})->empty());

  const auto volume = name("volume");
  CHECK(engine.create_volume(volume, {{"paas.test", prefix}}).value() == volume);
  CHECK(engine.volumes({"paas.test=" + prefix})->size() == 1);
  ContainerSpec spec;
  spec.image = name("program") + ":1";
  spec.mounts = {{volume, "/data", false}};
  const auto user = running("volume", spec);
  CHECK(engine.exec(user, {"/program", "write", "/data/x", "y", "1"})->exit_code == 0);
  CHECK(engine.remove_volume(volume).error().kind == ErrorKind::exists);
  CHECK(engine.remove_container(user));
  CHECK(engine.remove_volume(volume));
  CHECK(engine.volumes({"paas.test=" + prefix})->empty());
  spec.mounts = {{"/nonexistent/source", "/data", false}};
  spec.name = container("missing");
  CHECK(engine.create_container(spec).error().message.find("/nonexistent/source") !=
        std::string::npos);
}

}  // namespace
}  // namespace paas::docker
