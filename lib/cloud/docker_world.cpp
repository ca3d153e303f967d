// Starting, stopping and dispatching; what is done to one kind of resource is in files of its own.
#include "cloud/docker_world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/text.hpp"
#include "cloud/host_command.hpp"
#include "cloud/side_by_side.hpp"

namespace paas::cloud {
namespace {

bool is_cloud_name(const std::string& name) {
  return !name.empty() && name.size() <= 12 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos;
}

}  // namespace

DockerWorld::DockerWorld(docker::Engine& engine, Processes& processes, Files& files, Clock& clock,
                         WorldSettings settings)
    : engine_(engine),
      processes_(processes),
      files_(files),
      clock_(clock),
      settings_(std::move(settings)),
      host_network_(processes, files, settings_.name),
      loop_devices_(processes, clock) {}

DockerWorld::~DockerWorld() { stop_watching(); }

Status DockerWorld::settle() {
  if (!is_cloud_name(settings_.name)) {
    return fail(ErrorKind::invalid, fmt::format("'{}' is no name of a local cloud", settings_.name),
                "use up to 12 lower-case letters and digits");
  }
  const auto range = IpRange::parse(settings_.public_range);
  if (!range || range->prefix_length > 29) {
    return fail(ErrorKind::invalid,
                fmt::format("'{}' is no range of public addresses", settings_.public_range));
  }
  public_range_ = *range;
  // Loop devices are found by the canonical names of their files.
  PAAS_TRY(const auto path,
           run_on_host(processes_, {"realpath", "-m", "--", settings_.state_folder}));
  folder_ = std::string(text::trim(path)) + "/world";
  return {};
}

Result<ServiceAddresses> DockerWorld::start() {
  PAAS_CHECK(settle());
  PAAS_TRY(const auto info, engine_.info());
  cgroup_version_ = info.cgroup_version;
  for (const char* part : {"/machines", "/volumes"}) {
    PAAS_CHECK(files_.make_directories(folder_ + part, 0700));
  }
  PAAS_CHECK(ensure_network("", public_range_.text(), Reach::public_network));
  // A restarted host has the networks, whose definitions Docker keeps, but no longer the routes.
  PAAS_TRY(const auto known, networks());
  for (const Network& network : known) PAAS_CHECK(host_network_.block(network.range));
  PAAS_CHECK(load_machines());

  std::vector<std::function<Status()>> jobs;
  for (const auto& [id, machine] : machines_) {
    // The core asks again for those whose making was interrupted.
    if (!machine->record.running || !machine->record.made) continue;
    jobs.push_back([this, machine = machine]() -> Status {
      const std::lock_guard lock(machine->mutex);
      if (bring_back(*machine)) return {};
      // watch() tells that it is off; the others are not held up by it.
      machine->record.running = false;
      return save(*machine);
    });
  }
  PAAS_CHECK(side_by_side(jobs));
  return ServiceAddresses{metadata().gateway, metadata().port};
}

EffectDone DockerWorld::apply(const Effect& effect) {
  EffectDone done{effect.id, "", 0};
  std::visit(
      [&](const auto& kind) {
        const auto result = carry_out(kind);
        if (!result) {
          done.error = describe(result.error());
        } else if constexpr (std::is_same_v<std::decay_t<decltype(kind)>, SnapshotMachine>) {
          done.size_bytes = *result;
        }
      },
      effect.kind);
  return done;
}

Status DockerWorld::stop() {
  stop_watching();
  PAAS_CHECK(settle());
  PAAS_CHECK(load_machines());
  std::vector<std::function<Status()>> jobs;
  for (const auto& [id, machine] : machines_) {
    jobs.push_back([this, machine = machine]() -> Status {
      const std::lock_guard lock(machine->mutex);
      // What it should be is left as it was: the next start() brings it back.
      PAAS_CHECK(stop_container(machine->record.droplet_id));
      return release_devices(*machine);
    });
  }
  return side_by_side(jobs);
}

Result<int> DockerWorld::running_machines() {
  PAAS_TRY(const auto containers, engine_.containers({cloud_label()}));
  return static_cast<int>(std::count_if(
      containers.begin(), containers.end(), [](const docker::ContainerInfo& container) {
        return container.state == "running" || container.state == "paused";
      }));
}

Status DockerWorld::load_machines() {
  const std::lock_guard lock(machines_mutex_);
  if (!machines_.empty()) return {};
  const std::string folder = folder_ + "/machines";
  PAAS_TRY(const auto there, files_.info(folder));
  if (!there) return {};
  PAAS_TRY(const auto names, files_.list(folder));
  for (const std::string& name : names) {
    const auto text = files_.read(folder + "/" + name + "/record.json");
    // Interrupted before the record was written: nothing runs there, and the core asks for it
    // again.
    if (!text) continue;
    auto record = decode_record(*text);
    if (!record) return fail(record.error(), "reading " + folder + "/" + name);
    auto machine = std::make_shared<Machine>();
    machine->record = std::move(*record);
    machines_[machine->record.droplet_id] = std::move(machine);
  }
  return {};
}

Result<DockerWorld::MachinePointer> DockerWorld::find(std::int64_t droplet_id) {
  const std::lock_guard lock(machines_mutex_);
  const auto found = machines_.find(droplet_id);
  if (found == machines_.end()) {
    return fail(ErrorKind::not_found, fmt::format("droplet {} has no machine", droplet_id));
  }
  return found->second;
}

std::vector<DockerWorld::MachinePointer> DockerWorld::machines() {
  const std::lock_guard lock(machines_mutex_);
  std::vector<MachinePointer> all;
  for (const auto& [id, machine] : machines_) all.push_back(machine);
  return all;
}

std::string DockerWorld::container_name(std::int64_t droplet_id) const {
  return fmt::format("paas-{}-{}", settings_.name, droplet_id);
}

std::string DockerWorld::docker_volume(std::int64_t droplet_id) const {
  return container_name(droplet_id) + "-docker";
}

std::string DockerWorld::machine_folder(std::int64_t droplet_id) const {
  return fmt::format("{}/machines/{}", folder_, droplet_id);
}

std::string DockerWorld::volume_file(const std::string& volume_id) const {
  return fmt::format("{}/volumes/{}", folder_, volume_id);
}

std::string DockerWorld::cloud_label() const { return "paas.cloud=" + settings_.name; }

traffic_rules::MetadataEndpoint DockerWorld::metadata() const {
  return {public_range_.address(1), metadata_port};
}

}  // namespace paas::cloud
