// The options of a server that render() writes and the Runtime API repeats, because it ignores
// `default-server`.
#pragma once

#include <string>

#include "haproxy/model.hpp"

namespace paas::haproxy {

/// "check inter 2000ms fastinter 500ms downinter 500ms fall 3 rise 2", and "maxconn 50" where it is
/// limited. A server is watched more closely while its state is in doubt; one that was added at run
/// time gets its first check after `downinter` (measured, 2.6.12).
std::string server_options(const Backend& backend);

/// "server app-web-1.r2 10.1.0.3:20000 weight 5", without the weight that all have.
std::string server_line(const Server& server);

}  // namespace paas::haproxy
