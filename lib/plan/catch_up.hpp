// How a lockfile that is older than the world goes on: what newer ones made is found. Pure.
#pragma once

#include <string>
#include <vector>

#include "lockfile/model.hpp"
#include "observe/model.hpp"
#include "stack/model.hpp"

namespace paas::plan {

/// Whether neither a droplet nor what runs on a server proves that there was a newer lockfile: see
/// check_numbers() and check_releases().
bool is_newest(const std::string& stack, const lockfile::Lockfile& lockfile,
               const observe::Observed& observed);

struct CaughtUp {
  std::vector<std::string> renewed;  ///< Services that get a new password.
  std::vector<std::string> taken;    ///< Servers whose droplets only newer lockfiles asked for.
};

/// Lets numbers and releases go on above those in use, takes an address on the load balancer's
/// droplet for the one that a newer lockfile reserved, and begins new passwords where they may have
/// been rotated since. Servers that this lockfile never asked for and whose droplets are there
/// leave: see take_unasked().
CaughtUp catch_up(const stack::Stack& stack, const observe::Observed& observed,
                  lockfile::Lockfile& lockfile);

}  // namespace paas::plan
