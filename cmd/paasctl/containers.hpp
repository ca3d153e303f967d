// The containers that a SERVICE or SERVER on the command line means.
#pragma once

#include <string>
#include <vector>

#include "session.hpp"

namespace paas::cli {

struct RunningContainer {
  std::string server;
  std::string container;
};

/// Of a service: one for each of its servers; of a server: its own. Error not_found when neither
/// exists or nothing runs.
Result<std::vector<RunningContainer>> containers_of(Session& session, const std::string& name);

/// Runs a command on a server with this terminal's input and output; its exit status.
Result<int> attach(Program& program, Session& session, const std::string& server,
                   const std::vector<std::string>& command);

}  // namespace paas::cli
