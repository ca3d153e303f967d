// Machine images: the root as a Docker image, and /var/lib/docker, which is a volume, as a second
// volume.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cloud/docker_world.hpp"
#include "cloud/host_command.hpp"

namespace paas::cloud {
namespace {

struct ImageName {
  std::string repository;
  std::string tag;
};

ImageName split_name(const std::string& name) {
  const auto colon = name.rfind(':');
  if (colon == std::string::npos || name.find('/', colon) != std::string::npos)
    return {name, "latest"};
  return {name.substr(0, colon), name.substr(colon + 1)};
}

std::string text_of(const nlohmann::json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string()
             ? found->get<std::string>()
             : "";
}

}  // namespace

std::string DockerWorld::image_volume(const std::string& machine_image) const {
  std::string name = fmt::format("paas-{}-image-{}", settings_.name, machine_image);
  for (char& c : name) {
    if (c == ':' || c == '/') c = '-';
  }
  return name;
}

Result<std::string> DockerWorld::mount_point(const std::string& volume) {
  PAAS_TRY(const auto volumes, engine_.volumes({cloud_label()}));
  for (const auto& entry : volumes) {
    if (text_of(entry, "Name") == volume) return text_of(entry, "Mountpoint");
  }
  return fail(ErrorKind::not_found, "there is no Docker volume " + volume);
}

Status DockerWorld::fill_docker_volume(const std::string& machine_image,
                                       const std::string& volume) {
  const auto from = mount_point(image_volume(machine_image));
  if (!from && from.error().kind == ErrorKind::not_found) return {};  // Not a snapshot.
  if (!from) return fail(from.error());
  PAAS_TRY(const auto to, mount_point(volume));
  return copy_folder(*from, to);
}

Status DockerWorld::copy_folder(const std::string& from, const std::string& to) {
  // As root this keeps what overlay2 lives on: device numbers 0/0 and trusted.* attributes.
  PAAS_CHECK(run_on_host(processes_, {"cp", "--archive", "--reflink=auto", from + "/.", to}));
  return {};
}

Result<std::uint64_t> DockerWorld::folder_size(const std::string& folder) {
  PAAS_TRY(const auto counted,
           run_on_host(processes_, {"du", "--summarize", "--block-size=1", folder}));
  const auto bytes = text::to_integer(counted.substr(0, counted.find('\t')));
  if (!bytes) return fail(ErrorKind::failed, "cannot tell the size of " + folder);
  return static_cast<std::uint64_t>(*bytes);
}

Result<std::uint64_t> DockerWorld::carry_out(const SnapshotMachine& effect) {
  PAAS_TRY(const auto machine, find(effect.droplet_id));
  const std::lock_guard lock(machine->mutex);
  const std::string container = container_name(effect.droplet_id);
  PAAS_TRY(const bool running, is_running(effect.droplet_id));
  // Root and volume are to be of one moment.
  if (running) PAAS_CHECK(engine_.pause_container(container));
  auto made = copy_machine(container, docker_volume(effect.droplet_id), effect.machine_image);
  if (running) {
    const Status resumed = engine_.unpause_container(container);
    if (made && !resumed) made = fail(resumed.error(), "resuming the machine after its snapshot");
  }
  if (!made) {
    const Status removed = carry_out(RemoveMachineImage{effect.machine_image});
    return fail(made.error(),
                removed ? "taking the snapshot" : "taking the snapshot (parts are left)");
  }
  return made;
}

Result<std::uint64_t> DockerWorld::copy_machine(const std::string& container,
                                                const std::string& data,
                                                const std::string& machine_image) {
  const ImageName name = split_name(machine_image);
  // The container's labels become the image's, so purge() knows it as this cloud's.
  PAAS_TRY(const auto id, engine_.commit_container(container, name.repository, name.tag));
  const std::string volume = image_volume(machine_image);
  PAAS_CHECK(engine_.remove_volume(volume));
  PAAS_TRY([[maybe_unused]] const auto created,
           engine_.create_volume(volume, {{"paas.cloud", settings_.name}}));
  PAAS_TRY(const auto from, mount_point(data));
  PAAS_TRY(const auto to, mount_point(volume));
  PAAS_CHECK(copy_folder(from, to));
  PAAS_TRY(const auto image, engine_.inspect_image(id));
  PAAS_TRY(const auto data_bytes, folder_size(to));
  return image.size_bytes + data_bytes;
}

Status DockerWorld::carry_out(const RemoveMachineImage& effect) {
  const Status removed = engine_.remove_image(effect.machine_image);
  if (!removed && removed.error().kind != ErrorKind::not_found) return removed;
  return engine_.remove_volume(image_volume(effect.machine_image));
}

}  // namespace paas::cloud
