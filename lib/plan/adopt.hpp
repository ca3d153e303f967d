// Takes a droplet that somebody made by hand into the lockfile as a server. Pure.
#pragma once

#include <string>

#include "base/result.hpp"
#include "digitalocean/model.hpp"
#include "lockfile/model.hpp"
#include "observe/model.hpp"
#include "stack/model.hpp"

namespace paas::plan {

/// Adds it as a server of the service, one more than there were, and gives the name that the
/// droplet has to have. A droplet that has such a name with a number nobody was given keeps it. It
/// is not prepared: the next `up` rotates its host key, tags it and puts a container on it. As a
/// database's it holds data, for nobody knows what is on it before take_inside(). Errors:
/// usage at the service's maximum; exists when it is a server already or carries another stack's
/// tag; invalid for another network, region or size, and while it is not active.
Result<std::string> adopt(lockfile::Lockfile& lockfile, const stack::Stack& stack,
                          const stack::Service& service, const digitalocean::Droplet& droplet);

/// Takes what was found on a server that was adopted: its releases, that it holds data where a
/// database of whatever service may have stored some, and, where a container of the stack is there,
/// that it was prepared once. The next `up` looks at it then before it plans, and keeps a container
/// of its service or calls out what is lost with each.
void take_inside(lockfile::Lockfile& lockfile, const stack::Stack& stack, const std::string& name,
                 const observe::Machine& inside);

}  // namespace paas::plan
