// Whose cloud a state folder has.
#pragma once

#include <optional>
#include <string>

#include "ports/files.hpp"

namespace paas::cloud {

/// What the state says of a cloud that exists.
struct Identity {
  std::string name;
  std::string public_range;
  bool metadata_only = false;
};

/// Nothing when there is no state, or none with settings that can be read. Of the state itself,
/// which may be large, it reads only those.
std::optional<Identity> identity_in(Files& files, const std::string& state_folder);

}  // namespace paas::cloud
