// Taking an image's reference apart.
#include "docker/reference.hpp"

namespace paas::docker {

Reference split_reference(const std::string& reference) {
  if (reference.find('@') != std::string::npos) return {reference, ""};
  const auto colon = reference.rfind(':');
  const auto slash = reference.rfind('/');
  if (colon == std::string::npos || (slash != std::string::npos && slash > colon)) {
    return {reference, "latest"};
  }
  return {reference.substr(0, colon), reference.substr(colon + 1)};
}

std::string registry_host(const std::string& reference) {
  const auto slash = reference.find('/');
  if (slash == std::string::npos) return "docker.io";
  auto first = reference.substr(0, slash);
  // As Docker tells a host from a part of a name.
  const bool is_host = first.find_first_of(".:") != std::string::npos || first == "localhost";
  return is_host ? first : "docker.io";
}

}  // namespace paas::docker
