// What a value may look like before it is written into HAProxy's configuration or sent to its
// socket.
#pragma once

#include <set>
#include <string>
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
/// The same, or "*." before it for all names below.
bool is_rule_host(std::string_view host);
/// Capitals and "-".
bool is_method(std::string_view method);
/// Lower-case letters, digits, "-" and "_".
bool is_header_name(std::string_view name);
/// Letters, digits and -._~:/+=,;@!*&|.
bool is_header_value(std::string_view value);
/// A URL of http or https whose path, if any, is a health path; or such a path.
bool is_redirect_target(std::string_view target);
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
Status check(const stack::Traffic& traffic);
Status check(const stack::Limit& limit);
Status check(const stack::Sticky& sticky);
/// `backends` are those that there are.
Status check(const stack::Rule& rule, const std::set<std::string>& backends);

/// "the load balancer's rule host 'a b' is not allowed".
tl::unexpected<Error> refuse(std::string_view what, std::string_view value);

}  // namespace paas::haproxy
