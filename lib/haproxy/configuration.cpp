// Renders haproxy.cfg for HAProxy 2.6 and later.
#include "haproxy/configuration.hpp"

#include <fmt/format.h>

#include <iterator>

#include "base/text.hpp"
#include "haproxy/check_options.hpp"
#include "haproxy/mark.hpp"
#include "haproxy/values.hpp"

namespace paas::haproxy {

namespace {

using Output = std::back_insert_iterator<std::string>;

/// Where requests go that no rule matches. Names of backends have no dot, so no service can be
/// called like this.
constexpr std::string_view unmatched_backend = "rule.none";

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

/// The conditions of a rule as named ACLs; the condition that needs all of them.
std::string render_conditions(Output out, const stack::Rule& rule, std::size_t number) {
  std::string condition;
  if (!rule.host.empty()) {
    // host_only takes the port off and lowers the case.
    fmt::format_to(out, "    acl rule-{}-host req.hdr(host),host_only {}\n", number,
                   text::lower(rule.host));
    condition += fmt::format(" rule-{}-host", number);
  }
  if (!rule.path.empty() && rule.path != "/") {
    // "/api" is that path and what lies below it, never "/apix"; "/api/" is only what lies below.
    if (!rule.path.ends_with('/')) {
      fmt::format_to(out, "    acl rule-{}-path path {}\n", number, rule.path);
    }
    fmt::format_to(out, "    acl rule-{}-path path_beg {}{}\n", number, rule.path,
                   rule.path.ends_with('/') ? "" : "/");
    condition += fmt::format(" rule-{}-path", number);
  }
  return condition;
}

void render_rules(Output out, const std::vector<stack::Rule>& rules) {
  std::size_t number = 0;
  for (const auto& rule : rules) {
    const auto condition = render_conditions(out, rule, ++number);
    if (condition.empty()) {
      // It matches everything, so no rule after it is ever reached.
      fmt::format_to(out, "    default_backend {}\n", rule.to);
      return;
    }
    fmt::format_to(out, "    use_backend {} if{}\n", rule.to, condition);
  }
  fmt::format_to(out, "    default_backend {}\n", unmatched_backend);
}

// What clients say about where they come from is not believed; inside, the first hop's word is
// kept.
void render_public(Output out, const Setup& setup) {
  if (setup.listen.empty()) return;
  fmt::format_to(out, "\nfrontend public\n");
  for (const int port : setup.listen) fmt::format_to(out, "    bind *:{}\n", port);
  fmt::format_to(out,
                 "    http-request del-header X-Forwarded-For\n"
                 "    http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]\n"
                 "    http-request set-header X-Request-Id %[uuid()]\n");
  render_rules(out, setup.rules);
}

// "transparent" lets HAProxy start before the private network is up, as happens when a droplet is
// rebooted.
void render_internal(Output out, const Backend& backend, const std::string& private_address) {
  if (backend.internal_port == 0) return;
  fmt::format_to(out,
                 "\nfrontend internal.{0}\n"
                 "    bind {1} transparent\n"
                 "    http-request set-header X-Forwarded-Proto http unless "
                 "{{ req.hdr(X-Forwarded-Proto) -m found }}\n"
                 "    http-request set-header X-Request-Id %[uuid()] unless "
                 "{{ req.hdr(X-Request-Id) -m found }}\n"
                 "    default_backend {0}\n",
                 backend.name, endpoint(private_address, backend.internal_port));
}

// leastconn is one of the algorithms that take servers at run time. Requests of a web program
// differ in length, and a server that is slow or new gets its share by how fast it answers; among
// equals it goes round in turn. A request gets a connection of its own to the server
// (http-server-close). On one that is kept, a POST fails whenever the server ends its idle time
// just then, and must not be sent twice; HAProxy 2.6 keeps none to servers added at run time anyhow
// (measured), and `del server` is refused while there are any. The checks' settings stand in the
// backend and not with each server, so that a change of them shows in without_servers() as a need
// to reload.
void render_backend(Output out, const Backend& backend) {
  fmt::format_to(out,
                 "\nbackend {}\n"
                 "    balance leastconn\n"
                 "    option http-server-close\n"
                 "    http-request disable-l7-retry unless METH_GET or METH_OPTIONS\n"
                 "    option httpchk\n"
                 "    http-check send meth GET uri {} ver HTTP/1.1 hdr Host lb.internal\n"
                 "    http-check expect status 200-399\n"
                 "    timeout check {}ms\n"
                 "    default-server {} weight {}\n",
                 backend.name, backend.health_path.empty() ? "/" : backend.health_path,
                 backend.health_timeout_ms, check_options(backend), weight_in_rotation);
  for (const auto& server : backend.servers) {
    fmt::format_to(out, "    server {} {}\n", server.name, endpoint(server.address, server.port));
  }
}

void render_unmatched(Output out) {
  fmt::format_to(out,
                 "\nbackend {}\n"
                 "    http-request return status 404 content-type text/plain "
                 "string \"404 Not Found: no rule matches this address\\n\"\n",
                 unmatched_backend);
}

}  // namespace

Result<std::string> render(const Setup& setup) {
  PAAS_CHECK(check(setup));
  std::string result = fmt::format(
      "# The load balancer of the stack {}. Made by paasctl; changes are overwritten.\n",
      setup.stack);
  result += preamble;
  const auto out = std::back_inserter(result);
  render_public(out, setup);
  for (const auto& backend : setup.backends) {
    render_internal(out, backend, setup.private_address);
  }
  for (const auto& backend : setup.backends) render_backend(out, backend);
  if (!setup.listen.empty()) render_unmatched(out);
  return marked(result);
}

}  // namespace paas::haproxy
