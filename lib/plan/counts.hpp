// Changes of how many servers a service has, one server at a time.
#pragma once

#include <string>

#include "base/result.hpp"
#include "lockfile/model.hpp"
#include "stack/model.hpp"

namespace paas::plan {

/// What has to be done for a number of servers that the service cannot have. `file`
/// is the stack file's name, for people.
std::string limit_hint(const stack::Service& service, const std::string& file);

/// One more server for the service; none when the one that an earlier run added is not finished, so
/// that repeating an interrupted command adds no second. Error (usage) at its maximum.
Status add_one(lockfile::Lockfile& lockfile, const stack::Service& service);

/// Lets the server leave and lowers its service's count; nothing when it leaves already, so that
/// repeating an interrupted command takes no second one. Error (usage) at the minimum,
/// and for one that is kept warm.
Status take_out(lockfile::Lockfile& lockfile, const stack::Stack& stack, const std::string& server);

}  // namespace paas::plan
