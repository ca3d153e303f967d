// What servers have inside, as plain values.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "observe/model.hpp"

namespace paas::reconcile::testing {

/// Which passwords a service takes: PostgreSQL has one a user.
using Logins = std::map<std::string, std::string>;

/// Servers' insides by name. They outlive a run.
struct Insides {
  std::map<std::string, observe::Machine> machines;
  std::map<std::string, std::map<std::string, std::string>> addresses;  ///< HAProxy's, by backend.
  int reloads = 0;
  std::map<std::string, Logins> logins;  ///< What the data of a service takes, by user.
  /// Containers that ran with a password that did not work, at any moment.
  std::vector<std::string> refused;
  std::vector<std::string> grown;  ///< Devices whose file systems were told to fill them.
};

}  // namespace paas::reconcile::testing
