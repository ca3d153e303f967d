// HAProxy's configuration text for a stack's load balancer.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "haproxy/model.hpp"

namespace paas::haproxy {

/// The whole haproxy.cfg. Deterministic. A rule's path "/api" is that path and what lies below it,
/// never "/apix"; "/api/" is only what lies below. Hosts are compared without case and port. Error
/// (invalid): a value with a character that is not allowed, a name or a port that is used twice, a
/// rule to a backend that is not there.
Result<std::string> render(const Setup& setup);

/// The configuration without its server lines: when it is unchanged, the Runtime API can do the
/// rest and no reload is needed.
std::string without_servers(std::string_view configuration);

/// What render() describes a configuration with: a digest of all but its servers. HAProxy tells it
/// of the one that it runs, so a reload that did not take over shows. Empty when there is none.
std::string mark_of(std::string_view configuration);
/// The same out of the answer to `show info`.
std::string mark_in_info(std::string_view info);

/// The servers of a configuration made by render(), by backend.
std::vector<Backend> servers_of(std::string_view configuration);

}  // namespace paas::haproxy
