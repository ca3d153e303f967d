// The sections "global" and "defaults": what holds for all that is served.
#include <fmt/format.h>

#include "haproxy/render.hpp"

namespace paas::haproxy {

namespace {

// Debian's unit starts the master (-Ws) and binds /dev/log into the chroot, so neither is set here.
// A request is logged only when something was wrong with it: a line for each would wear out a small
// droplet's journal. A connection that failed is tried again on another server, whatever the
// method, because nothing was sent. An answer that never came is asked for again only where the
// method is safe (see the backends). At a reload the old process answers on idle connections once
// more, instead of closing them under a request.
constexpr std::string_view preamble = R"(
global
    log /dev/log local0
    chroot /var/lib/haproxy
    user haproxy
    group haproxy
    stats socket /run/haproxy/admin.sock mode 600 level admin expose-fd listeners
    maxconn 4096
    hard-stop-after 60s

defaults
    mode http
    log global
    option httplog
    option dontlog-normal
    option forwardfor
    option idle-close-on-response
    option redispatch 1
    retries 3
    retry-on conn-failure empty-response
    timeout connect 3s
    timeout client 60s
    timeout server 60s
    timeout http-request 10s
    timeout http-keep-alive 30s
    timeout queue 10s
    timeout tunnel 1h
    http-error status 503 content-type text/plain string "503 Service Unavailable: no server can answer now\n" hdr Retry-After 1
)";

}  // namespace

void render_preamble(Output out) { fmt::format_to(out, "{}", preamble); }

}  // namespace paas::haproxy
