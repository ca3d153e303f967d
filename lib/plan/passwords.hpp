// Which passwords can be rotated.
#pragma once

#include <string>

#include "base/result.hpp"
#include "lockfile/model.hpp"
#include "stack/model.hpp"

namespace paas::plan {

/// Whether a rotation of the service's password can begin, or is under way, as far as stack file
/// and lockfile tell. Errors: usage when it has none, invalid when no program sets it, failed when
/// the service never ran.
Status check_rotatable(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                       const std::string& service);

}  // namespace paas::plan
