// Implementation of the process's environment.
#include "system/system_environment.hpp"

#include <cstdlib>

namespace paas::system {

std::optional<std::string> SystemEnvironment::get(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

}  // namespace paas::system
