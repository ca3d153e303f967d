// Compares what is declared with what was made and what exists, and says what to do. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "lockfile/model.hpp"
#include "observe/model.hpp"
#include "plan/held.hpp"
#include "plan/rollout.hpp"
#include "plan/step.hpp"
#include "stack/model.hpp"

namespace paas::plan {

struct Input {
  stack::Stack stack;  ///< With the releases that services are kept at: plan::wanted().
  lockfile::Lockfile lockfile;
  observe::Observed observed;
  std::map<std::string, ImageState> images;  ///< By the stack's image names.
  std::map<std::string, Held> held;          ///< By service.
  Rollout rollout;
  /// Services whose containers are made again although nothing changed (`deps push`), with the
  /// cause.
  std::map<std::string, std::string> restart;
  /// SHA-256 of the certificates that the stack file names, as HAProxy shall have them, by their
  /// names there (plan/certificates.hpp).
  std::map<std::string, std::string> certificates;
  /// Services with a hook that runs before their new releases (hooks/pre-release.SERVICE), with the
  /// SHA-256 of its text.
  std::map<std::string, std::string> pre_release;
  /// Unix time in seconds, by which certificates are due; 0: none is.
  std::int64_t now = 0;
  /// Plan even though nothing of what the lockfile knows is found (`up --accept-loss`).
  bool accept_loss = false;
  /// Services that get a new password (`secret rotate`), with the cause; a rotation that is under
  /// way is finished, and no second one begun.
  std::map<std::string, std::string> rotate;
  /// Servers to be replaced although nothing is wrong with them (`server replace`), with the cause.
  std::map<std::string, std::string> replace;
};

/// What has to be done so that the world is as the stack says. Errors (invalid): a volume that
/// would have to shrink; a user in use that the stack file does not name any more; what
/// check_owner() and, without accept_loss, check_found() refuse. Of a service to be rotated: usage,
/// it has no password; invalid, no program sets a new one; failed, it does not run; unreachable.
Result<Plan> make(const Input& input);

/// Error (invalid) when the lockfile knows droplets and none of them is found; for a single one
/// nothing else of the stack either. Then it is the look that is wrong, with another token or in an
/// outage, and not the world (FACTS.md, case 14). Servers that leave do not count: an interrupted
/// run may have destroyed all of them.
Status check_found(const lockfile::Lockfile& lockfile, const observe::Observed& observed);

/// Error (invalid) when droplets, firewalls or volumes carry the stack's tag and the lockfile knows
/// none of any kind: another lockfile made them, so nothing here may adopt, change or destroy them.
/// Also what check_numbers() (plan/numbers.hpp) and check_releases() (plan/releases.hpp) refuse.
Status check_owner(const std::string& stack, const lockfile::Lockfile& lockfile,
                   const observe::Observed& observed);

enum class Volumes { keep, destroy };

/// What has to be done so that nothing of the stack is left but, with Volumes::keep, its volumes.
Plan make_down(const lockfile::Lockfile& lockfile, const observe::Observed& observed,
               Volumes volumes);

}  // namespace paas::plan
