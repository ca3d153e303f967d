// Finds what newer lockfiles made, where it can be found.
#include "plan/catch_up.hpp"

#include <algorithm>

#include "lockfile/resources.hpp"
#include "plan/numbers.hpp"
#include "plan/releases.hpp"
#include "plan/renewal.hpp"

namespace paas::plan {

namespace {

/// A newer lockfile may have reserved an address, or may be about to get it. Which one it is only
/// its droplet tells.
void find_address(const observe::Observed& observed, lockfile::Lockfile& lockfile) {
  if (!lockfile.lb) return;
  auto& lb = *lockfile.lb;
  const auto& addresses = observed.reserved_ips;
  if (std::any_of(addresses.begin(), addresses.end(),
                  [&](const auto& address) { return address.ip == lb.reserved_ip; })) {
    return;
  }
  for (const auto& [name, server] : lockfile.servers) {
    if (server.service != "lb" || server.droplet.id.empty()) continue;
    const bool has_one = std::any_of(addresses.begin(), addresses.end(), [&](const auto& address) {
      return std::to_string(address.droplet_id) == server.droplet.id;
    });
    if (!has_one) continue;
    lb.intended_for = server.droplet.id;
    return;
  }
  if (lb.reserved_ip.empty()) lb.intended_for = lockfile::droplet_of_address(lockfile);
}

}  // namespace

bool is_newest(const std::string& stack, const lockfile::Lockfile& lockfile,
               const observe::Observed& observed) {
  return check_numbers(stack, lockfile, observed) && check_releases(lockfile, observed);
}

CaughtUp catch_up(const stack::Stack& stack, const observe::Observed& observed,
                  lockfile::Lockfile& lockfile) {
  CaughtUp result;
  raise_numbers(stack.name, observed, lockfile);
  result.taken = take_unasked(stack, observed, lockfile);
  take_running_releases(stack, observed, lockfile);
  find_address(observed, lockfile);
  result.renewed = renew_passwords(stack, observed, lockfile);
  return result;
}

}  // namespace paas::plan
