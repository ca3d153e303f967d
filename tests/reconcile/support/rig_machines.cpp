// Does on servers in memory what is asked of them.
#include "reconcile/support/rig_machines.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace paas::reconcile::testing {

observe::Machine& RigMachines::inside(const observe::Target& target) {
  return insides_.machines[target.name];
}

Status RigMachines::await_ssh(const observe::Target& target, std::chrono::milliseconds) {
  PAAS_CHECK(fuse_.check());
  if (target.address.empty()) return fail(ErrorKind::failed, target.name + " has no address");
  return {};
}
Status RigMachines::await_cloud_init(const observe::Target&, std::chrono::milliseconds) {
  return fuse_.check();
}
Status RigMachines::await_docker(const observe::Target&, std::chrono::milliseconds) {
  return fuse_.check();
}
Result<std::string> RigMachines::make_host_key(const observe::Target& target) {
  PAAS_CHECK(fuse_.check());
  return "ssh-ed25519 second-of-" + target.name;
}
Status RigMachines::use_host_key(const observe::Target&, const std::string&) {
  PAAS_CHECK(fuse_.check());
  return fuse_.spend();
}

Status RigMachines::mount_volume(const observe::Target& target, const observe::VolumeMount& mount) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  inside(target).mounted_volumes.insert(mount.folder.substr(5));
  return fuse_.spend();
}
Status RigMachines::unmount_volume(const observe::Target& target,
                                   const observe::VolumeMount& mount) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  inside(target).mounted_volumes.erase(mount.folder.substr(5));
  return fuse_.spend();
}

Result<observe::Machine> RigMachines::look(const observe::Target& target, const std::string&,
                                           bool is_balancer) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  auto machine = inside(target);
  if (is_balancer && !machine.balancer) machine.balancer.emplace();
  return machine;
}

Status RigMachines::write_file(const observe::Target&, const std::string& path,
                               std::string_view content, std::uint32_t mode) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  files[path] = {std::string(content), mode};
  return fuse_.spend();
}
Status RigMachines::rewrite_in_place(const observe::Target& target, const std::string& path,
                                     std::string_view content) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  if (path == "/etc/paas/hosts") inside(target).hosts = content;
  return fuse_.spend();
}

Result<ProcessResult> RigMachines::run(const observe::Target& target,
                                       const observe::RemoteCommand& command) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  ProcessResult result;
  if (command.arguments.front() == "cat" && unreadable)
    return ProcessResult{1, "", "input/output error"};
  if (command.arguments.front() == "cat" && inside(target).balancer) {
    result.output = inside(target).balancer->configuration;
  }
  if (command.arguments.front() == "rm") files.erase(command.arguments.back());
  if (command.arguments.front() == "docker") return set_password(target, command);
  if (command.arguments.front() == "resize2fs") {
    insides_.grown.push_back(command.arguments.back());
    PAAS_CHECK(fuse_.spend());
  }
  return result;
}

/// docker exec -i -e PAASCTL_USER=NAME CONTAINER PROGRAM [--only]
Result<ProcessResult> RigMachines::set_password(const observe::Target& target,
                                                const observe::RemoteCommand& command) {
  const auto& words = command.arguments;
  const auto* container = words.size() > 6 ? find(target, words[5]) : nullptr;
  if (container == nullptr || container->state != "running" || deaf) {
    return ProcessResult{1, "", "no such container"};
  }
  if (!cut_off_from.empty() && words.back().ends_with(cut_off_from)) {
    return fail(ErrorKind::unreachable, "the connection to " + target.name + " broke");
  }
  auto& logins = insides_.logins[container->service];
  const auto user = words[4].substr(words[4].find('=') + 1);
  logins[user] = command.input;
  if (words.back() == "--only") logins = {{user, command.input}};
  check_logins();
  PAAS_CHECK(fuse_.spend());
  return ProcessResult{};
}

/// Whoever runs must be let in at every moment.
void RigMachines::check_logins() {
  for (const auto& [server, machine] : insides_.machines) {
    for (const auto& container : machine.containers) {
      const auto user = container.environment.find("DB_USER");
      const auto logins = insides_.logins.find("db");
      if (container.state != "running" || user == container.environment.end() ||
          logins == insides_.logins.end()) {
        continue;
      }
      const auto taken = logins->second.find(user->second);
      if (taken != logins->second.end() &&
          taken->second == container.environment.at("DB_PASSWORD")) {
        continue;
      }
      insides_.refused.push_back(container.name + " on " + server);
    }
  }
}

Result<bool> RigMachines::send_image(const observe::Target&, const docker::SavedImage&,
                                     const observe::OnBytes&) {
  return fail(ErrorKind::failed, "images are pulled here");
}
Result<std::string> RigMachines::pull_image(const observe::Target& target,
                                            const std::string& reference,
                                            const std::optional<docker::RegistryLogin>& login) {
  const std::scoped_lock lock(mutex_);
  if (login) {
    pulled_as.push_back(*login);
    const auto left = pulls_left.find(login->password.reveal());
    if (left != pulls_left.end() && left->second-- <= 0) {
      return fail(ErrorKind::failed, "Head \"https://" + login->host + "\": unauthorized");
    }
  }
  PAAS_CHECK(fuse_.check());
  const auto digest = (moved ? "sha256:newer-digest-of-" : "sha256:digest-of-") + reference;
  inside(target).image_digests.insert(digest);
  PAAS_CHECK(fuse_.spend());
  return digest;
}

observe::Container* RigMachines::find(const observe::Target& target, const std::string& name) {
  for (auto& container : inside(target).containers) {
    if (container.name == name) return &container;
  }
  return nullptr;
}

