// What a cloud's process and the commands on its folder share: the guard, and leftovers.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "ports/clock.hpp"
#include "ports/files.hpp"

namespace paas::cloud {

/// Keeps others from serving or removing the cloud. Error (guard_held): somebody does.
Result<std::unique_ptr<FileGuard>> take_guard(Files& files, Clock& clock,
                                              const std::string& state_folder);

/// Removes what a process left that was killed in the middle of replacing a file.
void remove_leftovers(Files& files, const std::string& state_folder);

}  // namespace paas::cloud
