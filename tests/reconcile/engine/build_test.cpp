// Builds with both builders of a real engine: secrets, platforms, the cache, and the commit.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "docker/host.hpp"
#include "reconcile/image_names.hpp"
#include "reconcile/images.hpp"
#include "reconcile/revision.hpp"
#include "system/curl_http.hpp"
#include "system/posix_files.hpp"
#include "system/posix_processes.hpp"
#include "system/support/scratch_folder.hpp"
#include "system/system_environment.hpp"

namespace paas::reconcile {
namespace {

class Overridden : public Environment {
 public:
  std::optional<std::string> get(const std::string& name) override {
    const auto found = values.find(name);
    return found != values.end() ? std::optional(found->second) : system_.get(name);
  }
  std::map<std::string, std::string> values;

 private:
  system::SystemEnvironment system_;
};

constexpr const char* canary = "canary-5d41402abc4b2a76b9719d911017c592";

/// A stack with one image, whose name no other run has.
class Workshop {
 public:
  Workshop() {
    std::filesystem::create_directory(folder_.file("app"));
    std::filesystem::copy_file(PAASCTL_TEST_PROGRAM, folder_.file("app/program"));
    stack.name = fmt::format("test-{}-{}", ::getpid(), ++count);
    stack.cloud = stack::CloudKind::local;
    image().context = "./app";
    write("app/mark", stack.name);
  }
  ~Workshop() {
    for (const auto& found : engine.images().value_or(std::vector<docker::ImageInfo>{})) {
      for (const auto& tag : found.tags) {
        if (tag.starts_with(repository_of(stack.name, "app") + ":")) {
          CHECK(engine.remove_image(tag));
        }
      }
    }
  }

  stack::ImageSource& image() { return stack.images["app"]; }
  /// A file of its own keeps runs out of each other's cache, which knows nothing of labels.
  void write_dockerfile(const std::string& rest) {
    std::ofstream(folder_.file("app/Dockerfile")) << "FROM scratch\nCOPY mark program /\n" << rest;
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.file(name)) << text;
  }
  std::string path(const std::string& name) const { return folder_.file(name); }
  Result<plan::ImageState> build() {
    lines.clear();
    return images.build(stack, "app",
                        [&](std::string_view line) { lines += std::string(line) + "\n"; });
  }
  void git(std::vector<std::string> arguments) {
    ProcessRequest request;
    request.arguments = {"git", "-C", path("."), "-c", "user.name=a", "-c", "user.email=a@b"};
    request.arguments.insert(request.arguments.end(), arguments.begin(), arguments.end());
    const auto done = processes.run(request);
    REQUIRE_MESSAGE(done, done.error().message);
    REQUIRE_MESSAGE(done->exit_status == 0, done->error_output);
  }

  inline static int count = 0;
  system::CurlHttp http;
  system::PosixFiles files;
  system::PosixProcesses processes;
  Overridden environment;
  docker::Engine engine{http, docker::engine_socket(environment).value_or("")};
  stack::Stack stack;
  std::string lines;

 private:
  tests::ScratchFolder folder_;

