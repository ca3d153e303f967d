// HAProxy's configuration text for a stack's load balancer.
#pragma once

#include <set>
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

/// Whether it is as it was made, but for its servers.
bool is_intact(std::string_view configuration);

/// The servers of a configuration made by render(), by backend.
std::vector<Backend> servers_of(std::string_view configuration);

/// The backends that the public rules of a configuration made by render() lead to.
std::set<std::string> rule_targets_of(std::string_view configuration);

/// What serves while `current` changes into `wanted`, both made by render(): the public rules of
/// now, and the backends and internal ports of both. Where both have one it is as wanted.
std::string transition(std::string_view current, std::string_view wanted);

/// The configuration with these servers in one backend; the same when it has no such backend.
std::string with_servers(std::string_view configuration, const std::string& backend,
                         const std::vector<Server>& servers);

}  // namespace paas::haproxy
