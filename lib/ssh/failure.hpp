// What OpenSSH's client says when it fails, told apart.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "ssh/connections.hpp"

namespace paas::ssh {

/// The error for exit status 255 of the client itself, from what it wrote to standard error:
/// unauthorised (host key, user's key) or unreachable (everything else).
Error client_failure(const Host& host, std::string_view error_output);

/// The server knows the host's key but refused ours; another one may be accepted.
bool key_was_refused(std::string_view error_output);

}  // namespace paas::ssh
