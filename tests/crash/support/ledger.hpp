// Watches what runs ask of the provider, and notes what must not happen at any moment.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "cloud/core.hpp"

namespace paas::crash {

/// Outlives runs: a name that one run used is never used by another.
class Ledger {
 public:
  /// A request is about to be sent.
  void ask(const cloud::Request& request, const cloud::State& before);
  /// Its answer came; `state` is the one after it.
  void hear(const cloud::Request& request, const cloud::Answer& answer, const cloud::State& state);
  /// It got no answer that says whether it took effect.
  void miss(const cloud::Request& request);

  const std::vector<std::string>& violations() const { return violations_; }

 private:
  void check_names(const cloud::State& state);

  std::set<std::string> droplet_names_;  ///< Of every droplet that was ever accepted.
  /// Requests whose outcome is unknown, until somebody looks at what there is.
  std::map<std::string, std::string> unanswered_;
  std::vector<std::string> violations_;
};

}  // namespace paas::crash
