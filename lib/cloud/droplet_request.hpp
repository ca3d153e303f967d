// What requests that create, rename or rebuild a droplet have in common.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "cloud/state.hpp"

namespace paas::cloud {

/// Error: what DigitalOcean says of a name that is no host name, or has more than 255 characters.
Status check_droplet_name(const std::string& name);

/// The body's "image": a distribution's slug, or the number of a distribution or of a snapshot.
/// Numbers come as text as well, from libcloud for example. Nothing when there is no such image.
std::optional<Id> image_in(State& state, const nlohmann::json& body);

}  // namespace paas::cloud
