// The options of a server that render() writes and the Runtime API repeats, because it ignores
// `default-server`.
#pragma once

#include <string>

#include "haproxy/model.hpp"

namespace paas::haproxy {

/// The share of a server that takes requests; all are equal.
constexpr int weight_in_rotation = 10;

/// "check inter 2000ms fastinter 500ms downinter 500ms fall 3 rise 2", and "maxconn 50" where it is
/// limited. A server is watched more closely while its state is in doubt; one that was added at run
/// time gets its first check after `downinter` (measured, 2.6.12).
std::string server_options(const Backend& backend);

}  // namespace paas::haproxy
