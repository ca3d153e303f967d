// One process of paasctl: a command with the real store, client, planner and executor.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "crash/support/operation.hpp"
#include "crash/support/provider_http.hpp"
#include "crash/support/servers.hpp"
#include "crash/support/world.hpp"
#include "crash/support/world_clock.hpp"
#include "plan/make.hpp"
#include "reconcile/executor.hpp"
#include "reconcile/support/fuse.hpp"
#include "stack/model.hpp"

namespace paas::crash {

enum class Verb {
  up,
  scale,        ///< `count` servers of `subject`.
  server_up,    ///< One more of service `subject`.
  server_down,  ///< Server `subject` leaves.
  replace,      ///< Another server in the place of `subject`.
  down,         ///< Volumes are kept.
  destroy,      ///< `down --volumes`
  rotate,       ///< A new password for `subject`.
  accept,       ///< `state accept`
  rollback,     ///< Service `subject` to release `count`.
  weigh,        ///< Server `subject` gets weight `count`.
  canary,       ///< A new release of what changed, with a canary first.
};

struct Command {
  Verb verb = Verb::up;
  std::string yaml;  ///< The stack file.
  std::string subject = {};
  int count = 0;
  bool has_hook = false;  ///< Before releases of web.
};

/// What the run is given to live through.
struct Trial {
  int effects = 0;  ///< It is stopped dead after so many; 0: never.
  std::optional<Fault> fault = {};
  int parallelism = 1;
  /// By how much the clock on the wall is set while the run waits for the second time.
  Milliseconds clock_jump{0};
};

/// How a run ended.
struct End {
  bool stopped = false;
  bool struck = false;  ///< The fault came about.
  std::vector<Error> errors;
  int effects = 0;             ///< On the world, the disk included.
  std::vector<int> unsettled;  ///< Those after which a power failure is something else than a stop.
  std::vector<Operation> operations;
  std::vector<std::string> changes;  ///< Requests that change something.
  std::vector<std::string> steps;    ///< Identifiers of what was planned.
  bool succeeded() const { return errors.empty() && !stopped; }
};

/// Runs the command. What it holds goes with it, as with a process.
End run(World& world, const Command& command, const Trial& trial = {});

/// The lockfile as the next run reads it.
Result<lockfile::Lockfile> read_lockfile(World& world);

}  // namespace paas::crash
