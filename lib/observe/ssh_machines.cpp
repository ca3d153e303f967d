// What is done on servers, in terms of SSH commands and Docker's API.
#include "observe/ssh_machines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "haproxy/configuration.hpp"
#include "haproxy/runtime.hpp"
#include "observe/certificate_script.hpp"
#include "observe/certificates.hpp"
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

/// Variables of an image are not ours: only those that the label names are compared.
std::map<std::string, std::string> own_variables(const docker::ContainerInfo& info) {
  std::map<std::string, std::string> result;
  const auto label = info.labels.find("paas.variables");
  if (label == info.labels.end()) return result;
  const auto names = text::split(label->second, ',');
  for (const auto& variable : info.environment) {
    const auto equals = variable.find('=');
    if (equals == std::string::npos) continue;
    auto name = variable.substr(0, equals);
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      result[std::move(name)] = variable.substr(equals + 1);
    }
  }
  return result;
}

std::string label_of(const docker::ContainerInfo& info, const std::string& name) {
  const auto label = info.labels.find(name);
  return label == info.labels.end() ? "" : label->second;
}

Container container_from(const docker::ContainerInfo& info) {
  Container container;
  container.name = info.name;
  container.service = label_of(info, "paas.service");
  container.release =
      static_cast<int>(text::to_integer(label_of(info, "paas.release")).value_or(0));
  container.slot = static_cast<int>(text::to_integer(label_of(info, "paas.slot")).value_or(0));
  container.state = info.state;
  container.image_digest = label_of(info, "paas.image");
  container.shape = label_of(info, "paas.shape");
  container.environment = own_variables(info);
  return container;
}

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

Result<std::vector<Container>> SshMachines::containers(docker::Engine& engine_here,
                                                       const std::string& stack) {
  std::vector<Container> result;
  PAAS_TRY(auto listed, engine_here.containers({"paas.stack=" + stack}));
  for (const auto& entry : listed) {
    // The list has no environment.
    auto whole = engine_here.inspect_container(entry.id);
    if (!whole && whole.error().kind == ErrorKind::not_found) continue;
    if (!whole) return fail(whole.error());
    result.push_back(container_from(*whole));
  }
  return result;
}

Result<Balancer> SshMachines::balancer(const Target& target) {
  Balancer result;
  PAAS_TRY(const auto files, shell(target,
                                   "if test -d /etc/haproxy/certificates; then "
                                   "sh -euc \"$1\" sh show; fi; echo '--- configuration'; "
                                   "cat /etc/haproxy/haproxy.cfg 2>/dev/null || true",
                                   {certificate_script}));
  result.configuration = read_certificates(files, result);
  auto answer = balancer_command(target, "show stat");
  if (!answer) {
    if (answer.error().kind == ErrorKind::unreachable) return fail(answer.error());
    return result;  // HAProxy does not run, or not with our configuration.
  }
  result.running = true;
  PAAS_TRY(auto servers, haproxy::parse_statistics(*answer));
  PAAS_TRY(auto info, balancer_command(target, "show info"));
  result.mark = haproxy::mark_in_info(info);
  for (const auto& server : servers) {
    result.known[server.backend].insert(server.server);
    const bool out = server.status.starts_with("MAINT") || server.status.starts_with("DRAIN");
    if (!out && server.weight > 0) result.in_rotation[server.backend].insert(server.server);
  }
  return result;
}

