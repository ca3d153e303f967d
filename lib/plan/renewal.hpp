// Passwords that a lockfile does not know for sure any more: services are told new ones. Pure.
#pragma once

#include <string>
#include <vector>

#include "lockfile/model.hpp"
#include "observe/model.hpp"
#include "stack/model.hpp"

namespace paas::plan {

/// Of two users that take turns the one that most containers of those that link to the service
/// have. Empty when nobody can be asked, or when there is one user only.
std::string user_in_use(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                        const observe::Observed& observed, const stack::Service& service);

/// Lets the next run make a password and have the service's `set` program tell it to the data. It
/// is the other user's, so that those that run go on with theirs until they have it.
void renew_password(const stack::Stack& stack, const observe::Observed& observed,
                    const stack::Service& service, lockfile::Lockfile& lockfile);

/// Does that for each service whose password may have been rotated since the lockfile was written,
/// and gives their names: it has a program that sets one, and it runs or has data.
std::vector<std::string> renew_passwords(const stack::Stack& stack,
                                         const observe::Observed& observed,
                                         lockfile::Lockfile& lockfile);

}  // namespace paas::plan
