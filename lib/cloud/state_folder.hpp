// What a cloud's process and the commands on its folder share: the guard, and whose cloud it is.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "ports/clock.hpp"
#include "ports/files.hpp"

namespace paas::cloud {

/// What the state says of a cloud that exists.
struct Identity {
  std::string name;
  std::string public_range;
  bool metadata_only = false;
};

/// Nothing when there is no state, or none that can be read.
std::optional<Identity> identity_in(Files& files, const std::string& state_folder);

/// Keeps others from serving or removing the cloud. Error (guard_held): somebody does.
Result<std::unique_ptr<FileGuard>> take_guard(Files& files, Clock& clock,
                                              const std::string& state_folder);

/// Removes what a process left that was killed in the middle of replacing a file.
void remove_leftovers(Files& files, const std::string& state_folder);

}  // namespace paas::cloud
