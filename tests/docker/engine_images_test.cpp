// Requests about images, and references.
#include "docker/engine.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "docker/reference.hpp"
#include "docker/support/scripted_engine.hpp"
#include "docker/tar.hpp"

namespace paas::docker {
namespace {

using testing::ScriptedEngine;

Engine engine_of(ScriptedEngine& http) {
  return Engine(http, "/run/engine.sock", {.name = "zipkick-web-1"});
}

TEST_CASE("engine: a build streams its context and its lines") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  std::vector<std::string> parts = {"context", "-archive", ""};
  std::size_t given = 0;
  std::vector<std::string> lines;
  BuildOptions options;
  options.tag = "web:1";
  options.dockerfile = "build/Dockerfile";
  options.target = "final";
  options.args = {{"VERSION", "1 & 2"}};
  options.labels = {{"paas.digest", "sha256:d"}};
  options.platform = "linux/arm64";
  options.cache = BuildCache::ignore;
  http.answer(200,
              "{\"stream\":\"Step 1/1 : FROM scratch\\n\"}\r\n{\"aux\":{\"ID\":\"sha256:b\"}}\r\n");
  const auto id = engine.build_image(
      options, [&](std::size_t) -> Result<std::string> { return parts[given++]; },
      [&](std::string_view line) { lines.emplace_back(line); });
  REQUIRE(id);
  CHECK(*id == "sha256:b");
  CHECK(http.requests[0] ==
        "POST /v1.41/build?dockerfile=build%2FDockerfile&rm=1&forcerm=1&t=web%3A1&target=final"
        "&platform=linux%2Farm64&nocache=1&buildargs=%7B%22VERSION%22%3A%221%20%26%202%22%7D"
        "&labels=%7B%22paas.digest%22%3A%22sha256%3Ad%22%7D");
  CHECK(http.bodies[0] == "context-archive");
  CHECK(lines == std::vector<std::string>{"Step 1/1 : FROM scratch"});
}

TEST_CASE("engine: failures inside an answer of status 200 are errors") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  const auto nothing = [](std::size_t) -> Result<std::string> { return std::string(); };
  const char* const broken =
      R"({"errorDetail":{"message":"no space left on device"},"error":"no"})";
  http.answer(200, broken);
  const auto loaded = engine.load_image(nothing, 0);
  REQUIRE_FALSE(loaded);
  CHECK(describe(loaded.error()) == "zipkick-web-1: no space left on device");
  http.answer(200, broken);
  CHECK(engine.build_image({}, nothing, {}).error().message == "no space left on device");
  http.answer(200, broken);
  CHECK(engine.pull_image("web:1", {}).error().message == "no space left on device");
}

TEST_CASE("engine: a pull takes its login along, in the form that the Engine API describes") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  http.answer(200, R"({"status":"Pulling"})");
  // Its base64 has both characters that the URL-safe alphabet replaces.
  const RegistryLogin login{"ghcr.io", "bot", Secret("?>~>?~")};
  REQUIRE(engine.pull_image("ghcr.io/acme/web:1", {}, login));
  CHECK(http.requests[0] == "POST /v1.41/images/create?fromImage=ghcr.io%2Facme%2Fweb&tag=1");
  REQUIRE(http.headers[0].size() == 1);
  const auto& [name, value] = http.headers[0][0];
  CHECK(name == "X-Registry-Auth");
  CHECK(value.find_first_of("+/") == std::string::npos);
  auto standard = value;
  std::replace(standard.begin(), standard.end(), '-', '+');
  std::replace(standard.begin(), standard.end(), '_', '/');
  CHECK(nlohmann::json::parse(text::base64_decode(standard).value()) ==
        nlohmann::json{{"username", "bot"}, {"password", "?>~>?~"}, {"serveraddress", "ghcr.io"}});
  http.answer(200, R"({"status":"Pulling"})");
  REQUIRE(engine.pull_image("acme/web:1", {}));
  CHECK(http.headers[1].empty());
}

TEST_CASE("reference: the registry is what stands before the first slash, if it is a host") {
  CHECK(registry_host("postgres:16") == "docker.io");
  CHECK(registry_host("acme/web:1") == "docker.io");
  CHECK(registry_host("docker.io/acme/web") == "docker.io");
  CHECK(registry_host("ghcr.io/acme/web@sha256:00ff") == "ghcr.io");
  CHECK(registry_host("localhost/web") == "localhost");
  CHECK(registry_host("127.0.0.1:5000/web:1") == "127.0.0.1:5000");
}

TEST_CASE("engine: images are listed with their layers, and one that goes away is left out") {
  ScriptedEngine http;
  auto engine = engine_of(http);
  http.answer(200, R"([{"Id":"sha256:a"},{"Id":"sha256:gone"}])");
  http.answer(200, R"({"Id":"sha256:a","RepoTags":["web:1","<none>:<none>"],"Size":42,
    "Created":"2026-01-31T08:15:00.5Z","Architecture":"amd64","Config":{"Labels":{"k":"v"}},
    "RootFS":{"Type":"layers","Layers":["sha256:1","sha256:2"]}})");
  http.answer(404, R"({"message":"No such image: sha256:gone"})");
  const auto images = engine.images();
  REQUIRE(images);
  REQUIRE(images->size() == 1);
  CHECK((*images)[0].tags == std::vector<std::string>{"web:1"});
  CHECK((*images)[0].layers == std::vector<std::string>{"sha256:1", "sha256:2"});
  CHECK((*images)[0].labels.at("k") == "v");
  CHECK((*images)[0].size_bytes == 42);
}

TEST_CASE("engine: in containerd's store the configuration's digest is read from the archive") {
  ScriptedEngine http("1.48", "1.24");
  auto engine = engine_of(http);
  const char* const config = R"({"rootfs":{"diff_ids":[]}})";
  http.answer(200, R"({"Id":"sha256:manifest"})");
  http.answer(200, R"({"Driver":"overlayfs",
    "DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]})");
  http.answer(
      200,
      tar::archive({tar::file("blobs/sha256/c", config),
                    tar::file("blobs/sha256/layer", std::string(5000, 'l')),
                    tar::file("manifest.json", R"([{"Config":"blobs/sha256/c","Layers":[]}])")}));
  const auto digest = engine.config_digest("web:1");
  REQUIRE_MESSAGE(digest, digest.error().message);
  // printf '{"rootfs":{"diff_ids":[]}}' | sha256sum
  CHECK(*digest == "sha256:1af042414ee4ede82dfd34a3741d6a3de03264be0511e5fec59a7b15ad6cf625");
  CHECK(http.requests[2] == "GET /v1.44/images/sha256:manifest/get");
}

TEST_CASE("engine: a reference is a name and a tag") {
  const auto parts = [](const std::string& reference) {
    const auto [name, tag] = split_reference(reference);
    return name + "|" + tag;
  };
  CHECK(parts("web") == "web|latest");
  CHECK(parts("web:1.4") == "web|1.4");
  CHECK(parts("localhost:5000/acme/web") == "localhost:5000/acme/web|latest");
  CHECK(parts("localhost:5000/acme/web:2") == "localhost:5000/acme/web|2");
  CHECK(parts("web@sha256:ab") == "web@sha256:ab|");
}

}  // namespace
}  // namespace paas::docker
