// Making the machine image: the recipe is stood in for, it takes minutes.
#include "cloud/node_image.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include "docker/support/scripted_engine.hpp"
#include "system/posix_files.hpp"

using namespace paas;
using namespace paas::cloud;

namespace {

/// Looks at the recipe as it is run, and ends as the test says.
class RecipeRunner : public Processes {
 public:
  explicit RecipeRunner(Files& files) : files_(files) {}

  Result<ProcessResult> run(const ProcessRequest& request) override {
    arguments = request.arguments;
    environment = request.environment;
    recipe = files_.read(request.arguments.at(1)).value_or("");
    request.on_error_output("fetching it ...\nfetching it: ");
    request.on_error_output("3 s\nlast words");
    return ProcessResult{exit_status, "", ""};
  }
  Result<int> run_attached(const std::vector<std::string>&) override { return 0; }
  Result<int> start_detached(const std::vector<std::string>&, const std::string&) override {
    return 0;
  }

  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::string recipe;
  int exit_status = 0;

 private:
  Files& files_;
};

struct Setup {
  docker::testing::ScriptedEngine script;
  docker::Engine engine{script, "/run/engine.sock"};
  system::PosixFiles files;
  RecipeRunner processes{files};
  std::string folder = fmt::format("/tmp/paasctl-node-image-{}", getpid());
  std::vector<std::string> progress;

  ~Setup() { CHECK(files.remove_tree(folder)); }

  Result<std::string> ensure() {
    return ensure_node_image(
        engine, processes, files,
        {.flavour = NodeFlavour::full,
         .docker_host = "unix:///run/engine.sock",
         .folder = folder,
         .on_progress = [this](std::string_view line) { progress.emplace_back(line); }});
  }
};

const char* const image =
    R"({"Id": "sha256:1", "RepoTags": [], "RootFS": {"Layers": []}, "Config": {}})";

}  // namespace

TEST_CASE("node_image: what the engine has is not made again") {
  Setup setup;
  setup.script.answer(200, image);
  CHECK(setup.ensure().value() == node_image_name(NodeFlavour::full));
  CHECK(setup.processes.arguments.empty());
}

TEST_CASE("node_image: what is missing is made by the recipe as it is in the source") {
  Setup setup;
  setup.script.answer(404, R"({"message": "No such image"})");
  setup.script.answer(200, image);
  CHECK(setup.ensure().value() == node_image_name(NodeFlavour::full));
  REQUIRE(setup.processes.arguments.size() == 4);
  CHECK(setup.processes.arguments[0] == "bash");
  CHECK(setup.processes.arguments[2] == "full");
  CHECK(setup.processes.arguments[3] == node_image_name(NodeFlavour::full));
  CHECK(setup.processes.environment ==
        std::vector<std::string>{"DOCKER_HOST=unix:///run/engine.sock"});
  CHECK(setup.processes.recipe ==
        setup.files.read(PAASCTL_SOURCE_DIR "/lib/cloud/node_image.sh").value());
  CHECK(setup.progress ==
        std::vector<std::string>{"fetching it ...", "fetching it: 3 s", "last words"});
  CHECK(setup.files.list(setup.folder).value().empty());
}

TEST_CASE("node_image: a recipe that fails is quoted") {
  Setup setup;
  setup.script.answer(404, R"({"message": "No such image"})");
  setup.processes.exit_status = 1;
  const auto made = setup.ensure();
  REQUIRE_FALSE(made);
  CHECK(made.error().message.find("(status 1):\nfetching it ...\nfetching it: 3 s\nlast words") !=
        std::string::npos);
}

TEST_CASE("node_image: flavours have names of their own") {
  CHECK(node_image_name(NodeFlavour::bare).starts_with("paasctl-node:bare-"));
  CHECK(node_image_name(NodeFlavour::bare) != node_image_name(NodeFlavour::full));
}
