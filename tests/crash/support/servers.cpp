// The way to a server, and what goes wrong on it.
#include "crash/support/servers.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace paas::crash {

const cloud::Droplet* Servers::droplet_at(const std::string& address) const {
  for (const auto& [id, droplet] : world_.provider.state.droplets) {
    if (!droplet.leaving && droplet.public_address == address) return &droplet;
  }
  return nullptr;
}

Status Servers::reach(const Target& target) {
  world_.provider.advance(world_.time);
  const auto* droplet = droplet_at(target.address);
  const auto* since = droplet == nullptr ? nullptr : world_.provider.booted_at(droplet->id);
  if (since == nullptr || droplet->status != cloud::DropletStatus::active || world_.time < *since) {
    return fail(ErrorKind::unreachable, "connecting to " + target.name + ": connection refused");
  }
  const auto used = world_.host_keys.find(droplet->name);
  for (const auto& accepted : text::split(target.host_key, ';')) {
    const bool fits =
        used == world_.host_keys.end()
            ? !accepted.empty() && droplet->user_data.find(accepted) != std::string::npos
            : accepted == used->second;
    if (fits) return {};
  }
  return fail(ErrorKind::unauthorised, target.name + " has another host key");
}

Error Servers::error_of(FaultKind kind, const Target& target) const {
  const auto at = target.name + ": injected: ";
  switch (kind) {
    case FaultKind::server_full:
      return make_error(ErrorKind::failed, at + "No space left on device");
    case FaultKind::docker_down:
      return make_error(ErrorKind::unreachable, at + "Docker Engine does not answer");
    case FaultKind::key_changed:
      return make_error(ErrorKind::unauthorised, at + "another host key");
    case FaultKind::cloud_init_failed:
      return make_error(ErrorKind::failed, at + "cloud-init failed");
    case FaultKind::config_refused:
      return make_error(ErrorKind::invalid, at + "HAProxy refuses the configuration");
    case FaultKind::reload_lost:
      return make_error(ErrorKind::failed, at + "HAProxy did not take it over");
    case FaultKind::ssh_dropped:
    case FaultKind::server_killed:
    case FaultKind::server_rebooted:
      return make_error(ErrorKind::unreachable, at + "the connection broke");
    default:
      return make_error(ErrorKind::unreachable, at + "connection refused");
  }
}

void Servers::disturb(FaultKind kind, const Target& target) {
  const auto id = droplet_at(target.address)->id;
  if (kind == FaultKind::server_killed) world_.provider.lose_power(id);
  if (kind == FaultKind::server_rebooted) world_.provider.reboot(id, world_.time);
  // When it is powered on again, it has booted as well.
  if (kind == FaultKind::server_killed || kind == FaultKind::server_rebooted) {
    machines_.boot(target.name);
  }
}

Result<std::optional<FaultKind>> Servers::arrive(const Target& target, const std::string& what) {
  PAAS_CHECK(fuse_.check());
  const auto fault = operations_.begin(Domain::server, what + " " + target.name);
  PAAS_CHECK(reach(target));
  if (fault) disturb(*fault, target);
  return fault;
}

template <typename Work>
auto Servers::on(const Target& target, const std::string& what, const Work& work)
    -> decltype(work()) {
  const std::scoped_lock lock(mutex_);
  PAAS_TRY(const auto fault, arrive(target, what));
  if (fault && fault != FaultKind::ssh_dropped) return fail(error_of(*fault, target));
  auto result = work();
  if (fault && result) return fail(error_of(*fault, target));
  return result;
}

