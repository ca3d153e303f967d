// The sections "global" and "defaults": what holds for all that is served.
#include <fmt/format.h>

#include "haproxy/render.hpp"

namespace paas::haproxy {

namespace {

/// As people write it: "1h", "60s", "500ms".
std::string duration(int milliseconds) {
  constexpr int second = 1000;
  constexpr int hour = 3600 * second;
  if (milliseconds % hour == 0) return fmt::format("{}h", milliseconds / hour);
  if (milliseconds % second == 0) return fmt::format("{}s", milliseconds / second);
  return fmt::format("{}ms", milliseconds);
}

// Debian's unit starts the master (-Ws) and binds /dev/log into the chroot, so neither is set here.
// A request is logged only when something was wrong with it: a line for each would wear out a small
// droplet's journal. A connection that failed is tried again on another server, whatever the
// method, because nothing was sent. An answer that never came is asked for again only where the
// method is safe (see the backends). At a reload the old process answers on idle connections once
// more, instead of closing them under a request.
constexpr std::string_view preamble = R"(
global
    log /dev/log{} local0
    chroot /var/lib/haproxy
    user haproxy
    group haproxy
    stats socket /run/haproxy/admin.sock mode 600 level admin expose-fd listeners
    maxconn 4096
{}    hard-stop-after 60s

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
)";

}  // namespace

void render_preamble(Output out, const Setup& setup) {
  const auto& traffic = setup.traffic;
  // A line is 1024 bytes long else, and half an object is none.
  const bool is_long = traffic.log == stack::AccessLog::json;
  fmt::format_to(out, preamble, is_long ? " len 16384" : "",
                 is_any_sticky(setup) ? "    localpeer lb\n" : "");
  const auto& timeouts = traffic.timeouts;
  const auto put = [&](std::string_view name, int milliseconds) {
    fmt::format_to(out, "    timeout {} {}\n", name, duration(milliseconds));
  };
  put("connect", timeouts.connect_ms);
  put("client", timeouts.client_ms);
  put("server", timeouts.server_ms);
  put("http-request", timeouts.request_ms);
  put("http-keep-alive", timeouts.keep_alive_ms);
  put("queue", timeouts.queue_ms);
  put("tunnel", timeouts.tunnel_ms);
  fmt::format_to(out, "{}",
                 "    http-error status 503 content-type text/plain string \"503 Service "
                 "Unavailable: no server can answer now\\n\" hdr Retry-After 1\n");
}

}  // namespace paas::haproxy
