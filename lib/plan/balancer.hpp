// What the load balancer shall serve, from the stack and the lockfile.
#pragma once

#include <string>

#include "haproxy/model.hpp"
#include "lockfile/model.hpp"
#include "stack/model.hpp"

namespace paas::plan {

/// "zipkick-web-1.r2": HAProxy's name for a container (FACTS.md: name servers after the instance).
std::string rotation_name(const std::string& server, int release);

/// The setup with the servers in `in_rotation` of each backend.
haproxy::Setup balancer_setup(const stack::Stack& stack, const lockfile::Lockfile& lockfile);

/// The same with the servers that shall be in rotation by the lockfile.
haproxy::Setup serving_setup(const stack::Stack& stack, const lockfile::Lockfile& lockfile);

/// As HAProxy shall know a server's current container.
haproxy::Server balancer_server(const lockfile::Lockfile& lockfile, const std::string& server_name,
                                const lockfile::Server& server);

/// What it gets of the requests, as it was told by hand; haproxy::weight_in_rotation else.
int weight_of(const lockfile::Server& server);

/// /etc/paas/hosts: the container's /etc/hosts with lb.internal; without the latter while it has no
/// address.
std::string hosts_file(const lockfile::Lockfile& lockfile);

/// The load balancer's server, if there is one.
const lockfile::Server* balancer_of(const lockfile::Lockfile& lockfile);

}  // namespace paas::plan
