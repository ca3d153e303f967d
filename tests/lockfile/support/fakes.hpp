// Files in memory that can fail, and randomness that repeats.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "lockfile/model.hpp"
#include "lockfile/seal.hpp"
#include "ports/clock.hpp"
#include "ports/files.hpp"
#include "ports/random.hpp"
#include "stack/parse.hpp"

namespace paas::lockfile::testing {

/// Never the same bytes twice, and the same ones in every run.
class CountingRandom : public Random {
 public:
  std::string bytes(std::size_t count) override {
    std::string result;
    for (std::size_t i = 0; i < count; ++i) {
      state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
      result += static_cast<char>(state_ >> 33 & 0xff);
    }
    return result;
  }

 private:
  std::uint64_t state_ = 1;
};

class FixedClock : public Clock {
 public:
  std::chrono::system_clock::time_point now() override {
    return std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
  }
  std::chrono::milliseconds monotonic() override { return {}; }
  Status wait(std::chrono::milliseconds) override { return {}; }
};

/// A file system in memory. Operation number `fails_at` (from 0) fails, like a full disk.
class FakeFiles : public Files {
 public:
  struct File {
    std::string content;
    std::uint32_t mode = 0600;
    FileKind kind = FileKind::regular;
  };

  Result<std::string> read(const std::string& path) override {
    PAAS_CHECK(operate("reading", path));
    const auto found = files.find(path);
    if (found == files.end()) return fail(ErrorKind::not_found, "no such file: " + path);
    return found->second.content;
  }
  Status write_atomically(const std::string& path, std::string_view content,
                          std::uint32_t mode) override {
    const auto allowed = operate("writing", path);
    if (!allowed && !replaces_when_failing) return allowed;
    files[path] = {std::string(content), mode, FileKind::regular};
    written.push_back(path);
    return allowed;
  }
  Status flush(const std::string& path) override { return operate("flushing", path); }
  Status append(const std::string&, std::string_view) override { return unused(); }
  Result<std::string> read_range(const std::string&, std::uint64_t, std::size_t) override {
    return fail(unused().error());
  }
  Status make_directories(const std::string& path, std::uint32_t mode) override {
    PAAS_CHECK(operate("making", path));
    files[path] = {"", mode, FileKind::directory};
    return {};
  }
  Status remove(const std::string& path) override {
    PAAS_CHECK(operate("removing", path));
    files.erase(path);
    return {};
  }
  Status remove_tree(const std::string&) override { return unused(); }
  Status rename(const std::string&, const std::string&) override { return unused(); }
  Result<std::optional<FileInfo>> info(const std::string& path) override {
    PAAS_CHECK(operate("examining", path));
    const auto found = files.find(path);
    if (found == files.end()) return std::nullopt;
    FileInfo result;
    result.kind = found->second.kind;
    result.mode = found->second.mode;
    result.size_bytes = found->second.content.size();
    return result;
  }
  Result<std::vector<std::string>> list(const std::string&) override {
    return fail(unused().error());
  }
  Result<std::unique_ptr<FileGuard>> try_guard(const std::string& path,
                                               std::string_view owner) override {
    files[path] = {std::string(owner), 0600, FileKind::regular};
    return std::make_unique<FileGuard>();
  }

  std::map<std::string, File> files;
  std::vector<std::string> written;
  int operations = 0;
  int fails_at = -1;
  /// As when the last flush fails: the new content is there although an error is returned.
  bool replaces_when_failing = false;