Status RigMachines::start_task(const observe::Target& target, const docker::ContainerSpec& spec) {
  auto& tasks = insides_.tasks[target.name];
  if (!tasks.emplace(spec.name, Task{spec.labels}).second) {
    return fail(ErrorKind::exists, "the name is taken");
  }
  hooks.push_back(spec);
  return fuse_.spend();
}

/// Each look brings it nearer to its end.
Result<observe::ContainerHealth> RigMachines::await_end(const observe::Target& target,
                                                        const std::string& container,
                                                        std::chrono::milliseconds) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  if (container == interrupted_at) return fail(ErrorKind::interrupted, "interrupted");
  if (container == lost_at) return fail(ErrorKind::unreachable, "the connection broke");
  auto& tasks = insides_.tasks[target.name];
  const auto found = tasks.find(container);
  if (found == tasks.end()) return observe::ContainerHealth{};
  auto& task = found->second;
  if (task.state == "running" && hook_lasts-- <= 0) {
    task.state = "exited";
    task.exit_code = hook_status;
    if (hook_status == 0) {
      insides_.hooks_run.push_back(task.labels.at("paas.task") + " " +
                                   task.labels.at("paas.release"));
    }
  }
  return observe::ContainerHealth{task.state, 0, task.exit_code, false};
}

Status RigMachines::start_container(const observe::Target& target,
                                    const docker::ContainerSpec& spec) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  if (spec.labels.contains("paas.task")) return start_task(target, spec);
  if (find(target, spec.name) != nullptr) return fail(ErrorKind::exists, "the name is taken");
  const auto slot = std::stoi(spec.labels.at("paas.slot"));
  for (const auto& other : inside(target).containers) {
    if (other.state != "exited" && other.slot == slot) {
      return fail(ErrorKind::failed, "port is already allocated");
    }
  }
  observe::Container container;
  container.name = spec.name;
  container.service = spec.labels.at("paas.service");
  container.release = std::stoi(spec.labels.at("paas.release"));
  container.slot = slot;
  container.image_digest = spec.labels.at("paas.image");
  container.shape = spec.labels.at("paas.shape");
  container.state = broken.contains(container.service) ? "exited" : "running";
  const auto names = text::split(spec.labels.at("paas.variables"), ',');
  for (const auto& variable : spec.environment) {
    const auto name = variable.substr(0, variable.find('='));
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      container.environment[name] = variable.substr(name.size() + 1);
    }
  }
  // Data that is there keeps the password that it was made with.
  if (const auto own = container.environment.find("POSTGRES_PASSWORD");
      own != container.environment.end() && !insides_.logins.contains(container.service)) {
    insides_.logins[container.service] = {{"app", own->second}};
  }
  const auto hook = fmt::format("pre-release {} {}", container.service, container.release);
  const auto& run = insides_.hooks_run;
  if (insides_.hooked.contains(container.service) &&
      std::find(run.begin(), run.end(), hook) == run.end()) {
    insides_.unprepared.push_back(container.name + " on " + target.name);
  }
  inside(target).containers.push_back(std::move(container));
  check_logins();
  return fuse_.spend();
}

Status RigMachines::change_container(const observe::Target& target, const std::string& name,
                                     const std::string& state) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  if (auto* container = find(target, name)) container->state = state;
  return fuse_.spend();
}
Status RigMachines::resume_container(const observe::Target& target, const std::string& name) {
  return change_container(target, name, "running");
}
Status RigMachines::stop_container(const observe::Target& target, const std::string& name) {
  return change_container(target, name, "exited");
}
Status RigMachines::remove_container(const observe::Target& target, const std::string& name) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  if (insides_.tasks[target.name].erase(name) != 0) return fuse_.spend();
  if (find(target, name) == nullptr) return {};
  std::erase_if(inside(target).containers,
                [&](const auto& container) { return container.name == name; });
  return fuse_.spend();
}

Result<std::optional<docker::ContainerInfo>> RigMachines::container(const observe::Target& target,
                                                                    const std::string& name) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  docker::ContainerInfo info;
  info.name = name;
  const auto& tasks = insides_.tasks[target.name];
  if (const auto task = tasks.find(name); task != tasks.end()) {
    info.state = task->second.state;
    info.exit_code = task->second.exit_code;
    info.labels = task->second.labels;
    return info;
  }
  const auto* container = find(target, name);
  if (container == nullptr) return std::nullopt;
  info.state = container->state;
  info.exit_code = container->state == "running" ? 0 : 3;
  return info;
}
Result<std::string> RigMachines::recent_logs(const observe::Target&, const std::string&, int) {
  PAAS_CHECK(fuse_.check());
  return "its last words\n";
}
Result<bool> RigMachines::healthy(const observe::Target&, const std::string& container, int,
                                  const std::string&, int) {
  PAAS_CHECK(fuse_.check());
  if (container == interrupted_at) return fail(ErrorKind::interrupted, "interrupted");
  return !unhealthy.contains(container);
}

/// One look; whoever waits for more looks again.
Result<observe::ContainerHealth> RigMachines::await_health(const observe::Target& target,
                                                           const observe::HealthQuestion& question,
                                                           std::chrono::milliseconds) {
  PAAS_TRY(const auto info, container(target, question.container));
  if (!info) return observe::ContainerHealth{};
  observe::ContainerHealth health{info->state, info->restart_count, info->exit_code, false};
  if (!question.port || info->state != "running") return health;
  PAAS_TRY(health.answers,
           healthy(target, question.container, *question.port, question.path, question.timeout_ms));
  return health;
}

}  // namespace paas::reconcile::testing
