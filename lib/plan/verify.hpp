// Compares what a lockfile says with what exists, resource by resource. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "lockfile/resources.hpp"
#include "plan/make.hpp"

namespace paas::plan {

enum class Condition {
  ok,       ///< It exists and is as it was applied.
  missing,  ///< It does not exist, or was never finished.
  differs,  ///< It exists and `up` would change it.
  unknown   ///< It could not be looked at.
};
std::string to_text(Condition condition);

struct Finding {
  lockfile::Known resource;
  Condition condition = Condition::ok;
  std::string detail;  ///< Why it is not ok.
};

/// What carries the stack's tag, or is an address on one of its droplets, and is not in the
/// lockfile.
struct Orphan {
  std::string kind;  ///< droplet, firewall, volume or address
  std::string name;
  std::string id;
  /// Whether it can only be this lockfile's own: it lies in its network. What lies elsewhere may be
  /// another lockfile's, and volumes hold data: those are told, and never removed.
  bool removable = false;
  std::string detail;  ///< Why it is not removed, or not without its name; else empty.
  /// A droplet of a database, or of nobody knows what.
  bool may_hold_data = false;
};

struct Verification {
  std::vector<Finding> findings;
  std::vector<Orphan> orphans;
  /// Everything is ok and there are no orphans.
  bool holds() const;
};

/// What the planner is given when the stack file has not changed since it was applied: the images
/// are those of the newest releases.
Input unchanged(const lockfile::Lockfile& lockfile, const observe::Observed& observed);

/// `key_found` is whether the provider has the stack's SSH key; absent: not asked. Errors: those of
/// make() that are about a plan and not about what exists.
Result<Verification> verify(const lockfile::Lockfile& lockfile, const observe::Observed& observed,
                            std::optional<bool> key_found);

/// Destroys the removable orphans; those that may hold data are its losses. They are written into
/// the lockfile as what leaves, so that a run that was interrupted is finished by the next `up` or
/// `down`.
Plan make_removal(const lockfile::Lockfile& lockfile, const std::vector<Orphan>& orphans);

}  // namespace paas::plan
