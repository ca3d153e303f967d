// Releases that servers run, beside those that the lockfile has numbered. Pure.
#pragma once

#include <string>

#include "base/result.hpp"
#include "lockfile/model.hpp"
#include "observe/model.hpp"
#include "stack/model.hpp"

namespace paas::plan {

/// Adds a release, the newest, and forgets the oldest where there are more than ten; one that is
/// pinned, or whose containers another one has, stays.
void add_release(lockfile::Service& service, lockfile::Release release);

/// Whether a server of the service has, or had before its current one, a container of this release:
/// then the release's hook was run.
bool is_begun(const lockfile::Lockfile& lockfile, const std::string& service, int release);

/// What was found on a server of the lockfile; nothing when it was not looked at, or when another
/// droplet has its name.
const observe::Machine* inside_of(const lockfile::Lockfile& lockfile,
                                  const observe::Observed& observed, const std::string& server);

/// The container of its service that a server has: the one of the release that the lockfile tells.
/// Where it tells none and data may be there, a run was cut short before its container was healthy:
/// then it is the newest that runs, or the newest when none does. Null: there is none.
const observe::Container* current_container(const observe::Machine& inside,
                                            const lockfile::Server& server);

/// Whether a container keeps its port from others; one that is restarting or paused does as well.
bool holds_port(const observe::Container& container);

/// The release whose container stays beside that of `release`, stopped, when a server changes to
/// it: the one that the server was at, or, where that failed, the newest one that is there and did
/// not. 0: none. `there` is what is on the server.
int kept_beside(const lockfile::Lockfile& lockfile, const lockfile::Server& server, int release,
                const std::vector<observe::Container>& there);

/// Whether a container is of the release before, which stays on the server, stopped, so that a
/// rollback only has to start it. Those that keep data are not: there is one of them at a time.
bool is_kept(const stack::Service& service, const lockfile::Server& server,
             const observe::Container& container);

/// The release that a container was made of, as its labels and its environment tell.
lockfile::Release release_of(const stack::Stack& stack, const observe::Container& container);

/// Whether a container there, if it is a database's, keeps its data on the server's own disk: by
/// its label it has neither a volume nor the ports of a web service.
bool may_store_on_disk(const observe::Machine& inside);

/// Error (invalid) when a server runs a release that the lockfile has not numbered yet. Releases
/// are written down before their containers are made, so a newer lockfile knows of it, and what
/// this one says of passwords and environments may be what was before it (FACTS.md, case 19).
Status check_releases(const lockfile::Lockfile& lockfile, const observe::Observed& observed);

/// Adds the releases of which there are containers and that are not known, so that the next ones
/// are numbered above them, and writes down which one runs on each server that was looked at, and
/// that a database's holds data where its container has no volume.
void take_running_releases(const stack::Stack& stack, const observe::Observed& observed,
                           lockfile::Lockfile& lockfile);

}  // namespace paas::plan
