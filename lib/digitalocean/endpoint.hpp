// Where a token may be sent: over https, or over plain http within this machine's own networks.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace paas::digitalocean {

/// The url without trailing slashes. Error invalid: another scheme, user information in it, or
/// plain http to a host that is neither loopback nor a private address (the local cloud's gateway
/// address is one).
Result<std::string> check_endpoint(std::string_view url);

}  // namespace paas::digitalocean
