// What faults do to machines: their power, their time, their disks.
#include <fmt/format.h>

#include "cloud/docker_world.hpp"
#include "cloud/full_disk.hpp"

namespace paas::cloud {
namespace {

/// A machine that starts processes all the time, as one that boots does, may get ahead of the
/// kernel's freezer: the engine then gives up ("unable to freeze"), and the next attempt succeeds.
Status freeze(docker::Engine& engine, Clock& clock, const std::string& container) {
  constexpr int attempts = 20;
  for (int attempt = 1;; ++attempt) {
    auto paused = engine.pause_container(container);
    if (paused || attempt == attempts) return paused;
    if (paused.error().message.find("unable to freeze") == std::string::npos) return paused;
    PAAS_CHECK(clock.wait(std::chrono::milliseconds(200)));
  }
}

}  // namespace

Status DockerWorld::carry_out(const DisturbMachine& effect) {
  PAAS_TRY(const auto machine, find(effect.droplet_id));
  const std::lock_guard lock(machine->mutex);
  const std::string name = container_name(effect.droplet_id);
  PAAS_TRY(const auto state, state_of(effect.droplet_id));
  const bool runs = state == "running" || state == "paused";
  switch (effect.what) {
    case Disturbance::kill:
    case Disturbance::reboot:
      if (runs) PAAS_CHECK(engine_.kill_container(name, "SIGKILL"));
      machine->record.running = effect.what == Disturbance::reboot;
      PAAS_CHECK(save(*machine));
      return machine->record.running ? bring_back(*machine) : Status{};
    case Disturbance::freeze:
      return state == "running" ? freeze(engine_, clock_, name) : Status{};
    case Disturbance::thaw:
      return state == "paused" ? engine_.unpause_container(name) : Status{};
    case Disturbance::fill_disk:
      if (!runs) return fail(ErrorKind::failed, "the machine does not run");
      return run_inside(effect.droplet_id, full_disk::fill_script(full_disk::folders()));
    case Disturbance::free_disk:
      // A machine that starts has none of it, but for what is on its volumes.
      return runs ? run_inside(effect.droplet_id, full_disk::free_script()) : Status{};
  }
  return {};
}

}  // namespace paas::cloud
