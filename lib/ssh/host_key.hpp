// The host key that a server shows, for somebody who decides whether to trust it.
#pragma once

#include <string>

#include "base/result.hpp"
#include "ports/files.hpp"
#include "ports/process.hpp"
#include "ssh/connections.hpp"

namespace paas::ssh {

/// "ssh-ed25519 AAAA...": what the server at the host's address shows now; Host::host_key is not
/// looked at. The user's configuration (ProxyJump) applies, and nobody logs in. Whoever is in
/// between may show one of his own: it is for the user to compare its fingerprint. `folder` is a
/// private one for a file that is removed again. Error unreachable.
Result<std::string> shown_host_key(Processes& processes, Files& files, const std::string& folder,
                                   const Host& host);

}  // namespace paas::ssh
