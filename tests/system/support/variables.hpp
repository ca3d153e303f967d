// An environment in which only what a test sets is set.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "ports/environment.hpp"

namespace paas::tests {

class Variables : public Environment {
 public:
  using Values = std::map<std::string, std::string>;
  explicit Variables(Values given = {}) : values(std::move(given)) {}
  std::optional<std::string> get(const std::string& name) override {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  }
  Values values;
};

}  // namespace paas::tests
