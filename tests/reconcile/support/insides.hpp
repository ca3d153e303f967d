// What servers have inside, as plain values.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "observe/model.hpp"

namespace paas::reconcile::testing {

/// Servers' insides by name. They outlive a run.
struct Insides {
  std::map<std::string, observe::Machine> machines;
  std::map<std::string, std::map<std::string, std::string>> addresses;  ///< HAProxy's, by backend.
  int reloads = 0;
  std::vector<std::string> grown;  ///< Devices whose file systems were told to fill them.
};

}  // namespace paas::reconcile::testing
