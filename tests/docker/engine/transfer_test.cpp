// Handing images over between real engines.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include "base/text.hpp"
#include "docker/engine/fixture.hpp"
#include "docker/image_transfer.hpp"
#include "system/posix_processes.hpp"

namespace paas::docker {
namespace {

using testing::RealEngine;

/// A base of some size and two images on it; "twice" has one layer two times, which old engines
/// export as a link.
class Images : public RealEngine {
 public:
  Images() {
    base = image("base");
    app = image("app");
    require(build(base,
                  "FROM scratch\nCOPY program /program\n"
                  "RUN [\"/program\", \"write\", \"/big\", \"0123456789abcdef\", \"500000\"]\n"
                  "CMD [\"/program\", \"wait\"]\n"));
    require(build(app, "FROM " + base + "\nCOPY file /file\nCOPY file /file\n"));
  }

  static void require(const Result<std::string>& built) {
    REQUIRE_MESSAGE(built, built.error().message << "\n" << built.error().hint);
  }

  SavedImage saved(const std::string& tag) {
    auto image = SavedImage::save(engine, files, tag, scratch.file("image.tar"));
    REQUIRE_MESSAGE(image, describe(image.error()));
    return *image;
  }

  tests::ScratchFolder scratch;
  std::string base;
  std::string app;
};

/// What hand_over() sent in bytes.
std::uint64_t send(Engine& target, const SavedImage& image) {
  std::uint64_t bytes = 0;
  const auto sent =
      hand_over(target, image, [&](std::uint64_t done, std::uint64_t) { bytes = done; });
  REQUIRE_MESSAGE(sent, describe(sent.error()));
  CHECK(*sent == (bytes > 0));
  return bytes;
}

TEST_CASE_FIXTURE(Images, "real engine: a removed image comes back from what its base lacks") {
  const auto image = saved(app);
  CHECK(image.config_digest() == engine.config_digest(app).value());
  CHECK(image.layers() == engine.inspect_image(app)->layers);
  CHECK(image.tags() == std::vector<std::string>{app});
  CHECK(send(engine, image) == 0);

  REQUIRE(engine.remove_image(app));
  const auto part = send(engine, image);
  MESSAGE("whole archive ", text::bytes(image.size_bytes()), ", sent ", text::bytes(part));
  if (!engine.has_containerd_store().value()) CHECK(part < image.size_bytes() / 20);
  CHECK(engine.config_digest(app).value() == image.config_digest());
  ContainerSpec spec;
  spec.image = app;
  const auto web = running("web", spec);
  CHECK(engine.exec(web, {"/program", "read", "/file"})->output == "content of " + prefix + "\n");
  REQUIRE(engine.remove_container(web));

  // Only the tag is missing: nothing is sent.
  REQUIRE(engine.tag_image(app, name("other"), "1"));
  this->image("other");
  REQUIRE(engine.remove_image(app));
  CHECK(send(engine, image) == 0);
  CHECK(engine.config_digest(app).value() == image.config_digest());
}

/// dockerd with its own data. It has a network namespace of its own, because an engine without a
/// bridge deletes the docker0 that it finds, which is another engine's; and a mount namespace, so
/// that no mount outlives it.
class Daemon {
 public:
  explicit Daemon(const tests::ScratchFolder& scratch) {
    const auto pid = processes_.start_detached(
        {"unshare", "--net", "--mount", "dockerd", "--host=unix://" + scratch.file("s"),
         "--data-root=" + scratch.file("data"), "--exec-root=" + scratch.file("exec"),
         "--pidfile=" + scratch.file("pid"), "--bridge=none", "--iptables=false",
         "--ip-forward=false", "--ip-masq=false"},
        scratch.file("log"));
    REQUIRE(pid);
    pid_ = *pid;
  }
  ~Daemon() {
    ::kill(pid_, SIGTERM);
    for (int i = 0; i < 600 && is_running(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// It may be a child of this process or not, as the port likes.
  bool is_running() const {
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) return false;
    return ::kill(pid_, 0) == 0;
  }

 private:
  system::PosixProcesses processes_;
  int pid_ = 0;
};

class SecondEngine : public Images {
 public:
  SecondEngine() {
    for (int i = 0; i < 1200 && daemon_.is_running() && !target.ping(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    const auto log = files.read(scratch.file("log"));
    REQUIRE_MESSAGE(target.ping(), (log ? *log : std::string()));
  }

 private:
  Daemon daemon_{scratch};

 public:
  Engine target{http, scratch.file("s"), {.name = "second engine"}};
};

TEST_SUITE_BEGIN("second engine");

TEST_CASE_FIXTURE(SecondEngine, "second engine: gets the base once and then only what is new") {
  const auto base_image = saved(base);
  const auto began = std::chrono::steady_clock::now();
  const auto whole = send(target, base_image);
  const auto base_time = std::chrono::steady_clock::now();
  CHECK(whole == base_image.upload({}).length_bytes);
  CHECK(target.config_digest(base).value() == engine.config_digest(base).value());
  CHECK(send(target, base_image) == 0);

  const auto app_image = saved(app);
  const auto app_began = std::chrono::steady_clock::now();
  const auto part = send(target, app_image);
  const auto app_time = std::chrono::steady_clock::now();
  const auto in_ms = [](auto span) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
  };
  MESSAGE("base: ", text::bytes(whole), " in ", in_ms(base_time - began),
          " ms; app: ", text::bytes(part), " of ", text::bytes(app_image.size_bytes()), " in ",
          in_ms(app_time - app_began), " ms");
  CHECK(part < app_image.size_bytes() / 20);
  CHECK(target.config_digest(app).value() == engine.config_digest(app).value());
  // What came over is whole: exported again, it has the same layers.
  const auto back = SavedImage::save(target, files, app, scratch.file("back.tar"));
  REQUIRE_MESSAGE(back, describe(back.error()));
  CHECK(back->layers() == app_image.layers());
  CHECK(back->config_digest() == app_image.config_digest());
}

TEST_CASE_FIXTURE(SecondEngine, "second engine: a part without its base is followed by the whole") {
  const auto image = saved(app);
  // The engine itself refuses a part whose chain it has not.
  auto part = image.upload({image.layers()[0]});
  REQUIRE(part.layers_skipped == 1);
  const auto refused = target.load_image(part.source, part.length_bytes);
  REQUIRE_FALSE(refused);
  MESSAGE("refusal: ", refused.error().message);
  CHECK(refused.error().kind == ErrorKind::failed);
  CHECK(send(target, image) > image.size_bytes() / 2);
}

TEST_SUITE_END();

}  // namespace
}  // namespace paas::docker
