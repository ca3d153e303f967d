// What a value may look like before it is written into HAProxy's configuration or sent to its
// socket.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "haproxy/model.hpp"

namespace paas::haproxy {

/// How a name, host or path is refused: HAProxy has quotes, escapes, comments and variables of its
/// own, and a line break would begin a new directive, so only what is known to be harmless passes.
/// Letters, digits, "-" and "_": dots are left to the sections that render() adds itself.
bool is_backend_name(std::string_view name);
/// As a backend's name, and dots.
bool is_server_name(std::string_view name);
/// An IPv4 or IPv6 address; names are not resolved by a server that is added at run time.
bool is_address(std::string_view address);
bool is_port(int port);
/// Letters, digits, "-", "_" and ".".
bool is_host(std::string_view host);
/// Begins with "/"; letters, digits and -._~%:@!&+=,;/ follow.
bool is_path(std::string_view path);
/// A path that may have a query.
bool is_health_path(std::string_view path);

/// "10.1.0.5:20000", "[fd00::5]:20000".
std::string endpoint(std::string_view address, int port);

/// Errors (invalid): a value with a character that is not allowed, a rule to a backend that is not
/// there, two backends or servers of one name, a port that two binds share (`haproxy -c` passes a
/// duplicate bind).
Status check(const Server& server);
Status check(const Setup& setup);

}  // namespace paas::haproxy
