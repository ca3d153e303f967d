// Scripts for servers in a real shell, on files in the place of devices.
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

struct Fixture {
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
  system::PosixProcesses processes;
  tests::ScratchFolder folder;
};

TEST_CASE("server scripts: an empty device gets a file system, and only once") {
  Fixture fixture;
  const auto device = fixture.device();
  CHECK(fixture.run(make_file_system_script, {device}).exit_status == 0);
  CHECK(fixture.type_of(device) == "ext4\n");
  const auto made = fixture.read("device");
  CHECK(fixture.run(make_file_system_script, {device}).exit_status == 0);
  CHECK(fixture.read("device") == made);
}

TEST_CASE("server scripts: a device with anything at its beginning or end is left alone") {
  Fixture fixture;
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
  Fixture fixture;
  // blkid gives 2 for it as well.
  CHECK(fixture.run(make_file_system_script, {fixture.folder.file("none")}).exit_status ==
        device_not_empty);
  const auto device = fixture.device();
  std::filesystem::resize_file(device, 65536);
  CHECK(fixture.run(make_file_system_script, {device}).exit_status == device_not_empty);
  CHECK(fixture.type_of(device).empty());
}

}  // namespace
}  // namespace paas::observe
