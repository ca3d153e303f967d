// The metadata service: what a droplet can ask about itself at 169.254.169.254.
#pragma once

#include <optional>
#include <string>

#include "cloud/state.hpp"

namespace paas::cloud {

struct MetadataAnswer {
  std::string content_type;
  std::string body;
};

/// Answers a path below /metadata for the droplet that has this address. Nothing when no droplet
/// has it, or there is no such path.
std::optional<MetadataAnswer> metadata(const State& state, const std::string& source_address,
                                       const std::string& path);

}  // namespace paas::cloud
