// Servers' numbers that are in use in the cloud, beside those that the lockfile has given out.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "lockfile/model.hpp"
#include "observe/model.hpp"
#include "stack/model.hpp"

namespace paas::plan {

/// Error (invalid) when a droplet in the lockfile's own network has a number that the lockfile has
/// not given out yet, or is a server's that the lockfile names and has not asked for, or was
/// refused. Intents are written before droplets are made, so a newer lockfile knows of it, and this
/// one would give the same name to another droplet (FACTS.md, case 19).
Status check_numbers(const std::string& stack, const lockfile::Lockfile& lockfile,
                     const observe::Observed& observed);

/// Lets the numbers of each service go on above all that droplets have.
void raise_numbers(const std::string& stack, const observe::Observed& observed,
                   lockfile::Lockfile& lockfile);

/// Gives servers that were never asked for the droplets in the lockfile's own network that have
/// their names. Nobody knows their host keys, so they leave; where a database's data on their disks
/// cannot be excluded, they hold data. The names of those servers.
std::vector<std::string> take_unasked(const stack::Stack& stack, const observe::Observed& observed,
                                      lockfile::Lockfile& lockfile);

}  // namespace paas::plan
