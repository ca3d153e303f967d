// What is done on servers, in terms of SSH commands and Docker's API.
#include "observe/ssh_machines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "docker/sha256.hpp"
#include "observe/certificate_script.hpp"
#include "observe/look.hpp"
#include "observe/server_scripts.hpp"
#include "ssh/user_data.hpp"

namespace paas::observe {

using namespace std::chrono_literals;
using namespace nlohmann::literals;

namespace {

constexpr auto poll_interval = 250ms;
constexpr auto engine_socket = "/var/run/docker.sock";
constexpr auto ssh_folder = "/etc/ssh";

ssh::Host host_of(const Target& target) { return {target.name, target.address, target.host_key}; }

}  // namespace

SshMachines::SshMachines(ssh::Connections& connections, Http& http, Clock& clock)
    : connections_(connections), http_(http), clock_(clock) {}

Result<docker::Engine> SshMachines::engine(const Target& target) {
  PAAS_TRY(auto socket, connections_.forward_socket(host_of(target), engine_socket));
  return docker::Engine(
      http_, socket,
      {.name = "Docker Engine on " + target.name,
       .address = target.name + ":" + engine_socket,
       .hint =
           fmt::format("see: paasctl server ssh {}, then systemctl status docker", target.name)});
}

/// Runs a script with positional parameters; an exit status other than 0 is an error.
Result<std::string> SshMachines::shell(const Target& target, const std::string& script,
                                       const std::vector<std::string>& arguments,
                                       std::string input) {
  ssh::Command command;
  command.arguments = {"sh", "-euc", script, "sh"};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.input = std::move(input);
  return connections_.run_or_fail(host_of(target), command);
}

Status SshMachines::await_ssh(const Target& target, std::chrono::milliseconds timeout) {
  return connections_.await(host_of(target), timeout);
}

Status SshMachines::await_cloud_init(const Target& target, std::chrono::milliseconds timeout) {
  ssh::Command command;
  const auto limit = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  command.arguments = ssh::wait_ready_command(limit);
  command.timeout = timeout + 30s;
  PAAS_TRY(auto result, connections_.run(host_of(target), command));
  auto ready = ssh::ready_status(result);
  if (!ready) return fail(ready.error(), "preparing " + target.name);
  return {};
}

Status SshMachines::await_docker(const Target& target, std::chrono::milliseconds timeout) {
  const auto deadline = clock_.monotonic() + timeout;
  while (true) {
    auto engine_here = engine(target);
    const Status answered = engine_here ? engine_here->ping() : fail(engine_here.error());
    if (answered) return {};
    if (clock_.monotonic() >= deadline) return answered;
    PAAS_CHECK(clock_.wait(poll_interval));
  }
}

Result<std::string> SshMachines::make_host_key(const Target& target) {
  PAAS_TRY(auto key, shell(target, make_host_key_script, {ssh_folder}));
  return std::string(text::trim(key));
}

Status SshMachines::use_host_key(const Target& target, const std::string& public_key) {
  PAAS_CHECK(shell(target, use_host_key_script, {ssh_folder, public_key}));
  // Also when an earlier run put it in place: that one may have been cut off before this.
  PAAS_CHECK(
      shell(target, "sshd -t; systemctl reload ssh 2>/dev/null || systemctl restart ssh", {}));
  connections_.close(host_of(target));
  return {};
}

Status SshMachines::make_file_system(const Target& target, const VolumeMount& mount) {
  RemoteCommand command;
  command.arguments = {"sh", "-euc", make_file_system_script, "sh", mount.device};
  PAAS_TRY(const auto made, run(target, command));
  if (made.exit_status == 0) return {};
  const auto volume = mount.folder.substr(mount.folder.rfind('/') + 1);
  if (made.exit_status == device_not_empty) {
    return fail(ErrorKind::failed,
                fmt::format("volume {} is left alone: it has no file system, but it is not empty, "
                            "or {} cannot read it",
                            volume, target.name),
                fmt::format("look at {} with `paasctl server ssh {}`; if nobody needs what is on "
                            "it, `blkdiscard --zeroout` there empties it",
                            mount.device, target.name));
  }
  return fail(ErrorKind::failed, fmt::format("making a file system on volume {}: {}", volume,
                                             text::trim(made.error_output)));
}

tl::unexpected<Error> SshMachines::silent_engine(const Target& target, std::string_view said) {
  return fail(ErrorKind::unreachable,
              fmt::format("Docker Engine on {} does not answer: {}", target.name, text::trim(said)),
              fmt::format("see: paasctl server ssh {}, then systemctl status docker", target.name));
}

Status SshMachines::mount_volume(const Target& target, const VolumeMount& mount) {
  PAAS_CHECK(shell(target,
                   "device=$1; tries=0\n"
                   "until test -b \"$device\"; do tries=$((tries + 1)); test $tries -lt 120 || "
                   "{ echo \"no device $device\" >&2; exit 1; }; sleep 0.5; done",
                   {mount.device}));
  PAAS_CHECK(make_file_system(target, mount));
  // The unit that mounts at boot reads /etc/paas/volumes (ssh/user_data.hpp).
  PAAS_CHECK(shell(target,
                   "device=$1; folder=$2\n"
                   "mkdir -p \"$folder\" /etc/paas; chmod 0700 /etc/paas; touch /etc/paas/volumes\n"
                   "grep -qxF \"$device $folder\" /etc/paas/volumes || echo \"$device $folder\" >> "
                   "/etc/paas/volumes\n"
                   "mountpoint -q \"$folder\" || mount -o noatime \"$device\" \"$folder\"\n"
                   "resize2fs \"$device\" >/dev/null 2>&1 || true\n"
                   "mkdir -p \"$folder/data\"",
                   {mount.device, mount.folder}));
  return {};
}

Status SshMachines::unmount_volume(const Target& target, const VolumeMount& mount) {
  PAAS_CHECK(
      shell(target,
            "device=$1; folder=$2\n"
            "if test -e /etc/paas/volumes; then grep -vxF \"$device $folder\" /etc/paas/volumes > "
            "/etc/paas/volumes.new || true; mv /etc/paas/volumes.new /etc/paas/volumes; fi\n"
            "if mountpoint -q \"$folder\"; then sync -f \"$folder\"; umount \"$folder\"; fi",
            {mount.device, mount.folder}));
  return {};
}

Result<Machine> SshMachines::look(const Target& target, const std::string& stack,
                                  bool is_balancer) {
  RemoteCommand command;
  command.arguments = {
      "sh", "-euc", look_script, "sh", stack, is_balancer ? "balancer" : "", certificate_script};
  PAAS_TRY(const auto seen, run(target, command));
  if (seen.exit_status == engine_silent) return silent_engine(target, seen.error_output);
  if (seen.exit_status != 0) {
    return fail(ErrorKind::failed,
                fmt::format("looking at {}: {}", target.name, text::trim(seen.error_output)));
  }
  return read_look(seen.output, is_balancer);
}

Status SshMachines::write_file(const Target& target, const std::string& path,
                               std::string_view content, std::uint32_t mode) {
  return connections_.write_file(host_of(target), path, content, mode);
}

Status SshMachines::rewrite_in_place(const Target& target, const std::string& path,
                                     std::string_view content) {
  // The new text is complete on the server before the old one is overwritten.
  PAAS_CHECK(shell(target,
                   "mkdir -p \"$(dirname \"$1\")\"; cat > \"$1.new\"; "
                   "test \"$(wc -c < \"$1.new\")\" -eq \"$2\"; cat \"$1.new\" > \"$1\"; "
                   "chmod 0644 \"$1\"; rm \"$1.new\"",
                   {path, std::to_string(content.size())}, std::string(content)));
  return {};
}

Result<ProcessResult> SshMachines::run(const Target& target, const RemoteCommand& command) {
  ssh::Command remote;
  remote.arguments = command.arguments;
  remote.input = command.input;
  remote.timeout = command.timeout;
  return connections_.run(host_of(target), remote);
}

Result<bool> SshMachines::send_image(const Target& target, const docker::SavedImage& image,
                                     const OnBytes& on_bytes) {
  PAAS_TRY(auto engine_here, engine(target));
  return docker::hand_over(engine_here, image, on_bytes);
}

Result<std::string> SshMachines::pull_image(const Target& target, const std::string& reference,
                                            const std::optional<docker::RegistryLogin>& login) {
  PAAS_TRY(auto engine_here, engine(target));
  PAAS_CHECK(engine_here.pull_image(reference, {}, login));
  return engine_here.config_digest(reference);
}

Status SshMachines::start_container(const Target& target, const docker::ContainerSpec& spec) {
  PAAS_TRY(auto engine_here, engine(target));
  PAAS_TRY(auto id, engine_here.create_container(spec));
  return engine_here.start_container(id);
}

Status SshMachines::resume_container(const Target& target, const std::string& container) {
  PAAS_TRY(auto engine_here, engine(target));
  return engine_here.start_container(container);
}

Status SshMachines::stop_container(const Target& target, const std::string& container) {
  PAAS_TRY(auto engine_here, engine(target));
  return engine_here.stop_container(container, 30);
}

Status SshMachines::remove_container(const Target& target, const std::string& container) {
  PAAS_TRY(auto engine_here, engine(target));
  return engine_here.remove_container(container);
}

Result<std::optional<docker::ContainerInfo>> SshMachines::container(const Target& target,
                                                                    const std::string& name) {
  PAAS_TRY(auto engine_here, engine(target));
  auto info = engine_here.inspect_container(name);
  if (info) return std::optional(std::move(*info));
  if (info.error().kind == ErrorKind::not_found) return std::nullopt;
  return fail(info.error());
}

Result<std::string> SshMachines::recent_logs(const Target& target, const std::string& container,
                                             int lines) {
  PAAS_TRY(auto engine_here, engine(target));
  std::string text;
  docker::LogOptions options;
  options.tail = std::to_string(lines);
  PAAS_CHECK(
      engine_here.logs(container, options, [&](docker::LogStream, std::string_view part) -> Status {
        text += part;
        return {};
      }));
  return text;
}

Result<bool> SshMachines::healthy(const Target& target, const std::string& container, int port,
                                  const std::string& path, int timeout_ms) {
  constexpr int however_often = 1'000'000;
  PAAS_TRY(const auto health,
           await_health(target, {container, port, path, timeout_ms, however_often}, 0ms));
  return health.answers;
}

Result<ContainerHealth> SshMachines::await_health(const Target& target,
                                                  const HealthQuestion& question,
                                                  std::chrono::milliseconds wait) {
  RemoteCommand command;
  command.timeout = wait + std::chrono::milliseconds(question.timeout_ms) + 15s;
  command.arguments = {"sh",
                       "-euc",
                       await_health_script,
                       "sh",
                       question.container,
                       question.port ? std::to_string(*question.port) : "",
                       question.path,
                       fmt::format("{:.3f}", question.timeout_ms / 1000.0),
                       std::to_string(question.restarts),
                       std::to_string(wait.count())};
  PAAS_TRY(const auto asked, run(target, command));
  if (asked.exit_status == engine_silent) return silent_engine(target, asked.error_output);
  const auto words = text::split(text::trim(asked.output), ' ');
  if (words.front() == "gone") return ContainerHealth{};
  if (asked.exit_status != 0 || words.size() != 4) {
    return fail(ErrorKind::failed, fmt::format("asking {} on {}: {}", question.container,
                                               target.name, text::trim(asked.error_output)));
  }
  ContainerHealth health;
  health.state = words[0];
  health.restarts = static_cast<int>(text::to_integer(words[1]).value_or(0));
  health.exit_code = static_cast<int>(text::to_integer(words[2]).value_or(0));
  health.answers = words[3] == "yes";
  return health;
}

Result<ContainerHealth> SshMachines::await_end(const Target& target, const std::string& container,
                                               std::chrono::milliseconds wait) {
  RemoteCommand command;
  command.timeout = wait + 60s;
  const auto seconds = std::chrono::duration<double>(wait).count();
  command.arguments = {"sh", "-euc",    await_end_script,
                       "sh", container, fmt::format("{:.3f}", seconds)};
  PAAS_TRY(const auto asked, run(target, command));
  if (asked.exit_status == engine_silent) return silent_engine(target, asked.error_output);
  const auto words = text::split(text::trim(asked.output), ' ');
  if (words.front() == "gone") return ContainerHealth{};
  if (asked.exit_status != 0 || words.size() != 2) {
    return fail(ErrorKind::failed, fmt::format("waiting for {} on {}: {}", container, target.name,
                                               text::trim(asked.error_output)));
  }
  ContainerHealth health;
  health.state = words[0];
  health.exit_code = static_cast<int>(text::to_integer(words[1]).value_or(0));
  return health;
}

Result<std::string> SshMachines::balancer_command(const Target& target,
                                                  const std::string& command) {
  // What is said on standard input costs a round trip more; none of it is a secret.
  return shell(target, "printf '%s\\n' \"$1\" | socat -t 10 - UNIX-CONNECT:/run/haproxy/admin.sock",
               {command});
}

Status SshMachines::install_balancer(const Target& target, std::string_view configuration,
                                     Reload reload) {
  return put_balancer_file(target, configuration, "", reload).map([](bool) {});
}

Result<bool> SshMachines::edit_balancer(const Target& target, std::string_view before,
                                        std::string_view after) {
  return put_balancer_file(target, after, docker::sha256(before), Reload::no);
}

Result<bool> SshMachines::put_balancer_file(const Target& target, std::string_view configuration,
                                            const std::string& expected, Reload reload) {
  constexpr std::string_view algorithm = "sha256:";
  RemoteCommand command;
  command.arguments = {"sh",
                       "-euc",
                       put_balancer_script,
                       "sh",
                       std::to_string(configuration.size()),
                       expected.empty() ? "" : expected.substr(algorithm.size()),
                       reload == Reload::yes ? "reload" : ""};
  command.input = std::string(configuration);
  PAAS_TRY(const auto done, run(target, command));
  if (done.exit_status == 0) return true;
  if (done.exit_status == balancer_file_moved) return false;
  const auto said = text::trim(done.error_output);
  if (done.exit_status != balancer_file_refused) {
    return fail(ErrorKind::failed, fmt::format("{}: {}", target.name, said));
  }
  return fail(ErrorKind::invalid,
              fmt::format("HAProxy refuses the configuration, nothing was changed: {}", said));
}

}  // namespace paas::observe
