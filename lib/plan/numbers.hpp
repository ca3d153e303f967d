// Servers' numbers that are in use in the cloud, beside those that the lockfile has given out.
#pragma once

#include <string>

#include "base/result.hpp"
#include "lockfile/model.hpp"
#include "observe/model.hpp"

namespace paas::plan {

/// Error (invalid) when a droplet in the lockfile's own network has a number that the lockfile has
/// not given out yet. Intents are written before droplets are made, so a newer lockfile knows of
/// it, and this one would give the same name to another droplet (FACTS.md, case 19).
Status check_numbers(const std::string& stack, const lockfile::Lockfile& lockfile,
                     const observe::Observed& observed);

/// Lets the numbers of each service go on above all that droplets have.
void raise_numbers(const std::string& stack, const observe::Observed& observed,
                   lockfile::Lockfile& lockfile);

}  // namespace paas::plan
