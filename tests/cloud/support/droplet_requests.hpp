// What tests ask of a core about droplets.
#pragma once

#include <string>

#include "cloud/support/core_fixture.hpp"

namespace paas::cloud::testing {

/// A body that creates a droplet with the tag "web".
inline Json request_for(const std::string& name) {
  return {{"name", name},
          {"region", "nyc3"},
          {"size", "s-1vcpu-1gb"},
          {"image", "debian-12-x64"},
          {"user_data", "#cloud-config\n"},
          {"tags", {"web"}}};
}

inline std::string path_of(Id id) { return "/v2/droplets/" + std::to_string(id); }

inline std::string status_of(Core& core, Id id) {
  return core.get(path_of(id)).body["droplet"]["status"].get<std::string>();
}

}  // namespace paas::cloud::testing
