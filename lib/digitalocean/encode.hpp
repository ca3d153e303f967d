// Values as the JSON that the API takes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "digitalocean/model.hpp"

namespace paas::digitalocean {

/// With several names the droplets are created alike, and the request's own name is not used.
nlohmann::json encode_droplet(const DropletRequest& request,
                              const std::vector<std::string>& names = {});

/// Only what the spec gives.
nlohmann::json encode_domain_record(const DomainRecordSpec& spec);

/// Error invalid: a rule that names nobody, which the API would take as a mistake.
Result<nlohmann::json> encode_firewall(const FirewallSpec& spec);

}  // namespace paas::digitalocean
