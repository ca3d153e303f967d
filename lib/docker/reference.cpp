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

}  // namespace paas::docker
