// Block storage: files below the state folder that appear as devices inside machines.
#include <fmt/format.h>

#include <algorithm>

#include "cloud/docker_world.hpp"

namespace paas::cloud {
namespace {

/// Identifiers and names become parts of paths and of scripts.
bool is_plain(const std::string& text) {
  return !text.empty() && text.size() <= 64 && text.front() != '-' &&
         text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
             std::string::npos;
}

Status check_plain(const std::string& text) {
  if (is_plain(text)) return {};
  return fail(ErrorKind::invalid, fmt::format("'{}' is no name of a volume", text));
}

auto with_id(const std::string& volume_id) {
  return [&volume_id](const AttachedVolume& volume) { return volume.volume_id == volume_id; };
}

}  // namespace

Status DockerWorld::carry_out(const CreateVolume& effect) {
  PAAS_CHECK(check_plain(effect.volume_id));
  return loop_devices_.make_file(volume_file(effect.volume_id), effect.size_gigabytes,
                                 effect.filesystem_type, effect.filesystem_label);
}

Status DockerWorld::carry_out(const RemoveVolume& effect) {
  PAAS_CHECK(check_plain(effect.volume_id));
  PAAS_CHECK(loop_devices_.detach(volume_file(effect.volume_id)));
  return files_.remove(volume_file(effect.volume_id));
}

Status DockerWorld::carry_out(const ResizeVolume& effect) {
  PAAS_CHECK(check_plain(effect.volume_id));
  // The file system on it is the machine's affair, as at DigitalOcean. A mounted ext4 does not grow
  // here, which takes CAP_SYS_RESOURCE (measured): unmount it, e2fsck -f, resize2fs.
  return loop_devices_.grow(volume_file(effect.volume_id), effect.size_gigabytes);
}

Status DockerWorld::carry_out(const AttachVolume& effect) {
  PAAS_CHECK(check_plain(effect.volume_id));
  PAAS_CHECK(check_plain(effect.name));
  PAAS_TRY(const auto machine, find(effect.droplet_id));
  const std::lock_guard lock(machine->mutex);
  auto& volumes = machine->record.volumes;
  PAAS_TRY(const auto device, loop_devices_.attach(volume_file(effect.volume_id)));
  if (std::none_of(volumes.begin(), volumes.end(), with_id(effect.volume_id))) {
    volumes.push_back({effect.volume_id, effect.name});
  }
  PAAS_CHECK(save(*machine));
  PAAS_CHECK(prepare_boot(*machine));
  PAAS_TRY(const bool running, is_running(effect.droplet_id));
  if (!running) return {};
  return run_inside(effect.droplet_id,
                    boot_script::link_volume({effect.name, device.path, device.numbers}));
}

Status DockerWorld::carry_out(const DetachVolume& effect) {
  PAAS_CHECK(check_plain(effect.volume_id));
  PAAS_CHECK(check_plain(effect.name));
  const std::string file = volume_file(effect.volume_id);
  const auto machine = find(effect.droplet_id);
  if (!machine) return loop_devices_.detach(file);  // It went with its machine.
  const std::lock_guard lock((*machine)->mutex);
  auto& volumes = (*machine)->record.volumes;
  if (std::none_of(volumes.begin(), volumes.end(), with_id(effect.volume_id))) {
    return loop_devices_.detach(file);
  }
  PAAS_TRY(const auto device,
           loop_devices_.attach(file));  // Finds it: it is attached while it is recorded.
  PAAS_TRY(const bool running, is_running(effect.droplet_id));
  if (running) {
    const auto unlinked = run_inside(
        effect.droplet_id, boot_script::unlink_volume({effect.name, device.path, device.numbers}));
    if (!unlinked) return fail(unlinked.error(), fmt::format("volume {} is in use", effect.name));
  }
  std::erase_if(volumes, with_id(effect.volume_id));
  PAAS_CHECK(save(**machine));
  PAAS_CHECK(prepare_boot(**machine));
  return loop_devices_.detach(file);
}

}  // namespace paas::cloud
