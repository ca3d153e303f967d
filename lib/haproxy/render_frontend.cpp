// Where requests come in: the public frontend, and one for each service inside the VPC.
#include <fmt/format.h>

#include "base/text.hpp"
#include "haproxy/render.hpp"
#include "haproxy/values.hpp"

namespace paas::haproxy {

namespace {

using stack::AccessLog;
using stack::Traffic;

/// An object for each request. Times are milliseconds, -1 where it did not come so far; `end` is
/// what ended it, as HAProxy's manual says in "Session state at disconnection".
constexpr std::string_view json_format =
    R"('{"time":%Ts.%ms,"client":"%ci","method":"%[var(txn.method),json(utf8s)]",)"
    R"("host":"%[var(txn.host),json(utf8s)]","uri":"%[var(txn.uri),json(utf8s)]",)"
    R"("status":%ST,"bytes":%B,"service":"%b","server":"%s","queue_ms":%Tw,"connect_ms":%Tc,)"
    R"("answer_ms":%Tr,"total_ms":%Ta,"end":"%ts","request_id":"%[var(txn.id)]"}')";

void render_log(Output out, AccessLog log) {
  if (log == AccessLog::none) return;
  fmt::format_to(out, "    no option dontlog-normal\n");
  if (log == AccessLog::text) return;
  fmt::format_to(out,
                 "    log-format {}\n"
                 "    http-request set-var(txn.method) method\n"
                 "    http-request set-var(txn.host) req.hdr(host),bytes(0,255)\n"
                 "    http-request set-var(txn.uri) capture.req.uri\n",
                 json_format);
}

void render_compression(Output out, const std::vector<std::string>& types) {
  if (types.empty()) return;
  fmt::format_to(out,
                 "    compression algo gzip\n"
                 "    compression type {}\n",
                 text::join(types, " "));
}

/// Whether the load balancer itself is there, whatever is behind it. It is no line in the log.
void render_health(Output out, const std::string& path) {
  if (path.empty()) return;
  fmt::format_to(out,
                 "    http-request set-log-level silent if {{ path {0} }}\n"
                 "    http-request return status 200 content-type text/plain string \"ok\\n\" "
                 "if {{ path {0} }}\n",
                 path);
}

/// What clients say about where they come from is not believed, unless they are known proxies: the
/// last address that one of these names is the client's own, and no other is sure.
void render_forwarded(Output out, const Traffic& traffic) {
  const bool trusts = !traffic.trusted_proxies.empty();
  for (const auto& range : traffic.trusted_proxies) {
    fmt::format_to(out, "    acl from-proxy src {}\n", range);
  }
  fmt::format_to(out,
                 "    http-request del-header X-Forwarded-For{}\n"
                 "    http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]{}\n"
                 "    http-request set-header X-Request-Id %[uuid()]\n",
                 trusts ? " unless from-proxy" : "",
                 trusts ? " unless from-proxy { req.hdr(X-Forwarded-Proto) -m found }" : "");
  if (traffic.log == AccessLog::json) {
    fmt::format_to(out, "    http-request set-var(txn.id) req.hdr(X-Request-Id)\n");
  }
  if (trusts) {
    fmt::format_to(out, "    http-request set-src req.hdr_ip(X-Forwarded-For,-1) if from-proxy\n");
  }
}

}  // namespace

void render_public(Output out, const Setup& setup) {
  if (setup.listen.empty()) return;
  fmt::format_to(out, "\nfrontend public\n");
  for (const int port : setup.listen) fmt::format_to(out, "    bind *:{}\n", port);
  if (setup.tls) render_tls_ports(out, *setup.tls);
  render_log(out, setup.traffic.log);
  render_compression(out, setup.traffic.compression);
  render_health(out, setup.traffic.health);
  render_forwarded(out, setup.traffic);
  if (setup.tls) render_tls_rules(out, *setup.tls);
  render_maintenance(out, setup);
  render_choices(out, setup.rules);
  render_limits(out, setup);
  if (setup.tls) render_challenge_rule(out, *setup.tls);
  render_rules(out, setup);
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

}  // namespace paas::haproxy
