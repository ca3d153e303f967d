// What becomes of a release that failed while servers changed to it. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lockfile/model.hpp"
#include "observe/model.hpp"
#include "plan/step.hpp"

namespace paas::plan {

/// Writes down what services are at that run one release on all servers that were looked at, and
/// nothing beside it. `loaded` is what the last run left, before anything was changed in it.
void note_settled(const lockfile::Lockfile& loaded, const observe::Observed& observed,
                  lockfile::Lockfile& lockfile);

/// The same after a run in which every step was done. A release of which it is not known what it
/// was made of, because it was found on a server, was made of what is applied now.
void note_all_settled(lockfile::Lockfile& lockfile);

/// Services whose new release failed in a run, and the number of the release that each was at when
/// it was whole, which it shall be at again. `lockfile` is what the run left, `failed` the steps
/// that failed. Left out are services that had no release which can be gone back to, and those that
/// keep data: their old container is started again where the new one failed.
std::map<std::string, int> releases_to_take_back(const lockfile::Lockfile& lockfile,
                                                 const std::vector<Step>& failed);

/// Writes down that the releases which came since then failed. Pins and deployed images are as they
/// were.
void note_failed(const std::map<std::string, int>& services, lockfile::Lockfile& lockfile);

/// The steps that bring these services back: on servers that had a container in `before`, and the
/// load balancer's rules. What else is still to be done is left to the next run.
void keep_only(const std::map<std::string, int>& services, const lockfile::Lockfile& before,
               Plan& plan);

}  // namespace paas::plan
