// Scripts for servers in a real shell, on files in the place of devices and of sshd's keys.
#include "observe/server_scripts.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "system/posix_processes.hpp"
#include "system/support/scratch_folder.hpp"

namespace paas::observe {
namespace {

constexpr std::uintmax_t device_bytes = 16 << 20;

struct ScriptFixture {
  ProcessResult run(const std::string& script, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"sh", "-euc", script, "sh"});
    ProcessRequest request;
    request.arguments = std::move(arguments);
    request.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    auto result = processes.run(request);
    REQUIRE(result);
    return *result;
  }
  /// As long as a device may be, and nothing but zeros.
  std::string device() {
    const auto path = folder.file("device");
    write(path, "");
    std::filesystem::resize_file(path, device_bytes);
    return path;
  }
  void write_at(const std::string& path, std::uintmax_t offset) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file << "data";
  }
  void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
  std::string read(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(folder.file(name)).rdbuf();
    return text.str();
  }
  std::string type_of(const std::string& device) {
    return run("blkid -p -o value -s TYPE \"$1\" || true", {device}).output;
  }
  std::string new_key() {
    auto made = run(make_host_key_script, {folder.path()});
    REQUIRE_MESSAGE(made.exit_status == 0, made.error_output);
    made.output.pop_back();
    return made.output;
  }
  system::PosixProcesses processes;
  tests::ScratchFolder folder;
};

/// A host key in use, and another one that takes its place.
struct Keys : ScriptFixture {
  Keys() {
    run("ssh-keygen -q -t ed25519 -N '' -C '' -f \"$1/ssh_host_ed25519_key\"", {folder.path()});
    key = new_key();
    private_key = read("paas_next_ed25519_key");
  }
  void check_used() {
    const auto used = run(use_host_key_script, {folder.path(), key});
    CHECK_MESSAGE(used.exit_status == 0, used.error_output);
    CHECK(read("ssh_host_ed25519_key") == private_key);
    CHECK(read("ssh_host_ed25519_key.pub").starts_with(key));
    CHECK(new_key() == key);
    CHECK_FALSE(std::filesystem::exists(folder.file("paas_next_ed25519_key")));
  }
  std::string key;
  std::string private_key;
};

TEST_CASE("server scripts: an empty device gets a file system, and only once") {
  ScriptFixture fixture;
  const auto device = fixture.device();
  CHECK(fixture.run(make_file_system_script, {device}).exit_status == 0);
  CHECK(fixture.type_of(device) == "ext4\n");
  const auto made = fixture.read("device");
  CHECK(fixture.run(make_file_system_script, {device}).exit_status == 0);
  CHECK(fixture.read("device") == made);
}

TEST_CASE("server scripts: a device with anything at its beginning or end is left alone") {
  ScriptFixture fixture;
  for (const auto offset : {std::uintmax_t{4096}, device_bytes - 4}) {
    CAPTURE(offset);
    const auto device = fixture.device();
    fixture.write_at(device, offset);
    const auto before = fixture.read("device");
    CHECK(fixture.run(make_file_system_script, {device}).exit_status == device_not_empty);
    CHECK(fixture.read("device") == before);
  }
}

TEST_CASE("server scripts: a device that cannot be read as a whole is not empty") {
  ScriptFixture fixture;
  // blkid gives 2 for it as well.
  CHECK(fixture.run(make_file_system_script, {fixture.folder.file("none")}).exit_status ==
        device_not_empty);
  const auto device = fixture.device();
  std::filesystem::resize_file(device, 65536);
  CHECK(fixture.run(make_file_system_script, {device}).exit_status == device_not_empty);
  CHECK(fixture.type_of(device).empty());
}

TEST_CASE("server scripts: a new host key takes the place of the first one") {
  Keys keys;
  CHECK(keys.new_key() == keys.key);
  keys.check_used();
  // Again by a run that did not hear of it.
  keys.check_used();
}

TEST_CASE("server scripts: the host key is changed, wherever an earlier run was cut off") {
  for (const bool is_public_half_left : {false, true}) {
    CAPTURE(is_public_half_left);
    Keys keys;
    const auto next = keys.folder.file("paas_next_ed25519_key");
    const auto used = keys.folder.file("ssh_host_ed25519_key");
    if (is_public_half_left) {
      std::filesystem::rename(next, used);
    } else {
      std::filesystem::copy_file(next, used, std::filesystem::copy_options::overwrite_existing);
    }
    CHECK(keys.new_key() == keys.key);
    keys.check_used();
  }
}

