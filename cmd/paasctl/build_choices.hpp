// What a run chooses about builds beside what the stack file says.
#pragma once

#include <string>

#include "program.hpp"
#include "session.hpp"

namespace paas::cli {

struct BuildChoices {
  std::string platform;  ///< Instead of the stack file's; empty: as it says.
  bool no_cache = false;
};

void add_build_options(CLI::App& command, BuildChoices& choices);

/// Has the session build like this. Error (usage): no platform, or one that the cloud's servers
/// cannot run.
Status choose_build(Session& session, const BuildChoices& choices);

/// " --platform linux/arm64", or "": what a run that goes on has to say again.
std::string words_of(const BuildChoices& choices);

}  // namespace paas::cli
