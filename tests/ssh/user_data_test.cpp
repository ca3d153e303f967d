// The user data: its text, and that what is in it is right for the programs that read it.
#include "ssh/user_data.hpp"

#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "system/posix_files.hpp"
#include "system/posix_processes.hpp"
#include "system/support/scratch_folder.hpp"

namespace {

using paas::ErrorKind;
using paas::ssh::UserData;

UserData example() {
  UserData data;
  data.host_private_key = paas::Secret(
      "-----BEGIN OPENSSH PRIVATE KEY-----\nbm90IGEga2V5\n-----END OPENSSH PRIVATE KEY-----\n");
  data.host_public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG5vdCBhIGtleQ== a: comment";
  return data;
}

/// The files that the document writes, by path.
std::map<std::string, std::string> files_in(const std::string& text) {
  std::map<std::string, std::string> result;
  for (const auto& file : YAML::Load(text)["write_files"]) {
    result[file["path"].as<std::string>()] = file["content"].as<std::string>();
  }
  return result;
}

void check_golden(const std::string& name, const std::string& text) {
  const auto path = std::string(PAASCTL_TEST_DATA) + "/golden/" + name;
  if (std::getenv("PAASCTL_ACCEPT") != nullptr) {
    std::ofstream(path) << text;
    FAIL_CHECK("accepted " << path << "; run again without PAASCTL_ACCEPT");
    return;
  }
  const auto golden = paas::system::PosixFiles().read(path);
  REQUIRE(golden.has_value());
  CHECK(text == *golden);
}

/// Runs a checker over the text where it is installed.
void check_with(std::vector<std::string> checker, const std::string& name,
                const std::string& text) {
  const paas::tests::ScratchFolder folder;
  paas::system::PosixFiles files;
  REQUIRE(files.write_atomically(folder.file(name), text, 0755));
  checker.push_back(folder.file(name));
  paas::ProcessRequest request;
  request.arguments = checker;
  paas::system::PosixProcesses processes;
  const auto result = processes.run(request);
  if (!result && result.error().kind == ErrorKind::not_found) {
    MESSAGE("skipped: " << result.error().message);
    return;
  }
  REQUIRE(result.has_value());
  CAPTURE(name);
  CHECK(result->output + result->error_output == "");
  CHECK(result->exit_status == 0);
}

TEST_CASE("ssh: the user data is as the golden file") {
  check_golden("user_data.yaml", paas::ssh::user_data(example()));
}

TEST_CASE("ssh: the preparation of a machine made by hand writes the same files") {
  const auto script = paas::ssh::preparation_script(example());
  check_with({"sh", "-n"}, "prepare-by-hand", script);
  check_with({"shellcheck", "-s", "dash"}, "prepare-by-hand", script);
  // Neither its host key nor its name is touched.
  CHECK(script.find("PRIVATE KEY") == std::string::npos);
  CHECK(script.find("zipkick-web-1") == std::string::npos);
  // The script in a root of its own, without running what it installs.
  const paas::tests::ScratchFolder folder;
  auto moved =
      paas::text::replace_all(script.substr(0, script.rfind("/usr/local/sbin/paas-prepare ||")),
                              " /etc/", " " + folder.path() + "/etc/");
  moved = paas::text::replace_all(moved, ">/etc/", ">" + folder.path() + "/etc/");
  moved = paas::text::replace_all(moved, " /usr/local/", " " + folder.path() + "/usr/local/");
  moved = paas::text::replace_all(moved, ">/usr/local/", ">" + folder.path() + "/usr/local/");
  paas::ProcessRequest request;
  request.arguments = {"sh", "-c", moved};
  paas::system::PosixProcesses processes;
  const auto result = processes.run(request);
  REQUIRE(result.has_value());
  CHECK(result->error_output == "");
  REQUIRE(result->exit_status == 0);
  paas::system::PosixFiles files;
  for (const auto& [path, content] : files_in(paas::ssh::user_data(example()))) {
    CAPTURE(path);
    // cloud-init's own file: a server that was not made by paasctl keeps what it says.
    if (path.ends_with("/50-cloud-init.conf")) {
      CHECK_FALSE(files.read(folder.path() + path));
      continue;
    }
    const auto written = files.read(folder.path() + path);
    REQUIRE(written.has_value());
    const auto program = path.starts_with("/usr/local/sbin/");
    CHECK(files.info(folder.path() + path)->value().mode == (program ? 0755 : 0644));
    // Its own paths were moved as well.
    auto expected = paas::text::replace_all(content, " /etc/", " " + folder.path() + "/etc/");
    expected = paas::text::replace_all(expected, ">/etc/", ">" + folder.path() + "/etc/");
    expected =
        paas::text::replace_all(expected, " /usr/local/", " " + folder.path() + "/usr/local/");
    CHECK(*written == expected);
  }
}

TEST_CASE("ssh: the user data is ASCII and far below the limit of 64 KiB") {
  const auto text = paas::ssh::user_data(example());
  CHECK(text.starts_with("#cloud-config\n"));
  CHECK(text.size() < 16 * 1024);
  CHECK(std::all_of(text.begin(), text.end(), [](char character) {
    return character == '\n' || (character >= ' ' && character <= '~');
  }));
}

TEST_CASE("ssh: the user data says what it was given, and the key without its comment") {
  const auto document = YAML::Load(paas::ssh::user_data(example()));
  // One document serves several droplets: their names come from the metadata.
  CHECK_FALSE(document["hostname"].IsDefined());
  CHECK(document["ssh_deletekeys"].as<bool>());
  CHECK_FALSE(document["locale"].as<bool>());
  CHECK(document["ssh_keys"]["ed25519_private"].as<std::string>() ==
        example().host_private_key.reveal());
  CHECK(document["ssh_keys"]["ed25519_public"].as<std::string>() ==
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG5vdCBhIGtleQ==");
}

TEST_CASE("ssh: Docker's settings keep to their address range and cap the logs") {
  const auto files = files_in(paas::ssh::user_data(example()));
  const auto settings = nlohmann::json::parse(files.at("/etc/docker/daemon.json"), nullptr, false);
  REQUIRE(settings.is_object());
  CHECK(settings["bip"] == "172.30.0.1/24");
  CHECK(settings["default-address-pools"][0]["base"] == "172.30.128.0/17");
  CHECK(settings["log-opts"]["max-size"] == "10m");
  CHECK(settings["live-restore"] == false);
}

TEST_CASE("ssh: a balancer keeps HAProxy on, other servers switch it off") {
  auto data = example();
  const std::string path = "/usr/local/sbin/paas-prepare";
  CHECK(files_in(paas::ssh::user_data(data)).at(path).find("[ no = yes ]") != std::string::npos);
  data.balancer = true;
  const auto script = files_in(paas::ssh::user_data(data)).at(path);
  CHECK(script.find("[ yes = yes ]") != std::string::npos);
  CHECK(script.find("@VERSION@") == std::string::npos);
}

TEST_CASE("ssh: certbot is installed where certificates are got, and nowhere else") {
  auto data = example();
  data.balancer = true;
  const std::string path = "/usr/local/sbin/paas-prepare";
  CHECK(files_in(paas::ssh::user_data(data)).at(path).find("certbot") == std::string::npos);
  data.acme = true;
  const auto script = files_in(paas::ssh::user_data(data)).at(path);
  CHECK(script.find("ip=iproute2 certbot=certbot; do\n") != std::string::npos);
}

TEST_CASE("ssh: the scripts in the user data pass shellcheck") {
  for (const auto& [path, content] : files_in(paas::ssh::user_data(example()))) {
    // The balancer's test compares two words that were put into it.
    if (content.starts_with("#!/bin/sh\n")) {
      check_with({"shellcheck", "--exclude=SC2050"}, path.substr(path.rfind('/') + 1), content);
    }
  }
  check_with({"shellcheck", "--shell=sh"}, "wait-ready",
             paas::ssh::wait_ready_command(std::chrono::seconds(1)).at(2));
}

/// Runs the wait as a server without cloud-init would, which is what this machine may be.
TEST_CASE("ssh: waiting for a server that never gets ready ends at its limit") {
  if (paas::system::PosixFiles().info("/run/cloud-init").value_or(std::nullopt)) return;
  paas::ProcessRequest request;
  request.arguments = paas::ssh::wait_ready_command(std::chrono::seconds(1));
  const auto result = paas::system::PosixProcesses().run(request);
  REQUIRE(result.has_value());
  const auto status = paas::ssh::ready_status(*result);
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().kind == ErrorKind::timed_out);
}

TEST_CASE("case 27: the end of the wait tells ready, failed and late apart") {
  CHECK(paas::ssh::ready_status({0, "", ""}).has_value());
  const auto failed = paas::ssh::ready_status({1, "", "status: error\nno space left\n"});
  CHECK(failed.error().kind == ErrorKind::failed);
  CHECK(failed.error().message.find("no space left") != std::string::npos);
  CHECK(paas::ssh::ready_status({3, "", ""}).error().kind == ErrorKind::timed_out);
}

}  // namespace
