// Whether a database's data may lie on a server's own disk, where the lockfile does not tell. Pure.
#pragma once

#include "lockfile/model.hpp"
#include "observe/model.hpp"
#include "stack/model.hpp"

namespace paas::plan {

/// Whether the volume of the server's service is attached to its droplet.
bool has_volume(const stack::Stack& stack, const observe::Observed& observed,
                const lockfile::Server& server);

/// Whether a database's data may be on the server's own disk. What its containers are tells where
/// they store; of one that was not looked at (`inside` is null) only an attached volume does. A
/// service that is not in the stack file may have been a database, unless its containers take
/// requests from HAProxy.
bool may_store_data(const stack::Stack& stack, const observe::Observed& observed,
                    const lockfile::Server& server, const observe::Machine* inside);

}  // namespace paas::plan
