// The environment of this process.
#pragma once

#include <optional>
#include <string>

namespace paas {

class Environment {
 public:
  virtual ~Environment() = default;
  /// Nothing when it is not set; an empty value is a value.
  virtual std::optional<std::string> get(const std::string& name) = 0;
};

}  // namespace paas