TEST_CASE("server scripts: a copy of a machine gets a host key of its own") {
  Keys keys;
  keys.check_used();
  std::filesystem::remove(keys.folder.file("ssh_host_ed25519_key"));
  std::filesystem::remove(keys.folder.file("ssh_host_ed25519_key.pub"));
  keys.run("ssh-keygen -q -t ed25519 -N '' -C '' -f \"$1/ssh_host_ed25519_key\"",
           {keys.folder.path()});
  const auto first = keys.key;
  keys.key = keys.new_key();
  CHECK(keys.key != first);
  keys.private_key = keys.read("paas_next_ed25519_key");
  keys.check_used();
}

TEST_CASE("server scripts: a host key without its private half is not put in place") {
  Keys keys;
  const auto before = keys.read("ssh_host_ed25519_key");
  std::filesystem::remove(keys.folder.file("paas_next_ed25519_key"));
  CHECK(keys.run(use_host_key_script, {keys.folder.path(), keys.key}).exit_status != 0);
  CHECK(keys.read("ssh_host_ed25519_key") == before);
}

TEST_CASE("server scripts: a key that was made halfway is made anew") {
  ScriptFixture fixture;
  fixture.write(fixture.folder.file("paas_next_ed25519_key"), "");
  fixture.write(fixture.folder.file("paas_next_ed25519_key.new"), "half");
  const auto key = fixture.new_key();
  CHECK(key.starts_with("ssh-ed25519 "));
  CHECK(fixture.read("paas_next_ed25519_key.pub").starts_with(key));
}

/// Runs the script that lets a key in, with the folder as home.
ProcessResult authorize(ScriptFixture& fixture, const std::string& key) {
  ProcessRequest request;
  request.arguments = {"sh", "-euc", authorize_key_script};
  request.input = key;
  request.environment = {"PATH=/usr/bin:/bin", "HOME=" + fixture.folder.path()};
  auto result = fixture.processes.run(request);
  REQUIRE(result);
  return *result;
}

TEST_CASE("server: a key is let in once, beside those that are") {
  ScriptFixture fixture;
  CHECK(authorize(fixture, "ssh-ed25519 AAAA stack").exit_status == 0);
  CHECK(fixture.read(".ssh/authorized_keys") == "ssh-ed25519 AAAA stack\n");
  // Somebody's editor left the last line without an end.
  fixture.write(fixture.folder.file(".ssh/authorized_keys"), "ssh-ed25519 BBBB somebody");
  for (int i = 0; i < 2; ++i) {
    CHECK(authorize(fixture, "ssh-ed25519 AAAA stack").exit_status == 0);
    CHECK(fixture.read(".ssh/authorized_keys") ==
          "ssh-ed25519 BBBB somebody\nssh-ed25519 AAAA stack\n");
  }
}

/// A server's `docker` is this script.
struct Docker : ScriptFixture {
  ProcessResult await_end(const std::string& docker, const std::string& seconds) {
    const auto path = folder.file("docker");
    write(path, "#!/bin/sh\n" + docker);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return run("PATH=" + folder.path() + ":$PATH\n" + await_end_script, {"migration", seconds});
  }
};

TEST_CASE_FIXTURE(Docker, "server scripts: a container's end is told with its exit status") {
  const auto ended = await_end(
      "case $1 in wait) test \"$2\" = migration && echo 3 ;; inspect) echo exited 3 ;; esac", "60");
  CHECK(ended.exit_status == 0);
  CHECK(ended.output == "exited 3\n");
}

TEST_CASE_FIXTURE(Docker,
                  "server scripts: a container that goes on is left when the time is over") {
  const auto left = await_end(
      "case $1 in wait) exec tail -f /dev/null ;; inspect) echo running 0 ;; esac", "0.1");
  CHECK(left.exit_status == 0);
  CHECK(left.output == "running 0\n");
}

TEST_CASE_FIXTURE(Docker, "server scripts: a container that is gone differs from a silent engine") {
  const auto gone = await_end("echo; echo \"Error: No such container: $2\" >&2; exit 1", "60");
  CHECK(gone.exit_status == 0);
  CHECK(gone.output == "gone\n");
  const auto silent = await_end("echo 'Cannot connect to the Docker daemon' >&2; exit 1", "60");
  CHECK(silent.exit_status == engine_silent);
  CHECK(silent.error_output == "Cannot connect to the Docker daemon\n");
}

}  // namespace
}  // namespace paas::observe
