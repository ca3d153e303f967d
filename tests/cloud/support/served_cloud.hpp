// A cloud of records with its HTTP server on loopback, its state in a folder of its own.
#pragma once

#include <doctest/doctest.h>
#include <httplib.h>

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "cloud/metadata_world.hpp"
#include "cloud/server.hpp"
#include "cloud/state_json.hpp"
#include "cloud/support/core_fixture.hpp"
#include "system/posix_files.hpp"
#include "system/system_clock.hpp"

namespace paas::cloud::testing {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string path = (std::filesystem::temp_directory_path() / "cloud-test-XXXXXX").string();
    REQUIRE(mkdtemp(path.data()) != nullptr);
    path_ = path;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Files that are not written while the gate is closed.
class GatedFiles : public paas::system::PosixFiles {
 public:
  paas::Status write_atomically(const std::string& path, std::string_view content,
                                std::uint32_t mode) override {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [&] { return open_; });
    guard.unlock();
    return PosixFiles::write_atomically(path, content, mode);
  }
  void set_open(bool open) {
    const std::lock_guard guard(mutex_);
    open_ = open;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
};

/// A metadata-only cloud with a server, on a state of its own.
class ServedCloud {
 public:
  explicit ServedCloud(State state = fresh_state(), std::chrono::milliseconds latency = {})
      : service(std::move(state), world, files, clock, {folder.file("state.json"), {}, {}}) {
    world.record();
    REQUIRE(service.start());
    ServerOptions options;
    options.latency = latency;
    options.metadata = ServeMetadata::yes;
    auto listening = listen(service, options);
    REQUIRE(listening);
    server = std::move(*listening);
  }
  ~ServedCloud() {
    server.reset();
    CHECK(service.stop());
  }

  httplib::Client client(const std::string& token = test_token) {
    httplib::Client made("127.0.0.1", server->port());
    made.set_keep_alive(true);
    made.set_default_headers({{"Authorization", "Bearer " + token}});
    made.set_read_timeout(std::chrono::seconds(20));
    return made;
  }

  State kept() {
    auto text = files.read(folder.file("state.json"));
    REQUIRE(text);
    auto state = decode(*text);
    REQUIRE(state);
    return std::move(*state);
  }

  TemporaryFolder folder;
  GatedFiles files;
  paas::system::SystemClock clock;
  MetadataWorld world{clock};
  Service service;
  std::unique_ptr<Server> server;
};

inline std::string droplet_body(const std::string& name) {
  return Json{{"name", name},
              {"region", "nyc3"},
              {"size", "s-1vcpu-1gb"},
              {"image", "debian-12-x64"},
              {"user_data", "#cloud-config\n"}}
      .dump();
}

inline constexpr const char* json_type = "application/json";

}  // namespace paas::cloud::testing
