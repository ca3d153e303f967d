// Where requests come in: the public frontend, and one for each service inside the VPC.
#include <fmt/format.h>

#include "haproxy/render.hpp"
#include "haproxy/values.hpp"

namespace paas::haproxy {

// What clients say about where they come from is not believed; inside, the first hop's word is
// kept.
void render_public(Output out, const Setup& setup) {
  if (setup.listen.empty()) return;
  fmt::format_to(out, "\nfrontend public\n");
  for (const int port : setup.listen) fmt::format_to(out, "    bind *:{}\n", port);
  if (setup.tls) render_tls_ports(out, *setup.tls);
  fmt::format_to(out,
                 "    http-request del-header X-Forwarded-For\n"
                 "    http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]\n"
                 "    http-request set-header X-Request-Id %[uuid()]\n");
  if (setup.tls) render_tls_rules(out, *setup.tls);
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

}  // namespace paas::haproxy
