// A real engine, names of a run's own, and an image with one program.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "docker/build_context.hpp"
#include "docker/engine.hpp"
#include "docker/host.hpp"
#include "system/curl_http.hpp"
#include "system/posix_files.hpp"
#include "system/support/scratch_folder.hpp"
#include "system/system_environment.hpp"

namespace paas::docker::testing {

inline std::string socket_of_engine() {
  system::SystemEnvironment environment;
  return engine_socket(environment).value_or("");
}

/// Makes names that no other run uses, and removes at its end what was made under them.
class RealEngine {
 public:
  RealEngine() : prefix(fmt::format("paas-test-{}-{}", ::getpid(), ++count)) {}
  ~RealEngine() {
    for (const auto& container : containers_) CHECK(engine.remove_container(container));
    for (const auto& image : images_) {
      const auto removed = engine.remove_image(image);
      CHECK((removed || removed.error().kind == ErrorKind::not_found));
    }
  }

  std::string name(const std::string& rest) const { return prefix + "-" + rest; }
  std::string container(const std::string& rest) {
    containers_.push_back(name(rest));
    return containers_.back();
  }
  std::string image(const std::string& rest) {
    // Later images first: they may be built on earlier ones.
    images_.insert(images_.begin(), name(rest) + ":1");
    return images_.front();
  }

  Result<std::string> build(const std::string& tag, const std::string& dockerfile,
                            const OnText& on_output = {}) {
    const tests::ScratchFolder folder;
    std::filesystem::copy_file(PAASCTL_TEST_PROGRAM, folder.file("program"));
    // First of all steps, so that no two runs share an image: the classic builder takes one that
    // another run made out of its cache, and that run may remove it in the middle of this build.
    const auto base_end = dockerfile.find('\n') + 1;
    std::ofstream(folder.file("Dockerfile"))
        << dockerfile.substr(0, base_end) << "LABEL paas.run=" << prefix << "\n"
        << dockerfile.substr(base_end);
    std::ofstream(folder.file("file")) << "content of " << prefix << "\n";
    PAAS_TRY(const auto entries, list_context(files, folder.path(), "Dockerfile"));
    BuildOptions options;
    options.tag = tag;
    options.labels = {{"paas.test", prefix}};
    return engine.build_image(options, context_archive(files, folder.path(), entries), on_output);
  }

  /// An image whose command waits until it is stopped.
  std::string program_image() {
    const auto tag = image("program");
    const auto built = build(
        tag, "FROM scratch\nCOPY program /program\nENV BUILT=1\nCMD [\"/program\", \"wait\"]\n");
    REQUIRE_MESSAGE(built, built.error().message << "\n" << built.error().hint);
    return tag;
  }

  std::string running(const std::string& rest, ContainerSpec spec = {}) {
    spec.name = container(rest);
    if (spec.image.empty()) spec.image = program_image();
    spec.labels["paas.test"] = prefix;
    spec.restart_policy = "no";
    const auto created = engine.create_container(spec);
    REQUIRE_MESSAGE(created, created.error().message);
    const auto started = engine.start_container(spec.name);
    REQUIRE_MESSAGE(started, started.error().message);
    return spec.name;
  }

  inline static int count = 0;
  system::CurlHttp http;
  system::PosixFiles files;
  Engine engine{http, socket_of_engine()};
  std::string prefix;

 private:
  std::vector<std::string> containers_;
  std::vector<std::string> images_;
};

}  // namespace paas::docker::testing
