// What becomes of a release that failed while servers changed to it. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lockfile/model.hpp"
#include "plan/step.hpp"

namespace paas::plan {

/// Services whose new release failed in a run, and the number of the release that each was at
/// before, which it shall be at again. `before` and `after` are the lockfile around the run,
/// `failed` the steps that failed. Left out are services that had no release which can be gone
/// back to, and those that keep data: their old container is started again where the new one
/// failed.
std::map<std::string, int> releases_to_take_back(const lockfile::Lockfile& before,
                                                 const lockfile::Lockfile& after,
                                                 const std::vector<Step>& failed);

/// Writes down that the releases which came after `before` failed. Pins and deployed images are as
/// they were then.
void note_failed(const lockfile::Lockfile& before, const std::map<std::string, int>& services,
                 lockfile::Lockfile& lockfile);

/// The steps that bring these services back: on their servers, and the load balancer's rules. What
/// else is still to be done is left to the next run.
void keep_only(const std::map<std::string, int>& services, Plan& plan);

}  // namespace paas::plan
