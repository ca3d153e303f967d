// The variables that this process was started with.
#pragma once

#include "ports/environment.hpp"

namespace paas::system {

class SystemEnvironment : public Environment {
 public:
  std::optional<std::string> get(const std::string& name) override;
};

}  // namespace paas::system
