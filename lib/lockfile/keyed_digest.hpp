// Tells whether two texts are equal without telling what is in them.
#pragma once

#include <string>
#include <string_view>

#include "lockfile/seal.hpp"

namespace paas::lockfile {

/// HMAC with SHA-256 (RFC 2104) as lower-case hexadecimal. Without the key nobody can try texts,
/// such as short passwords, until one gives the same. With an empty key anybody can.
std::string keyed_digest(std::string_view text, const Key& key);

}  // namespace paas::lockfile
