// An image's name and tag.
#pragma once

#include <string>

namespace paas::docker {

struct Reference {
  std::string name;
  std::string tag;  ///< "" when the name has a digest.
};

/// "name:tag" in two, with the tag "latest" where there is none; the colon of a registry's port is
/// no tag's.
Reference split_reference(const std::string& reference);

/// The registry's host that a reference names, with its port; "docker.io" where it names none.
std::string registry_host(const std::string& reference);

}  // namespace paas::docker
