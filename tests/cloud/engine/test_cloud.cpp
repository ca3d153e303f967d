// Makes clouds whose names and ranges nobody else on this machine has.
#include "cloud/engine/test_cloud.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

#include "cloud/node_image.hpp"
#include "docker/host.hpp"
#include "system/system_environment.hpp"

namespace paas::cloud::testing {
namespace {

std::string socket_of_this_machine() {
  system::SystemEnvironment environment;
  return docker::engine_socket(environment).value_or("/var/run/docker.sock");
}

/// A number for names and ranges: tests may run side by side, but not in one process.
int next_number() {
  static std::atomic<int> count = 0;
  return count++;
}

constexpr int slots = 64;

std::string public_range(int slot) { return fmt::format("198.19.{}.0/22", slot * 4); }

/// The first slot from `start` on whose ranges no other cloud of this machine has.
int free_slot(Host& host, int start) {
  HostNetwork network(host.processes, host.files, "");
  for (int slot = start; slot < start + slots; ++slot) {
    const auto vpcs = IpRange::parse(fmt::format("10.{}.0.0/16", 64 + slot % slots));
    if (network.check_free(*IpRange::parse(public_range(slot % slots))) &&
        network.check_free(*vpcs)) {
      return slot % slots;
    }
  }
  FAIL("no range is free");
  return 0;
}

std::string node_image(Host& host, const std::string& folder) {
  const auto made =
      ensure_node_image(host.engine, host.processes, host.files,
                        {.flavour = NodeFlavour::full,
                         .docker_host = "unix://" + host.socket,
                         .folder = folder,
                         .on_progress = [](std::string_view line) { fmt::print("{}\n", line); }});
  REQUIRE_MESSAGE(made, (made ? "" : describe(made.error())));
  return *made;
}

}  // namespace

Host::Host() : socket(socket_of_this_machine()), engine(http, socket) {}

std::string Host::shell(const std::string& command) {
  ProcessRequest request;
  request.arguments = {"bash", "-c", command};
  const auto result = processes.run(request);
  REQUIRE(result);
  CHECK_MESSAGE(result->exit_status == 0, command, ": ", result->error_output);
  return result->output;
}

TrafficRules allow(std::vector<TrafficRule> inbound) {
  const std::vector<std::string> everywhere = {"0.0.0.0/0", "::/0"};
  return {.filtered = true,
          .inbound = std::move(inbound),
          .outbound = {
              {"tcp", 0, 0, everywhere}, {"udp", 0, 0, everywhere}, {"icmp", 0, 0, everywhere}}};
}

TrafficRule tcp(int port, std::vector<std::string> addresses) {
  return {"tcp", port, port, std::move(addresses)};
}

TestCloud::TestCloud() {
  const int number = next_number();
  folder_ = fmt::format("/var/tmp/paasctl-test-{}-{}", getpid(), number);
  REQUIRE(host.files.make_directories(folder_, 0700));
  image = node_image(host, folder_);
  const int slot = free_slot(host, (static_cast<int>(getpid()) + number) % slots);
  settings = {.name = fmt::format("t{}x{}", getpid(), number),
              .state_folder = folder_,
              .public_range = public_range(slot)};
  vpc_range = fmt::format("10.{}.0.0/24", 64 + slot);
  other_vpc_range = fmt::format("10.{}.1.0/24", 64 + slot);
  world = make_world();
  const auto started = world->start();
  REQUIRE_MESSAGE(started, (started ? "" : describe(started.error())));
  addresses = *started;
  CHECK(apply(CreateNetwork{"one", vpc_range}) == "");
}

TestCloud::~TestCloud() {
  const auto purged = world->purge();
  CHECK_MESSAGE(purged, (purged ? "" : describe(purged.error())));
  CHECK(leftovers() == "");
  CHECK(host.files.remove_tree(folder_));
}

std::unique_ptr<DockerWorld> TestCloud::make_world() {
  return std::make_unique<DockerWorld>(host.engine, host.processes, host.files, host.clock,
                                       settings);
}

std::string TestCloud::apply(EffectKind kind) {
  return world->apply({1, "", std::move(kind)}).error;
}

std::uint64_t TestCloud::snapshot(std::int64_t droplet_id, const std::string& machine_image) {
  const auto done = world->apply({1, "", SnapshotMachine{droplet_id, machine_image}});
  CHECK(done.error == "");
  return done.size_bytes;
}

std::string TestCloud::public_address(std::int64_t droplet_id) const {
  return IpRange::parse(settings.public_range)
      ->address(static_cast<std::uint32_t>(droplet_id + 10));
}

std::string TestCloud::private_address(std::int64_t droplet_id) const {
  return IpRange::parse(vpc_range)->address(static_cast<std::uint32_t>(droplet_id + 10));
}

std::string TestCloud::reserved_address() const {
  return IpRange::parse(settings.public_range)->address(600);
}

std::string TestCloud::container(std::int64_t droplet_id) const {
  return fmt::format("paas-{}-{}", settings.name, droplet_id);
}

CreateMachine TestCloud::machine(std::int64_t droplet_id, TrafficRules rules) const {
  return {.droplet_id = droplet_id,
          .name = fmt::format("machine-{}", droplet_id),
          .machine_image = image,
          .public_address = public_address(droplet_id),
          .private_address = private_address(droplet_id),
          .vpc_id = "one",
          .user_data = "#cloud-config\nruncmd: [[touch, /root/user-data-ran]]\n",
          .public_keys =
              {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJZ0Yzh3a2Z5b3VhcmVub3R0aGVrZXlvZmFueW9u test"},
          .region = "nyc3",
          .rules = std::move(rules)};
}

TestCloud::Outcome TestCloud::inside(std::int64_t droplet_id, const std::string& command) {
  const auto result = host.engine.exec(container(droplet_id), {"bash", "-c", command});
  if (!result) return {255, describe(result.error())};
  return {result->exit_code, result->output + result->error_output};
}

std::string TestCloud::output_inside(std::int64_t droplet_id, const std::string& command) {
  const auto outcome = inside(droplet_id, command);
  CHECK_MESSAGE(outcome.status == 0, command, ": ", outcome.output);
  return outcome.output;
}

bool TestCloud::connects(std::int64_t droplet_id, const std::string& address, int port) {
  // A dropped packet is answered by nothing: the connection would be tried for minutes.
  return inside(droplet_id,
                fmt::format("timeout 2 bash -c 'exec 3<>/dev/tcp/{}/{} && read -r line <&3 && "
                            "[[ -n $line ]]'",
                            address, port))
             .status == 0;
}

bool TestCloud::reaches(std::int64_t droplet_id, const std::string& address, int port) {
  return eventually([&] { return connects(droplet_id, address, port); });
}

void TestCloud::listen(std::int64_t droplet_id, int port) {
  output_inside(droplet_id,
                fmt::format("setsid socat TCP-LISTEN:{},fork,reuseaddr SYSTEM:'echo hello' "
                            "</dev/null >/dev/null 2>&1 &",
                            port));
  CHECK(reaches(droplet_id, "127.0.0.1", port));
}

bool TestCloud::eventually(const std::function<bool()>& condition, std::chrono::seconds limit) {
  const auto end = host.clock.monotonic() + limit;
  while (!condition()) {
    if (host.clock.monotonic() > end) return false;
    // Each look into a machine starts processes there, which its boot has to share the cores with.
    (void)host.clock.wait(std::chrono::milliseconds(300));
  }
  return true;
}

bool TestCloud::greets(const std::string& address) {
  ProcessRequest request;
  request.arguments = {
      "bash", "-c",
      fmt::format("exec 3<>/dev/tcp/{}/22 && read -r -t 2 line <&3 && [[ $line == SSH-* ]]",
                  address)};
  request.timeout = std::chrono::seconds(3);
  const auto result = host.processes.run(request);
  return result && result->exit_status == 0;
}

bool TestCloud::boots(std::int64_t droplet_id) {
  const bool booted = eventually([&] {
    return greets(public_address(droplet_id)) &&
           inside(droplet_id, "cloud-init status --wait").status == 0 &&
           greets(public_address(droplet_id));
  });
  CHECK_MESSAGE(booted, inside(droplet_id,
                               "systemctl list-jobs; cloud-init status --long; systemctl status "
                               "--no-pager ssh; ss -tlnp; journalctl --no-pager | tail -n 40")
                            .output);
  return booted;
}

void TestCloud::await_docker(std::int64_t droplet_id) {
  const bool answers = eventually([&] { return inside(droplet_id, "docker info").status == 0; });
  CHECK_MESSAGE(answers, inside(droplet_id,
                                "systemctl list-jobs; systemctl status --no-pager docker; ps ax; "
                                "journalctl --no-pager | tail -n 40; docker info 2>&1 | tail -3")
                             .output);
}

std::optional<bool> TestCloud::reported(std::int64_t droplet_id) {
  const std::lock_guard lock(mutex_);
  const auto found = reported_.find(droplet_id);
  return found == reported_.end() ? std::nullopt : std::optional(found->second);
}

bool TestCloud::ended(std::int64_t droplet_id) {
  const std::lock_guard lock(mutex_);
  return ended_.contains(droplet_id);
}

void TestCloud::forget_reports() {
  const std::lock_guard lock(mutex_);
  reported_.clear();
}

void TestCloud::watch() {
  world->watch([this](std::int64_t droplet_id, bool running) {
    const std::lock_guard lock(mutex_);
    reported_[droplet_id] = running;
    if (!running) ended_.insert(droplet_id);
  });
}

std::string TestCloud::leftovers() {
  const std::string docker = "curl -sS --fail --unix-socket " + host.socket + " http://docker/";
  return host.shell(fmt::format(
      "{{ {0}containers/json?all=1; {0}networks; {0}volumes; {0}images/json; }} | tr ',' '\\n' | "
      "grep -F 'paas-{1}' "
      "|| true; ip route show | grep -F -e '{2}' -e '{3}' -e '{4}' || true; losetup --list "
      "--output BACK-FILE "
      "| grep -F '{5}' || true; ls {5}/world 2>/dev/null || true",
      docker, settings.name, settings.public_range, vpc_range, other_vpc_range, folder_));
}

}  // namespace paas::cloud::testing
