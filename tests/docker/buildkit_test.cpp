// When BuildKit is used, what docker is told, and what its output shows.
#include "docker/buildkit.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "system/support/variables.hpp"

namespace paas::docker {
namespace {

using tests::Variables;

/// A program `docker` that says what it is told to.
class DockerProgram : public Processes {
 public:
  Result<ProcessResult> run(const ProcessRequest& request) override {
    requests.push_back(request);
    if (!installed) return fail(ErrorKind::not_found, "there is no program docker");
    if (request.arguments[1] == "--version") return ProcessResult{0, version, ""};
    if (request.arguments[1] == "buildx") return ProcessResult{has_plugin ? 0 : 1, "", ""};
    // In parts that end anywhere, as they do in a pipe.
    for (std::size_t at = 0; at < output.size(); at += 5) {
      request.on_error_output(std::string_view(output).substr(at, 5));
    }
    return ProcessResult{status, "", ""};
  }
  Result<int> run_attached(const std::vector<std::string>&) override { return 64; }
  Result<int> start_detached(const std::vector<std::string>&, const std::string&) override {
    return 64;
  }

  bool installed = true;
  std::string version = "Docker version 20.10.24+dfsg1, build 297e128\n";
  bool has_plugin = false;
  std::string output;
  int status = 0;
  std::vector<ProcessRequest> requests;
};

TEST_CASE("buildkit: older clients have it built in, newer ones as a plugin") {
  DockerProgram docker;
  Variables variables;
  CHECK(check_buildkit(docker, variables));
  docker.version = "Docker version 28.2.2, build e6534b4\n";
  CHECK(check_buildkit(docker, variables).error().message ==
        "docker 28 is installed without its plugin buildx");
  docker.has_plugin = true;
  CHECK(check_buildkit(docker, variables));
}

TEST_CASE("buildkit: what stands against it is said, and is no failure") {
  DockerProgram docker;
  Variables variables;
  const auto why = [&] {
    const auto found = check_buildkit(docker, variables);
    REQUIRE_FALSE(found);
    CHECK(found.error().kind == ErrorKind::not_found);
    return found.error().message;
  };
  docker.version = "podman version 4.3.1\n";
  CHECK(why() == "the program docker is not Docker's");
  docker.installed = false;
  CHECK(why() == "the program docker is not installed");
  variables.values["DOCKER_BUILDKIT"] = "0";
  CHECK(why() == "DOCKER_BUILDKIT is 0");
}

BuildKitBuild everything() {
  BuildKitBuild build;
  build.options.tag = "paas-shop-web:1";
  build.options.target = "final";
  build.options.platform = "linux/arm64";
  build.options.cache = BuildCache::ignore;
  build.options.args = {{"VERSION", "1 2"}};
  build.options.labels = {{"paas.name", "web"}};
  build.secrets = {{"token", "TOKEN", "", Secret("hunter22")},
                   {"conf", "", "/a \"b\", c", Secret("[index]\nurl = https://u:pass@h/\n\n")}};
  build.context_file = "/scratch/web.tar";
  return build;
}

TEST_CASE("buildkit: docker gets the context as a file, and secrets by where they are") {
  DockerProgram docker;
  REQUIRE(build_with_buildkit(docker, "/run/engine.sock", everything(), {}));
  const auto& request = docker.requests.at(0);
  CHECK(request.arguments == std::vector<std::string>{"docker",
                                                      "build",
                                                      "--tag",
                                                      "paas-shop-web:1",
                                                      "--file",
                                                      "Dockerfile",
                                                      "--target",
                                                      "final",
                                                      "--platform",
                                                      "linux/arm64",
                                                      "--no-cache",
                                                      "--build-arg",
                                                      "VERSION=1 2",
                                                      "--label",
                                                      "paas.name=web",
                                                      "--secret",
                                                      "id=token,\"env=TOKEN\"",
                                                      "--secret",
                                                      "id=conf,\"src=/a \"\"b\"\", c\"",
                                                      "-"});
  CHECK(request.input_file == "/scratch/web.tar");
  const auto& environment = request.environment;
  for (const auto* variable : {"DOCKER_HOST=unix:///run/engine.sock", "DOCKER_BUILDKIT=1"}) {
    CHECK(std::count(environment.begin(), environment.end(), variable) == 1);
  }
}

TEST_CASE("buildkit: secrets that a build prints are taken out of its lines and of its error") {
  DockerProgram docker;
  docker.output = "#5 token hunter22\n#5 0.1 url = https://u:pass@h/ it is\n\nERROR: no hunter22";
  docker.status = 1;
  std::vector<std::string> lines;
  const auto built = build_with_buildkit(docker, "/run/engine.sock", everything(),
                                         [&](std::string_view line) { lines.emplace_back(line); });
  CHECK(lines == std::vector<std::string>{"#5 token ***", "#5 0.1 *** it is", "ERROR: no ***"});
  REQUIRE_FALSE(built);
  CHECK(built.error().message == "no ***");
  CHECK(built.error().hint ==
        "the last lines of output:\n#5 token ***\n#5 0.1 *** it is\nERROR: no ***");
}

}  // namespace
}  // namespace paas::docker