 private:
  Status operate(const std::string& what, const std::string& path) {
    if (operations++ != fails_at) return {};
    return fail(ErrorKind::failed, what + " " + path + ": no space left on device");
  }
  static Status unused() { return fail(ErrorKind::failed, "not used by the lockfile"); }
};

inline Key test_key() { return Key(std::string(32, 'k')); }

constexpr const char* test_lineage = "0123456789abcdef0123456789abcdef";

/// A lockfile with every member set.
inline Lockfile full_lockfile() {
  Lockfile lockfile;
  lockfile.lineage = test_lineage;
  lockfile.serial = 41;
  lockfile.paasctl_version = "0.1.0";
  lockfile.cloud_url = "http://127.0.0.1:4000";
  lockfile.cloud_account = "3f1b2c4d";
  lockfile.applied = stack::parse(R"(
stack: zipkick
cloud: local
region: nyc3
ssh: {from: [0.0.0.0/0]}
images: {web: {build: ./web}, postgres: {build: ./postgres}}
services:
  web: {type: web, image: web, port: 8000, env: {GREETING: "héllo \"you\"\n: #"}, links: [db]}
  db:
    type: db
    image: postgres
    port: 5432
    scheme: postgresql
    volume: {size: 10GiB, mount: /var/lib/postgresql}
    credentials: {user: app, database: app, env: {POSTGRES_PASSWORD: "{password}"}}
lb: {listen: [80], rules: [{to: web}]}
)")
                         .stack;
  lockfile.ssh_key = SshKey{{"paasctl-zipkick", "512189"},
                            Secret("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n"),
                            "ssh-ed25519 AAAA paasctl"};
  lockfile.vpc = Resource{"zipkick", "0d3db13e-a604-4944-9827-7ec2642d32ac"};
  lockfile.vpc_range = "10.10.0.0/20";
  lockfile.firewalls = {{"web", {"zipkick-web", "fw-1"}}, {"lb", {"zipkick-lb", ""}}};
  Service db;
  db.count = 1;
  db.next_number = 2;
  db.releases = {{1, "postgres", "sha256:00ff", "ab12", "2026-01-31T08:15:00Z"}};
  db.password = Secret("correct horse battery staple");
  db.user = "app";
  db.rotation = PasswordRotation{RotationState::set, Secret("newer horse"), "app_b"};
  db.password_rotated = "2026-11-01T10:00:00Z";
  Service web;
  web.count = 2;
  web.next_number = 4;
  web.slots = {20000, 20001};
  web.internal_port = 30000;
  web.pinned = 1;
  web.hook_server = "zipkick-web-2";
  web.settled = Settled{1, 2, 1, "ghcr.io/acme/web:2"};
  web.image = "ghcr.io/acme/web:1.5";
  web.releases = {{1, "paas-zipkick-web:ab12", "sha256:00fe", "ab13", "2026-01-31T08:15:00Z",
                   stack::definition_of(*lockfile.applied, lockfile.applied->services.front()),
                   "anna@laptop", "image web changed", 0, false},
                  {2, "paas-zipkick-web:ab12", "sha256:00fe", "ab13", "2026-01-31T09:15:00Z",
                   std::nullopt, "", "its rules change", 1, true}};
  lockfile.services = {{"db", db}, {"web", web}};
  Server server;
  server.service = "web";
  server.number = 3;
  server.droplet = {"zipkick-web-3", "3164444"};
  server.public_address = "198.18.0.9";
  server.private_address = "10.10.0.2";
  server.host_key = "ssh-ed25519 AAAAC3";
  server.first_host_key = Secret("first");
  server.size = "s-1vcpu-1gb";
  server.region = "nyc3";
  server.image = "debian-12-x64";
  server.prepared = true;
  server.release = 1;
  server.slot = 1;
  server.previous = 2;
  server.leaving = true;
  server.holds_data = true;
  server.weight = 5;
  server.warm = true;
  server.firewalled = true;
  server.created = "2026-01-31T08:15:00Z";
  lockfile.servers = {{"zipkick-web-3", server}};
  lockfile.volumes = {{"zipkick-db", {{"zipkick-db", "v-1"}, "db", 10, "nyc3"}}};
  lockfile.lb = LoadBalancer{
      "198.18.0.50", 3, "1001", {{"host.www.example.com", "00ff"}, {"default", "11"}}, true};
  lockfile.authority = Authority{"-----BEGIN CERTIFICATE-----\nAA==\n", Secret("authority key")};
  lockfile.temporary = {{"zipkick-builder-1", {"zipkick-builder-1", "9"}}};
  return lockfile;
}

}  // namespace paas::lockfile::testing