Result<Machine> SshMachines::look(const Target& target, const std::string& stack,
                                  bool is_balancer) {
  Machine machine;
  PAAS_TRY(auto engine_here, engine(target));
  PAAS_TRY(machine.containers, containers(engine_here, stack));
  PAAS_TRY(const auto images, engine_here.image_ids());
  machine.image_digests.insert(images.begin(), images.end());
  PAAS_TRY(auto files,
           shell(target,
                 "cat /etc/paas/hosts 2>/dev/null || true; echo \"--- mounts\"; "
                 "while read -r device folder; do if mountpoint -q \"$folder\"; then "
                 "echo \"${folder#/mnt/}\"; fi; done < /etc/paas/volumes 2>/dev/null || true",
                 {}));
  const auto separator = files.find("--- mounts\n");
  machine.hosts = files.substr(0, separator);
  if (separator != std::string::npos) {
    for (auto& name : text::lines(files.substr(separator + 11))) {
      machine.mounted_volumes.insert(name);
    }
  }
  if (is_balancer) {
    PAAS_TRY(machine.balancer, balancer(target));
  }
  return machine;
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
  PAAS_TRY(auto engine_here, engine(target));
  PAAS_TRY(auto whole, engine_here.inspect_container_json(container));
  const auto address =
      whole.value("/NetworkSettings/Networks/bridge/IPAddress"_json_pointer, std::string());
  if (address.empty()) return false;
  RemoteCommand command;
  command.timeout = std::chrono::milliseconds(timeout_ms) + 15s;
  const auto seconds = fmt::format("{:.3f}", timeout_ms / 1000.0);
  if (path.empty()) {
    command.arguments = {
        "timeout", seconds, "bash", "-c", ": < \"/dev/tcp/$0/$1\"", address, std::to_string(port)};
  } else {
    command.arguments = {"curl",
                         "-sf",
                         "-o",
                         "/dev/null",
                         "--max-time",
                         seconds,
                         fmt::format("http://{}:{}{}", address, port, path)};
  }
  PAAS_TRY(auto result, run(target, command));
  return result.exit_status == 0;
}

Result<std::string> SshMachines::balancer_command(const Target& target,
                                                  const std::string& command) {
  return shell(target, "socat -t 10 - UNIX-CONNECT:/run/haproxy/admin.sock", {}, command + "\n");
}

Status SshMachines::install_balancer(const Target& target, std::string_view configuration,
                                     Reload reload) {
  PAAS_CHECK(write_file(target, "/etc/haproxy/haproxy.cfg.next", configuration, 0644));
  auto checked = shell(target, "haproxy -c -q -f /etc/haproxy/haproxy.cfg.next", {});
  if (!checked) {
    if (checked.error().kind == ErrorKind::unreachable) return fail(checked.error());
    return fail(ErrorKind::invalid,
                fmt::format("HAProxy refuses the configuration, nothing was changed: {}",
                            checked.error().message));
  }
  PAAS_CHECK(shell(
      target, "mv -f /etc/haproxy/haproxy.cfg.next /etc/haproxy/haproxy.cfg; sync -f /etc/haproxy",
      {}));
  if (reload == Reload::no) return {};
  // A reload that fails keeps the old worker: the worker's process identifier must have changed.
  // One that is asked for while the master is still starting is lost without a word, so it is asked
  // for again.
  PAAS_CHECK(shell(target,
                   "worker() { echo 'show info' | socat -t 5 - "
                   "UNIX-CONNECT:/run/haproxy/admin.sock 2>/dev/null | "
                   "sed -n 's/^Pid: //p'; }\n"
                   "before=$(worker || true)\n"
                   "systemctl enable -q haproxy 2>/dev/null || true\n"
                   "if systemctl is-active -q haproxy; then systemctl reload haproxy; else "
                   "systemctl restart haproxy; fi\n"
                   "tries=0; while :; do after=$(worker || true)\n"
                   "test -n \"$after\" && test \"$after\" != \"$before\" && exit 0\n"
                   "tries=$((tries + 1)); test $tries -lt 100 || break\n"
                   "test $((tries % 25)) -ne 0 || systemctl reload haproxy; sleep 0.1; done\n"
                   "echo 'HAProxy did not take the new configuration over' >&2; "
                   "journalctl -u haproxy -n 15 --no-pager >&2 || true; exit 1",
                   {}));
  return {};
}

}  // namespace paas::observe
