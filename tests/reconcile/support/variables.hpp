// An environment in which only what a test sets is set.
#pragma once

#include <map>
#include <string>

#include "ports/environment.hpp"

namespace paas::reconcile::testing {

class Variables : public Environment {
 public:
  std::optional<std::string> get(const std::string& name) override {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  }
  std::map<std::string, std::string> values;
};

}  // namespace paas::reconcile::testing
