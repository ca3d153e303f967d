// Whether a machine image is what one that is made now would be.
#pragma once

#include <cstdint>
#include <string>

#include "digitalocean/model.hpp"
#include "lockfile/model.hpp"
#include "stack/model.hpp"

namespace paas::plan {

/// After so long a machine image's packages are old: the time in which distributions ship the fixes
/// that everybody is told to install.
constexpr std::int64_t machine_image_days = 30;

/// Whether it starts from another base image than the stack names, as far as its name tells: no
/// server is made from it.
bool has_other_base(const digitalocean::Snapshot& snapshot, const stack::Stack& stack);

/// What makes the service's machine image stale, or "": another base image, an image that is not
/// the current release's, packages that are older than machine_image_days at `now` (Unix time in
/// seconds; 0: unknown).
std::string staleness(const digitalocean::Snapshot& snapshot, const std::string& service,
                      const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                      std::int64_t now);

}  // namespace paas::plan
