// What is done to a cloud that no process serves: its machines looked at, stopped or removed.
#include "cloud/daemon.hpp"
#include "cloud/identity.hpp"
#include "cloud/state_folder.hpp"

namespace paas::cloud {
namespace {

/// The range is only needed to serve, so that one that nobody remembers may be any.
constexpr const char* any_range = "198.18.0.0/20";

/// The world of the cloud in the folder; null when it has no machines.
Result<std::unique_ptr<World>> world_of(const RunPorts& ports, const std::string& state_folder) {
  if (!ports.worlds.make_world) return nullptr;
  const auto identity = identity_in(ports.files, state_folder);
  if (!identity) {
    // The name follows from the folder, so machines are found even when the state is lost.
    return ports.worlds.make_world({name_of_folder(state_folder), state_folder, any_range});
  }
  if (identity->metadata_only) return nullptr;
  return ports.worlds.make_world({identity->name, state_folder, identity->public_range});
}

Status remove_files(Files& files, const std::string& state_folder) {
  remove_leftovers(files, state_folder);
  for (const auto& path : {state_file(state_folder), endpoint_file(state_folder),
                           settings_file(state_folder), log_file(state_folder)}) {
    PAAS_CHECK(files.remove(path));
  }
  PAAS_CHECK(files.remove(guard_file(state_folder)));
  // What else the user has in there stays, and the folder with it.
  static_cast<void>(files.remove(state_folder));
  return {};
}

}  // namespace

Result<int> running_machines(const RunPorts& ports, const std::string& state_folder) {
  if (!identity_in(ports.files, state_folder)) return 0;
  PAAS_TRY(const auto world, world_of(ports, state_folder));
  return world == nullptr ? 0 : world->running_machines();
}

Status stop_machines(const RunPorts& ports, const std::string& state_folder) {
  if (!identity_in(ports.files, state_folder)) return {};
  PAAS_TRY(const auto guard, take_guard(ports.files, ports.clock, state_folder));
  PAAS_TRY(const auto world, world_of(ports, state_folder));
  return world == nullptr ? Status{} : world->stop();
}

Status purge(const RunPorts& ports, const std::string& state_folder) {
  auto& files = ports.files;
  PAAS_TRY(const auto folder, files.info(state_folder));
  std::unique_ptr<FileGuard> guard;
  if (folder) {
    PAAS_TRY(guard, take_guard(files, ports.clock, state_folder));
  }
  // Somebody may have removed the folder and left everything else, so that it is looked for.
  PAAS_TRY(const auto world, world_of(ports, state_folder));
  if (world != nullptr) PAAS_CHECK(world->purge());
  return folder ? remove_files(files, state_folder) : Status{};
}

}  // namespace paas::cloud
