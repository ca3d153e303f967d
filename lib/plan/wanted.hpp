// What shall run: the stack file, but for services that are kept at an earlier release. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "lockfile/model.hpp"
#include "plan/make.hpp"
#include "stack/model.hpp"

namespace paas::plan {

struct Wanted {
  stack::Stack stack;
  std::map<std::string, Held> held;  ///< By service.
};

/// Beside what is pinned.
struct Kept {
  /// Services that are kept at a release in this run only, whatever is pinned.
  std::map<std::string, int> releases = {};
  /// Services that stay as the stack has them, which is the applied one, with the images that they
  /// have: not even one is built whose sources changed.
  std::set<std::string> unchanged = {};
};

/// The stack with what the lockfile says beside it: pinned releases, with their images,
/// environments and rules, and images that were deployed in place of the stack file's. Errors: what
/// check_release() says; (invalid) a release does not fit the stack any more.
Result<Wanted> wanted(const stack::Stack& declared, const lockfile::Lockfile& lockfile,
                      const Kept& kept = {});

/// Null when there is none of that number.
const lockfile::Release* find_release(const lockfile::Lockfile& lockfile,
                                      const std::string& service, int number);

/// The release that a service is at: the pinned one, or the newest that did not fail. Null before
/// the first.
const lockfile::Release* current_release(const lockfile::Lockfile& lockfile,
                                         const std::string& service);

/// The newest release before the current one that did not fail; null when there is none.
const lockfile::Release* release_before(const lockfile::Lockfile& lockfile,
                                        const std::string& service);

/// All services but these, for a run that is about these only.
std::set<std::string> all_but(const lockfile::Lockfile& lockfile,
                              const std::vector<std::string>& services);

/// Whether a service can go back to a release. Error (not_found) with those that there are;
/// (failed): it was made before all of a release was kept, or it failed.
Status check_release(const lockfile::Lockfile& lockfile, const std::string& service, int number);

/// Which number the containers of a release have: another's where only its rules were different.
int containers_of(const lockfile::Release& release);

}  // namespace paas::plan