Status Servers::await_ssh(const Target& target, Milliseconds timeout) {
  constexpr Milliseconds between{2'000};
  const auto deadline = clock_.monotonic() + timeout;
  while (true) {
    const auto tried = on(target, "ssh", [&] { return machines_.await_ssh(target, timeout); });
    if (tried || tried.error().kind != ErrorKind::unreachable) return tried;
    if (clock_.monotonic() >= deadline) return tried;
    PAAS_CHECK(clock_.wait(between));
  }
}

Status Servers::await_cloud_init(const Target& target, Milliseconds timeout) {
  return on(target, "cloud-init", [&] { return machines_.await_cloud_init(target, timeout); });
}

Status Servers::await_docker(const Target& target, Milliseconds timeout) {
  return on(target, "await-docker", [&] { return machines_.await_docker(target, timeout); });
}

Result<std::string> Servers::make_host_key(const Target& target) {
  return on(target, "make-host-key", [&] { return machines_.make_host_key(target); });
}

Status Servers::use_host_key(const Target& target, const std::string& public_key) {
  return on(target, "use-host-key", [&] {
    // It is in use even when nobody hears of it any more.
    world_.host_keys[target.name] = public_key;
    return machines_.use_host_key(target, public_key);
  });
}

Status Servers::mount_volume(const Target& target, const observe::VolumeMount& mount) {
  return on(target, "mount", [&]() -> Status {
    const auto name = mount.folder.substr(mount.folder.rfind('/') + 1);
    const auto& volumes = world_.provider.state.volumes;
    const bool is_attached = std::any_of(volumes.begin(), volumes.end(), [&](const auto& entry) {
      const auto* holder = cloud::find_droplet(world_.provider.state, entry.second.droplet_id);
      return entry.second.name == name && holder != nullptr && holder->name == target.name;
    });
    if (!is_attached) return fail(ErrorKind::failed, "no device " + mount.device);
    return machines_.mount_volume(target, mount);
  });
}

Status Servers::unmount_volume(const Target& target, const observe::VolumeMount& mount) {
  return on(target, "unmount", [&] { return machines_.unmount_volume(target, mount); });
}

Result<observe::Machine> Servers::look(const Target& target, const std::string& stack,
                                       bool is_balancer) {
  return on(target, "look", [&] { return machines_.look(target, stack, is_balancer); });
}

Status Servers::write_file(const Target& target, const std::string& path, std::string_view content,
                           std::uint32_t mode) {
  return on(target, "write", [&] { return machines_.write_file(target, path, content, mode); });
}

Status Servers::rewrite_in_place(const Target& target, const std::string& path,
                                 std::string_view content) {
  return on(target, "rewrite", [&] { return machines_.rewrite_in_place(target, path, content); });
}

Result<ProcessResult> Servers::run(const Target& target, const observe::RemoteCommand& command) {
  return on(target, "run-" + command.arguments.front(),
            [&] { return machines_.run(target, command); });
}

Result<bool> Servers::send_image(const Target& target, const docker::SavedImage& image,
                                 const observe::OnBytes& on_bytes) {
  return on(target, "send", [&] { return machines_.send_image(target, image, on_bytes); });
}

Result<std::string> Servers::pull_image(const Target& target, const std::string& reference,
                                        const std::optional<docker::RegistryLogin>& login) {
  return on(target, "pull", [&] { return machines_.pull_image(target, reference, login); });
}

Status Servers::start_container(const Target& target, const docker::ContainerSpec& spec) {
  return on(target, "start", [&] { return machines_.start_container(target, spec); });
}

Status Servers::resume_container(const Target& target, const std::string& name) {
  return on(target, "resume", [&] { return machines_.resume_container(target, name); });
}

Status Servers::stop_container(const Target& target, const std::string& name) {
  return on(target, "stop", [&] { return machines_.stop_container(target, name); });
}

Status Servers::remove_container(const Target& target, const std::string& name) {
  return on(target, "remove", [&] { return machines_.remove_container(target, name); });
}

Result<std::optional<docker::ContainerInfo>> Servers::container(const Target& target,
                                                                const std::string& name) {
  return on(target, "container", [&] { return machines_.container(target, name); });
}

Result<std::string> Servers::recent_logs(const Target& target, const std::string& name, int lines) {
  return on(target, "logs", [&] { return machines_.recent_logs(target, name, lines); });
}

Result<bool> Servers::healthy(const Target& target, const std::string& container, int port,
                              const std::string& path, int timeout_ms) {
  return on(target, "healthy",
            [&] { return machines_.healthy(target, container, port, path, timeout_ms); });
}

Result<observe::ContainerHealth> Servers::await_health(const Target& target,
                                                       const observe::HealthQuestion& question,
                                                       Milliseconds wait) {
  return on(target, "healthy", [&] { return machines_.await_health(target, question, wait); });
}

Result<observe::ContainerHealth> Servers::await_end(const Target& target,
                                                    const std::string& container,
                                                    Milliseconds wait) {
  return on(target, "await-end", [&] { return machines_.await_end(target, container, wait); });
}

Result<std::string> Servers::balancer_command(const Target& target, const std::string& command) {
  return on(target, "haproxy", [&] { return machines_.balancer_command(target, command); });
}

Status Servers::put_certificate(const Target& target, const observe::CertificateFile& certificate) {
  return on(target, "put-certificate",
            [&] { return machines_.put_certificate(target, certificate); });
}

Status Servers::remove_certificate(const Target& target, const std::string& name) {
  return on(target, "remove-certificate",
            [&] { return machines_.remove_certificate(target, name); });
}

Status Servers::issue_certificates(const Target& target, const observe::AcmeOrder& order,
                                   Milliseconds timeout) {
  return on(target, "issue", [&] { return machines_.issue_certificates(target, order, timeout); });
}

Result<Secret> Servers::issued_certificates(const Target& target,
                                            const std::vector<std::string>& hosts) {
  return on(target, "issued", [&] { return machines_.issued_certificates(target, hosts); });
}

Status Servers::take_issued_certificates(const Target& target, const Secret& issued) {
  return on(target, "take-issued",
            [&] { return machines_.take_issued_certificates(target, issued); });
}

Result<bool> Servers::edit_balancer(const Target& target, std::string_view before,
                                    std::string_view after) {
  return on(target, "edit", [&] { return machines_.edit_balancer(target, before, after); });
}

Status Servers::install_balancer(const Target& target, std::string_view configuration,
                                 Reload reload) {
  const std::scoped_lock lock(mutex_);
  PAAS_TRY(const auto fault, arrive(target, "install"));
  if (fault && fault != FaultKind::ssh_dropped && fault != FaultKind::reload_lost) {
    return fail(error_of(*fault, target));
  }
  const auto done = fault == FaultKind::reload_lost ? Reload::no : reload;
  PAAS_CHECK(machines_.install_balancer(target, configuration, done));
  if (fault) return fail(error_of(*fault, target));
  return {};
}

}  // namespace paas::crash
