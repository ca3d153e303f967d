// The mark in a configuration by which HAProxy tells which one it runs. Internal to this module.
#pragma once

#include <string>

namespace paas::haproxy {

/// The configuration with its mark, a digest of all but its servers; one that it had is replaced.
/// One without a global section gets none. HAProxy gives its description back in `show info`.
std::string marked(const std::string& configuration);

}  // namespace paas::haproxy
