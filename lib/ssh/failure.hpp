// What OpenSSH's client says when it fails, told apart.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "ssh/connections.hpp"

namespace paas::ssh {

/// The error for a connection that could not be made, from what the client alone wrote to standard
/// error: unauthorised (host key, user's key) or unreachable (everything else).
Error connecting_failure(const Host& host, std::string_view error_output);

/// The error for a connection that ended under what ran over it. Where the text may also be that of
/// a remote command, it explains and decides nothing: always unreachable.
Error cut_off(const Host& host, std::string_view error_output);

/// The server knows the host's key but refused ours; another one may be accepted.
bool key_was_refused(std::string_view error_output);

}  // namespace paas::ssh
