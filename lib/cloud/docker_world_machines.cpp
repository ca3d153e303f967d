// Machines: made, destroyed, switched on and off, and their firewalls.
#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cloud/docker_world.hpp"
#include "cloud/machine_container.hpp"
#include "cloud/nested_cgroups.hpp"

namespace paas::cloud {
namespace {

/// How long systemd has to stop its services before they are ended.
constexpr int stop_timeout_seconds = 30;

}  // namespace

Status DockerWorld::carry_out(const CreateMachine& effect) {
  if (const auto known = find(effect.droplet_id); known) {
    const std::lock_guard lock((*known)->mutex);
    PAAS_TRY(const bool running, is_running(effect.droplet_id));
    if (running && (*known)->record.made) return await_rules(effect.droplet_id);
  }
  // What an interrupted attempt left is in an unknown state.
  PAAS_CHECK(destroy(effect.droplet_id));

  auto machine = std::make_shared<Machine>();
  machine->record = {.droplet_id = effect.droplet_id,
                     .name = effect.name,
                     .vpc_id = effect.vpc_id,
                     .public_address = effect.public_address,
                     .private_address = effect.private_address,
                     .made = false,
                     .running = true,
                     .volumes = {},
                     .reserved_addresses = {}};
  const std::unique_lock lock(machine->mutex);
  {
    const std::lock_guard all(machines_mutex_);
    machines_[effect.droplet_id] = machine;
  }
  const Status made = make_machine(effect, *machine);
  if (made) return {};
  const Status cleared = destroy(effect.droplet_id);
  return fail(made.error(),
              fmt::format("{}creating machine {}", cleared ? "" : "(not cleared) ", effect.name));
}

Status DockerWorld::make_machine(const CreateMachine& effect, Machine& machine) {
  const std::string folder = machine_folder(effect.droplet_id);
  const std::string seed = folder + "/seed";
  PAAS_CHECK(files_.make_directories(folder + "/machine", 0700));
  PAAS_CHECK(files_.make_directories(seed, 0700));
  PAAS_CHECK(save(machine));
  PAAS_CHECK(files_.write_atomically(seed + "/meta-data",
                                     seed_meta_data(machine.record, effect.public_keys), 0600));
  PAAS_CHECK(files_.write_atomically(seed + "/user-data", effect.user_data, 0600));
  PAAS_CHECK(write_rules(effect.droplet_id, effect.rules));
  PAAS_CHECK(prepare_boot(machine));

  const std::string name = container_name(effect.droplet_id);
  const std::string data = docker_volume(effect.droplet_id);
  PAAS_TRY([[maybe_unused]] const auto volume,
           engine_.create_volume(data, {{"paas.cloud", settings_.name},
                                        {"paas.droplet", fmt::format("{}", effect.droplet_id)}}));
  PAAS_CHECK(fill_docker_volume(effect.machine_image, data));
  const auto body = container_body(machine.record, {.cloud = settings_.name,
                                                    .image = effect.machine_image,
                                                    .public_network = public_network(),
                                                    .folder = folder,
                                                    .docker_volume = data,
                                                    .cgroup_version = cgroup_version_});
  PAAS_TRY([[maybe_unused]] const auto container, engine_.create_container(name, body));
  // Before the first start: no process of the machine ever sees one network without the other.
  {
    const std::lock_guard lock(endpoints_mutex_);
    PAAS_CHECK(engine_.connect_network(vpc_network(effect.vpc_id), name, effect.private_address));
  }
  PAAS_CHECK(start_container(machine));
  machine.record.made = true;
  return save(machine);
}

Status DockerWorld::carry_out(const DestroyMachine& effect) {
  const auto machine = find(effect.droplet_id);
  std::unique_lock<std::mutex> lock;
  if (machine) {
    lock = std::unique_lock((*machine)->mutex);
    // Should this fail half-way, what is left is never started or taken for a machine again. It
    // does not have to be written down for that unless this process ends as well.
    (*machine)->record.made = false;
    static_cast<void>(save(**machine));
  }
  return destroy(effect.droplet_id);
}

Status DockerWorld::destroy(std::int64_t droplet_id) {
  const std::string data = docker_volume(droplet_id);
  const auto folder = mount_point(data);
  const auto nested = folder ? nested_containers(files_, *folder) : std::vector<std::string>{};
  PAAS_CHECK(remove_container(container_name(droplet_id)));
  remove_nested_cgroups(files_, nested);
  if (const auto machine = find(droplet_id); machine) {
    PAAS_CHECK(release_devices(**machine));
    for (const auto& address : (*machine)->record.reserved_addresses) {
      host_network_.forget_neighbour(address);
    }
  }
  PAAS_CHECK(engine_.remove_volume(data));
  PAAS_CHECK(files_.remove_tree(machine_folder(droplet_id)));
  const std::lock_guard lock(machines_mutex_);
  machines_.erase(droplet_id);
  return {};
}

Status DockerWorld::carry_out(const ChangePower& effect) {
  PAAS_TRY(const auto machine, find(effect.droplet_id));
  const std::lock_guard lock(machine->mutex);
  const std::string name = container_name(effect.droplet_id);
  const bool to_run = effect.change != PowerChange::off && effect.change != PowerChange::shutdown;
  if (!to_run || effect.change == PowerChange::reboot) {
    PAAS_CHECK(stop_container(effect.droplet_id));
  } else if (effect.change == PowerChange::cycle) {
    PAAS_TRY(const bool running, is_running(effect.droplet_id));
    if (running) PAAS_CHECK(engine_.kill_container(name, "SIGKILL"));
  }
  machine->record.running = to_run;
  PAAS_CHECK(save(*machine));
  return to_run ? bring_back(*machine) : Status{};
}

Status DockerWorld::stop_container(std::int64_t droplet_id) {
  PAAS_TRY(const bool running, is_running(droplet_id));
  if (!running) return {};
  return engine_.stop_container(container_name(droplet_id), stop_timeout_seconds);
}

Status DockerWorld::remove_container(const std::string& container) {
  const std::lock_guard lock(endpoints_mutex_);
  return engine_.remove_container(container);
}

Status DockerWorld::bring_back(const Machine& machine) {
  PAAS_TRY(const auto state, state_of(machine.record.droplet_id));
  if (state == "running") return {};
  // An earlier process of this cloud ended in the middle of a snapshot.
  if (state == "paused")
    return engine_.unpause_container(container_name(machine.record.droplet_id));
  PAAS_CHECK(prepare_boot(machine));
  return start_container(machine);
}

Status DockerWorld::start_container(const Machine& machine) {
  {
    const std::lock_guard lock(endpoints_mutex_);
    PAAS_CHECK(engine_.start_container(container_name(machine.record.droplet_id)));
  }
  PAAS_CHECK(await_rules(machine.record.droplet_id));
  for (const std::string& address : machine.record.reserved_addresses) {
    PAAS_CHECK(announce(machine, address));
  }
  return {};
}

Status DockerWorld::await_rules(std::int64_t droplet_id) {
  // The machine's first program restores them before it becomes systemd, and ends where it cannot.
  // That they are there is seen rather than believed, and later changes cannot be overtaken by the
  // restoring.
  const std::string name = container_name(droplet_id);
  for (int attempt = 0; attempt < 200; ++attempt) {
    const auto seen = engine_.exec(name, {"iptables", "-w", "-t", "mangle", "-C", "POSTROUTING",
                                          "-o", "eth+", "-j", "paas-outbound"});
    if (seen && seen->exit_code == 0) return {};
    PAAS_TRY(const bool running, is_running(droplet_id));
    if (!running) {
      return fail(ErrorKind::failed, "the machine ended while it booted",
                  "see: docker logs " + name);
    }
    PAAS_CHECK(clock_.wait(std::chrono::milliseconds(100)));
  }
  return fail(ErrorKind::timed_out, "the machine's firewall is not in force",
              "its image must start paas-machine-init; see: docker logs " + name);
}

Status DockerWorld::write_rules(std::int64_t droplet_id, const TrafficRules& rules) {
  PAAS_TRY(const auto text, traffic_rules::render_boot(rules, metadata()));
  return files_.write_atomically(machine_folder(droplet_id) + "/machine/firewall.rules", text,
                                 0600);
}

Status DockerWorld::carry_out(const SetRules& effect) {
  PAAS_TRY(const auto machine, find(effect.droplet_id));
  const std::lock_guard lock(machine->mutex);
  PAAS_CHECK(write_rules(effect.droplet_id, effect.rules));
  PAAS_TRY(const bool running, is_running(effect.droplet_id));
  if (!running) return {};
  PAAS_TRY(const auto text, traffic_rules::render_filter(effect.rules, metadata()));
  PAAS_TRY(const auto result,
           exec_inside(effect.droplet_id, {"iptables-restore", "--wait", "--noflush"}, text));
  if (result.exit_code != 0) {
    return fail(ErrorKind::failed,
                fmt::format("the firewall was refused: {}", text::trim(result.error_output)));
  }
  return {};
}

Status DockerWorld::prepare_boot(const Machine& machine) {
  boot_script::Contents contents{.public_address = machine.record.public_address,
                                 .cgroup_version = cgroup_version_,
                                 .devices = {},
                                 .reserved_addresses = machine.record.reserved_addresses};
  for (const AttachedVolume& volume : machine.record.volumes) {
    PAAS_TRY(const auto device, loop_devices_.attach(volume_file(volume.volume_id)));
    contents.devices.push_back({volume.name, device.path, device.numbers});
  }
  return files_.write_atomically(machine_folder(machine.record.droplet_id) + "/machine/boot.sh",
                                 boot_script::render(contents), 0600);
}

Status DockerWorld::release_devices(const Machine& machine) {
  for (const AttachedVolume& volume : machine.record.volumes) {
    PAAS_CHECK(loop_devices_.detach(volume_file(volume.volume_id)));
  }
  return {};
}

Status DockerWorld::save(const Machine& machine) {
  return files_.write_atomically(machine_folder(machine.record.droplet_id) + "/record.json",
                                 encode_record(machine.record), 0600);
}

Result<std::string> DockerWorld::state_of(std::int64_t droplet_id) {
  const auto info = engine_.inspect_container(container_name(droplet_id));
  if (info) return info->state;
  if (info.error().kind == ErrorKind::not_found) return std::string();
  return fail(info.error());
}

Result<bool> DockerWorld::is_running(std::int64_t droplet_id) {
  PAAS_TRY(const auto state, state_of(droplet_id));
  return state == "running" || state == "paused";
}

Result<docker::ExecResult> DockerWorld::exec_inside(std::int64_t droplet_id,
                                                    const std::vector<std::string>& arguments,
                                                    const std::string& input) {
  const std::string name = container_name(droplet_id);
  PAAS_TRY(const auto state, state_of(droplet_id));
  if (state != "paused") return engine_.exec(name, arguments, {.input = input});
  // A frozen droplet still gets its firewalls' rules, volumes and addresses, which are not its own
  // processes' affair. What enters its namespaces from outside is not among those that stand still.
  PAAS_TRY(const auto inspected, engine_.inspect_container_json(name));
  const auto process = inspected.value(nlohmann::json::json_pointer("/State/Pid"), 0);
  if (process <= 0) return fail(ErrorKind::failed, "the machine ended meanwhile");
  ProcessRequest request;
  request.arguments = {"nsenter", "--target", std::to_string(process),
                       "--mount", "--net",    "--pid",
                       "--ipc",   "--uts",    "--"};
  request.arguments.insert(request.arguments.end(), arguments.begin(), arguments.end());
  request.input = input;
  request.on_stop = OnStop::finish;
  PAAS_TRY(auto result, processes_.run(request));
  return docker::ExecResult{result.exit_status, std::move(result.output),
                            std::move(result.error_output)};
}

Status DockerWorld::run_inside(std::int64_t droplet_id, const std::string& script) {
  PAAS_TRY(const auto result, exec_inside(droplet_id, {"/bin/sh", "-c", script}));
  if (result.exit_code == 0) return {};
  const std::string said = result.output + result.error_output;
  return fail(ErrorKind::failed, fmt::format("{} (status {})", text::trim(said), result.exit_code));
}

}  // namespace paas::cloud
