// Values as the JSON that the API takes.
#pragma once

#include <nlohmann/json.hpp>

#include "base/result.hpp"
#include "digitalocean/model.hpp"

namespace paas::digitalocean {

nlohmann::json encode_droplet(const DropletRequest& request);

/// Error invalid: a rule that names nobody, which the API would take as a mistake.
Result<nlohmann::json> encode_firewall(const FirewallSpec& spec);

}  // namespace paas::digitalocean