 public:
  Images images{{engine, files, processes, environment}, folder_.path(), folder_.file("scratch")};
};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE_FIXTURE(Workshop, "real builds: a secret reaches the step that mounts it, and no layer") {
  image().secrets = {{"token", {"PAAS_TEST_TOKEN", ""}}, {"conf", {"", "./conf"}}};
  environment.values["PAAS_TEST_TOKEN"] = canary;
  ::setenv("PAAS_TEST_TOKEN", canary, 1);
  write("conf", fmt::format("url = {}-in-a-file\n", canary));
  write_dockerfile(
      "RUN --mount=type=secret,id=token,required=true [\"/program\", \"read\", "
      "\"/run/secrets/token\"]\n"
      "RUN --mount=type=secret,id=conf,required=true [\"/program\", \"read\", "
      "\"/run/secrets/conf\"]\n");
  REQUIRE(docker::check_buildkit(processes, environment));
  CHECK(images.check_build(stack, "app"));
  const auto built = build();
  REQUIRE_MESSAGE(built, built.error().message << "\n" << built.error().hint);
  // Both steps printed what they read.
  CHECK_MESSAGE(contains(lines, " ***"), lines);
  CHECK_FALSE(contains(lines, canary));
  auto inside = engine.inspect_image_json(built->reference).value().dump();
  REQUIRE(engine.save_image(built->reference, [&](std::string_view part) -> Status {
    inside += part;
    return {};
  }));
  CHECK(contains(inside, "/run/secrets/token"));
  CHECK_FALSE(contains(inside, canary));
}

TEST_CASE_FIXTURE(Workshop, "real builds: the classic builder refuses secrets before it builds") {
  image().secrets = {{"token", {"PAAS_TEST_TOKEN", ""}}};
  write_dockerfile("");
  environment.values["PAAS_TEST_TOKEN"] = canary;
  environment.values["DOCKER_BUILDKIT"] = "0";
  const auto checked = images.check_build(stack, "app");
  REQUIRE_FALSE(checked);
  CHECK(checked.error().message ==
        "image app has secrets, which need BuildKit, and DOCKER_BUILDKIT is 0");
  CHECK(build().error().message == checked.error().message);
  environment.values["PAAS_TEST_TOKEN"] = "";
  CHECK(images.check_build(stack, "app").error().message ==
        "the environment variable PAAS_TEST_TOKEN is empty");
}

TEST_CASE_FIXTURE(Workshop, "real builds: both builders say what failed") {
  write_dockerfile("RUN [\"/program\", \"say\", \"half done\\n\", \"\", \"3\"]\n");
  for (const auto* buildkit : {"1", "0"}) {
    environment.values["DOCKER_BUILDKIT"] = buildkit;
    INFO("DOCKER_BUILDKIT=", buildkit);
    const auto built = build();
    REQUIRE_FALSE(built);
    CHECK(contains(built.error().message, "3"));
    CHECK(contains(built.error().hint, "half done"));
  }
}

TEST_CASE_FIXTURE(Workshop, "real builds: the platform is part of what an image is") {
  write_dockerfile("");
  const auto own = build();
  REQUIRE(own);
  image().platform = "linux/arm64";
  const auto built = build();
  REQUIRE_MESSAGE(built, built.error().message);
  CHECK(built->reference != own->reference);
  CHECK(engine.inspect_image(built->reference).value().architecture == "arm64");
  // What no server can run is not kept, or the next run would take it for what was asked for.
  stack.cloud = stack::CloudKind::digitalocean;
  const auto refused = build();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "image app was built for linux/arm64, which servers cannot run");
  CHECK(images.survey(stack, {}).value().at("app").needs_build);
}

TEST_CASE_FIXTURE(Workshop, "real builds: the cache is used, unless it is to be ignored") {
  write_dockerfile("RUN [\"/program\", \"write\", \"/made\", \"x\", \"1\"]\n");
  const auto layers = [&] {
    const auto built = build();
    REQUIRE_MESSAGE(built, built.error().message);
    return engine.inspect_image(built->reference).value().layers;
  };
  for (const auto* buildkit : {"1", "0"}) {
    environment.values["DOCKER_BUILDKIT"] = buildkit;
    INFO("DOCKER_BUILDKIT=", buildkit);
    layers();
    layers();
    CHECK_FALSE(contains(lines, "wrote /made"));
  }
  images.ignore_cache();
  for (const auto* buildkit : {"1", "0"}) {
    environment.values["DOCKER_BUILDKIT"] = buildkit;
    INFO("DOCKER_BUILDKIT=", buildkit);
    layers();
    CHECK(contains(lines, "wrote /made"));
  }
}

TEST_CASE_FIXTURE(Workshop, "real builds: the commit is a label and a tag, and dirty when it is") {
  write_dockerfile("");
  const auto label = [&] {
    const auto built = build();
    REQUIRE_MESSAGE(built, built.error().message);
    auto labels = engine.inspect_image(built->reference).value().labels;
    const auto tag =
        repository_of(stack.name, "app") + ":git-" + short_revision(labels[revision_label]);
    if (labels.contains(revision_label) && !labels[revision_label].empty()) {
      CHECK(engine.inspect_image(tag).value().id == engine.inspect_image(built->reference)->id);
    }
    return labels[revision_label];
  };
  CHECK(label().empty());
  git({"init", "--quiet"});
  CHECK(label().empty());
  git({"add", "app"});
  git({"commit", "--quiet", "-m", "first"});
  const auto first = label();
  CHECK(first.size() == 40);
  // What lies beside the build context does not matter.
  write("beside", "");
  CHECK(label() == first);
  write("app/new", "");
  CHECK(label() == first + "-dirty");
  git({"add", "app"});
  git({"commit", "--quiet", "-m", "second"});
  const auto second = label();
  CHECK(second.size() == 40);
  CHECK(second != first);
}

TEST_CASE_FIXTURE(Workshop, "real builds: a survey finds what was built, with either builder") {
  write_dockerfile("");
  for (const auto* buildkit : {"1", "0"}) {
    environment.values["DOCKER_BUILDKIT"] = buildkit;
    image().target = "";
    write("app/file", buildkit);
    CHECK(images.survey(stack, {}).value().at("app").needs_build);
    const auto built = build();
    REQUIRE_MESSAGE(built, built.error().message);
    const auto states = images.survey(stack, {});
    REQUIRE(states);
    CHECK_FALSE(states->at("app").needs_build);
    CHECK(states->at("app").digest == built->digest);
  }
}

}  // namespace
}  // namespace paas::reconcile
