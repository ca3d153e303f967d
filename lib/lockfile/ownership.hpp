// Whether something that has one of the stack's names is the stack's.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace paas::lockfile {

/// Whether the lockfile held the intent to make it before anybody looked, without an identifier.
enum class Intent { none, written };

/// Names are no proof: service eu-db of stack shop and service db of stack shop-eu have the same
/// ones. A tag of the stack is, and a tag of another stack disproves it; without either it is the
/// stack's when it was about to make one of that name.
bool belongs(const std::vector<std::string>& tags, const std::string& stack, Intent intent);

/// Error (exists) for something of that name which belongs to somebody else. `what` is "volume
/// shop-eu-db".
tl::unexpected<Error> foreign(const std::string& what, const std::string& stack);

/// The same for a volume, which holds data. One without a tag may be the stack's own, which lost
/// it: then the hint says how it is taken.
tl::unexpected<Error> foreign_volume(const std::string& name, const std::vector<std::string>& tags,
                                     const std::string& stack);

}  // namespace paas::lockfile
