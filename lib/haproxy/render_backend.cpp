// Where requests go: a backend for each service.
#include <fmt/format.h>

#include "haproxy/render.hpp"
#include "haproxy/server_options.hpp"
#include "haproxy/values.hpp"

namespace paas::haproxy {

namespace {

/// What a check asks for: "uri /healthz", or, while some servers have another path, one that
/// follows from the name of the server that is checked (measured, 2.6.12: a check knows srv_name).
/// The default stands last, which without_servers() and servers_of() rely on.
std::string asked_path(const Backend& backend) {
  const auto path = backend.health_path.empty() ? std::string("/") : backend.health_path;
  if (backend.older_paths.empty()) return "uri " + path;
  std::string text = "uri-lf \"%[srv_name,";
  for (const auto& [release, older] : backend.older_paths) {
    text += fmt::format("regsub('^.*[.]r{}\\$','{}'),", release, older);
  }
  return text + fmt::format("regsub('^[^/].*\\$','{}')]\"", path);
}

}  // namespace

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
                 "    http-check send meth GET {} ver HTTP/1.1 hdr Host lb.internal\n"
                 "    http-check expect status 200-399\n"
                 "    timeout check {}ms\n"
                 "    default-server {} weight {}\n",
                 backend.name, asked_path(backend), backend.health_timeout_ms,
                 server_options(backend), weight_in_rotation);
  if (backend.answer_timeout_ms) {
    fmt::format_to(out, "    timeout server {}ms\n", *backend.answer_timeout_ms);
  }
  if (backend.sticky) render_sticky(out, *backend.sticky);
  for (const auto& server : backend.servers) {
    fmt::format_to(out, "    server {} {}\n", server.name, endpoint(server.address, server.port));
  }
}

}  // namespace paas::haproxy
