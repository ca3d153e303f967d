// Leaving nothing behind: everything is found by label, by mark or by folder, so no record is
// needed.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cloud/docker_world.hpp"
#include "cloud/nested_cgroups.hpp"
#include "cloud/side_by_side.hpp"

namespace paas::cloud {
namespace {

std::string name_of(const nlohmann::json& volume) {
  const auto found = volume.is_object() ? volume.find("Name") : volume.end();
  return volume.is_object() && found != volume.end() && found->is_string()
             ? found->get<std::string>()
             : "";
}

}  // namespace

Status DockerWorld::purge() {
  stop_watching();
  PAAS_CHECK(settle());
  if (const auto answered = engine_.ping(); !answered) {
    // Where nothing was ever made, nobody needs an engine to remove it.
    PAAS_TRY(const bool traces, has_traces());
    return traces ? answered : Status{};
  }
  PAAS_CHECK(remove_containers());
  PAAS_CHECK(loop_devices_.detach_below(folder_));
  PAAS_CHECK(remove_volumes());
  PAAS_CHECK(remove_images());
  PAAS_CHECK(remove_networks());
  PAAS_CHECK(files_.remove_tree(folder_));
  {
    const std::lock_guard lock(machines_mutex_);
    machines_.clear();
  }
  return check_nothing_left();
}

Result<bool> DockerWorld::has_traces() {
  PAAS_TRY(const auto folder, files_.info(folder_));
  if (folder) return true;
  PAAS_TRY(const auto routes, host_network_.routes());
  return std::any_of(routes.begin(), routes.end(), [](const Route& route) { return route.ours; });
}

Status DockerWorld::remove_containers() {
  PAAS_TRY(const auto containers, engine_.containers({cloud_label()}));
  Status failed;
  for (const auto& container : containers) {
    if (const Status removed = remove_container(container.id); !removed) failed = removed;
  }
  return failed;
}

Status DockerWorld::remove_volumes() {
  PAAS_TRY(const auto volumes, engine_.volumes({cloud_label()}));
  std::vector<std::function<Status()>> jobs;
  for (const auto& volume : volumes) {
    const auto folder = volume.find("Mountpoint");
    if (folder != volume.end() && folder->is_string()) {
      remove_nested_cgroups(files_, nested_containers(files_, folder->get<std::string>()));
    }
    jobs.push_back([this, name = name_of(volume)] { return engine_.remove_volume(name); });
  }
  return side_by_side(jobs);
}

Result<std::vector<docker::ImageInfo>> DockerWorld::own_images() {
  PAAS_TRY(auto images, engine_.images());
  std::erase_if(images, [&](const docker::ImageInfo& image) {
    const auto label = image.labels.find("paas.cloud");
    return label == image.labels.end() || label->second != settings_.name;
  });
  return images;
}

Status DockerWorld::remove_images() {
  // A snapshot of a machine that came from a snapshot is built on it: the last of the chain goes
  // first, and each pass takes at least one off.
  for (;;) {
    PAAS_TRY(const auto images, own_images());
    if (images.empty()) return {};
    bool progress = false;
    Status refused;
    for (const auto& image : images) {
      const std::vector<std::string> names =
          image.tags.empty() ? std::vector{image.id} : image.tags;
      for (const std::string& name : names) {
        const Status removed = engine_.remove_image(name);
        if (removed) progress = true;
        if (!removed && removed.error().kind != ErrorKind::not_found) refused = removed;
      }
    }
    if (!progress) return refused;
  }
}

Status DockerWorld::remove_networks() {
  const std::lock_guard lock(networks_mutex_);
  PAAS_TRY(const auto known, networks());
  for (const Network& network : known) PAAS_CHECK(engine_.remove_network(network.name));
  // The routes last: as long as a network might be there, nothing may leave the machine.
  PAAS_TRY(const auto routes, host_network_.routes());
  for (const Route& route : routes) {
    if (route.ours) PAAS_CHECK(host_network_.unblock(route.destination));
  }
  return {};
}

Status DockerWorld::check_nothing_left() {
  std::vector<std::string> left;
  PAAS_TRY(const auto containers, engine_.containers({cloud_label()}));
  for (const auto& container : containers) left.push_back("container " + container.name);
  PAAS_TRY(const auto volumes, engine_.volumes({cloud_label()}));
  for (const auto& volume : volumes) left.push_back("volume " + name_of(volume));
  PAAS_TRY(const auto images, own_images());
  for (const auto& image : images) left.push_back("image " + image.id);
  PAAS_TRY(const auto known, networks());
  for (const auto& network : known) left.push_back("network " + network.name);
  PAAS_TRY(const auto routes, host_network_.routes());
  for (const auto& route : routes) {
    if (route.ours) left.push_back("route " + route.destination.text());
  }
  PAAS_TRY(const auto devices, loop_devices_.list());
  for (const auto& device : devices) {
    if (device.backing_file.starts_with(folder_ + "/"))
      left.push_back("loop device " + device.path);
  }
  if (left.empty()) return {};
  return fail(ErrorKind::failed, "the local cloud left something behind: " + text::join(left, ", "),
              "run the purge again");
}

}  // namespace paas::cloud
