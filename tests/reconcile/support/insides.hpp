// What servers have inside, as plain values.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "observe/model.hpp"

namespace paas::reconcile::testing {

/// Which passwords a service takes: PostgreSQL has one a user.
using Logins = std::map<std::string, std::string>;

/// A container that is none of a release: a hook runs in it.
struct Task {
  std::map<std::string, std::string> labels;
  std::string state = "running";
  int exit_code = 0;
};

/// Servers' insides by name. They outlive a run.
struct Insides {
  std::map<std::string, observe::Machine> machines;
  std::map<std::string, std::map<std::string, std::string>> addresses;  ///< HAProxy's, by backend.
  int reloads = 0;
  std::map<std::string, Logins> logins;  ///< What the data of a service takes, by user.
  /// Containers that ran with a password that did not work, at any moment.
  std::vector<std::string> refused;
  std::map<std::string, std::map<std::string, Task>> tasks;  ///< By server and name.
  std::vector<std::string> hooks_run;  ///< That ended well: "pre-release web 2".
  std::set<std::string> hooked;        ///< Services whose releases have a hook.
  /// Containers that were started before the hook of their release had ended.
  std::vector<std::string> unprepared;
  std::vector<std::string> grown;  ///< Devices whose file systems were told to fill them.
};

}  // namespace paas::reconcile::testing
