// Programs of the user's that run around a change: executables in .paas/hooks beside the stack
// file.
#pragma once

#include <map>
#include <string>

#include "base/result.hpp"
#include "program.hpp"
#include "session.hpp"

namespace paas::cli {

/// Runs .paas/hooks/NAME with the folder of the stack file as its own and these variables beside
/// those of paasctl; its output goes to standard error. Nothing when there is no such file. Errors
/// (failed): it cannot be run, or ended with another status than 0.
Status run_hook(Program& program, const Session& session, const std::string& name,
                const std::map<std::string, std::string>& variables);

/// The hooks that run on a server before a new release, .paas/hooks/pre-release.SERVICE, as text by
/// service. Those of services that are kept at a release, or are not part of what is planned, are
/// not looked at. Errors (failed): one is not executable, or names no web or worker service of the
/// stack file.
Result<std::map<std::string, std::string>> read_pre_release_hooks(Program& program,
                                                                  const Session& session,
                                                                  const plan::Wanted& wanted);

}  // namespace paas::cli
