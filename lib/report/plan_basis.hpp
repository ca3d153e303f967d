// What a plan was made from, part by part, in a form that tells only whether it is the same.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lockfile/seal.hpp"
#include "plan/make.hpp"

namespace paas::report {

/// Where a plan is made: what tells its lockfile apart, and what keeps secrets out of digests.
struct Origin {
  std::string lockfile_text;  ///< As it is stored; empty: there is none yet.
  lockfile::Key key;          ///< The lineage's; empty where there is no lockfile.
};

/// Digests under the lineage's key.
struct Basis {
  std::string stack;     ///< Of the stack file as resolved.
  std::string lockfile;  ///< Of its text.
  /// Of what was observed, and of certificate files: "firewall shop-db", "server shop-web-1". What
  /// changes by itself is left out: times, the progress of actions, HAProxy's checks, how a server
  /// failed to answer, what images lie on servers. Where such a thing matters, steps differ.
  std::map<std::string, std::string> observed;
};

std::string digest_of_stack(const stack::Stack& stack, const Origin& origin);
std::string digest_of_lockfile(const Origin& origin);
Basis basis_of(const plan::Input& input, const Origin& origin);

/// A sentence for each part that came, went or changed: "firewall shop-db is not as it was".
std::vector<std::string> moved_parts(const Basis& before, const Basis& now);

}  // namespace paas::report
