// The local cloud as a process: running it, starting it in the background, finding and ending it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cloud/machines.hpp"
#include "cloud/settings.hpp"
#include "ports/clock.hpp"
#include "ports/files.hpp"
#include "ports/process.hpp"
#include "ports/random.hpp"

namespace paas::cloud {

/// How a cloud with real machines gets its world. Both are only called for such a cloud.
struct WorldMaker {
  std::function<Result<std::unique_ptr<World>>(const WorldSettings&)> make_world;
  /// The Docker image behind debian-12-x64, made if need be. Not called when the settings name one.
  std::function<Result<std::string>()> machine_image;
};

/// What run() needs. None of the ports may be one that `stop` interrupts: a cloud that ends still
/// stops its machines and writes its state.
struct RunPorts {
  Files& files;
  Clock& clock;
  Random& random;
  WorldMaker worlds;
  /// Lines about what the cloud does, for its log.
  std::function<void(std::string_view line)> log;
};

/// Whether a cloud can be run so, before anything is made or written. Errors: usage (the address is
/// none), invalid (the folder's cloud was made with machines and is to have none, or the reverse).
Status check_settings(Files& files, const CloudSettings& settings);

/// Serves until `stop` is requested; then machines are stopped and everything is kept. Errors:
/// guard_held (a process serves this folder already), invalid (its state cannot be read), and what
/// keeps the world or the address from being ready.
Status run(const CloudSettings& settings, const RunPorts& ports, std::stop_token stop);

struct StartPorts {
  Files& files;
  Clock& clock;
  Processes& processes;
  /// Lines of the cloud's log as they come, while it is being started.
  std::function<void(std::string_view line)> on_log = {};
};

/// Writes the settings and starts `command` detached, which has to run() what read_settings() gives
/// for the folder. Waits until it answers. A cloud that runs already is left as it is. Errors:
/// those of check_settings(); failed, with the last lines of its log; timed_out; interrupted.
Result<Endpoint> start(const CloudSettings& settings, const StartPorts& ports,
                       const std::vector<std::string>& command,
                       std::chrono::milliseconds timeout = std::chrono::minutes(20));

enum class CloudPhase {
  absent,    ///< The folder knows of no cloud.
  stopped,   ///< It was ended, or its process was killed.
  starting,  ///< A process is at work, and does not answer yet.
  running,
};

struct CloudStatus {
  CloudPhase phase = CloudPhase::absent;
  std::optional<Endpoint> endpoint;  ///< When running.
  std::string name;
  bool metadata_only = false;
};

Result<CloudStatus> status(Files& files, const std::string& state_folder);

/// The endpoint of a cloud that runs, nothing otherwise.
Result<std::optional<Endpoint>> endpoint(Files& files, const std::string& state_folder);

enum class Stopped { was_running, did_not_run };

/// Ends the process and waits until it is gone. Errors: timed_out (it was then ended by force),
/// interrupted.
Result<Stopped> stop(Files& files, Clock& clock, const std::string& state_folder,
                     std::chrono::milliseconds timeout = std::chrono::minutes(2));

/// How many machines run, which is none after a cloud was ended and may be all after its process
/// was killed.
Result<int> running_machines(const RunPorts& ports, const std::string& state_folder);

/// Stops the machines of a cloud whose process was killed; the next start brings them back. Error
/// (guard_held): it runs.
Status stop_machines(const RunPorts& ports, const std::string& state_folder);

/// Removes all that a stopped cloud left: machines, networks, volumes, devices, routes and its
/// files; also when the folder was removed before. Error (guard_held): it runs.
Status purge(const RunPorts& ports, const std::string& state_folder);

}  // namespace paas::cloud
