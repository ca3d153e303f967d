// Machines that end or come back by themselves: `reboot` or `poweroff` typed inside, a container
// that somebody stopped.
#include <algorithm>
#include <chrono>
#include <stop_token>

#include "base/text.hpp"
#include "cloud/docker_world.hpp"

namespace paas::cloud {
namespace {

/// How the kernel ends a process namespace whose init calls reboot(2): SIGHUP for a restart, SIGINT
/// for the rest (reboot(2), "Behavior inside PID namespaces"; seen as 129 and 130 with systemd 252
/// in Docker 20.10).
constexpr int exited_to_reboot = 129;

constexpr std::chrono::milliseconds interval{500};

bool runs(const docker::ContainerInfo& container) {
  return container.state == "running" || container.state == "paused";
}

}  // namespace

void DockerWorld::watch(std::function<void(std::int64_t droplet_id, bool running)> on_change) {
  stop_watching();
  on_change_ = std::move(on_change);
  for (const auto& machine : machines()) {
    // Those that start() could not bring back.
    const std::lock_guard lock(machine->mutex);
    if (!machine->record.running) on_change_(machine->record.droplet_id, false);
  }
  // States are compared rather than events followed: nothing is missed while the engine restarts,
  // and one request in half a second costs it nothing to speak of.
  watcher_ = std::jthread([this](const std::stop_token& end) {
    while (!end.stop_requested() && clock_.wait(interval)) {
      const auto containers = engine_.containers({cloud_label()});
      if (!containers) continue;  // Unknown is not "off".
      for (const auto& container : *containers) {
        if (!end.stop_requested()) look_at(container);
      }
    }
  });
}

void DockerWorld::stop_watching() {
  watcher_.request_stop();
  if (watcher_.joinable()) watcher_.join();
}

void DockerWorld::look_at(const docker::ContainerInfo& listed) {
  const auto label = listed.labels.find("paas.droplet");
  const auto droplet_id =
      label == listed.labels.end() ? std::nullopt : text::to_integer(label->second);
  if (!droplet_id) return;
  const auto machine = find(*droplet_id);
  if (!machine) return;
  // Somebody is changing it: what it looks like now means nothing.
  std::unique_lock lock((*machine)->mutex, std::try_to_lock);
  if (!lock || !(*machine)->record.made) return;
  if (runs(listed) != (*machine)->record.running) take_note(listed.id, **machine);
  // Told each time: who was told during an event of the machine had to ignore it. And told with the
  // lock held, so that nothing is changed between the look and the telling.
  on_change_(*droplet_id, (*machine)->record.running);
}

void DockerWorld::take_note(const std::string& container_id, Machine& machine) {
  auto& record = machine.record;
  const auto container = engine_.inspect_container(container_id);  // The list is older.
  if (!container || runs(*container) == record.running) return;
  if (!runs(*container) && container->exit_code == exited_to_reboot && bring_back(machine)) return;
  record.running = !record.running;
  (void)save(machine);  // The worst that follows is that the next start() tries to bring it back.
}

}  // namespace paas::cloud
