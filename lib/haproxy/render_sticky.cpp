// Clients that are sent to the server of before.
//
// HAProxy's own cookie does not know servers that were added at run time (FACTS.md), and a
// consistent hash moves clients of servers that stay whenever another one comes or goes. So each
// service has a table of its clients (measured, 2.6.12): a server that is added takes none of them
// away; one that drains keeps those that it has, so that their sessions end in peace; of one that
// is in maintenance or gone they go to another and stay there. At a reload the old process hands
// the table to the new one within milliseconds, as to a peer, unless it was started less than five
// seconds ago and still looks for a peer itself.
#include <fmt/format.h>

#include <algorithm>

#include "haproxy/render.hpp"

namespace paas::haproxy {

namespace {

using stack::Sticky;

/// Where the old process reaches the new one at a reload: a port that nothing else listens on. The
/// processes have left the file system behind, so a socket's path would not do.
int peer_port(const Setup& setup) {
  const auto is_taken = [&](int port) {
    return std::find(setup.listen.begin(), setup.listen.end(), port) != setup.listen.end() ||
           std::any_of(setup.backends.begin(), setup.backends.end(),
                       [&](const Backend& backend) { return backend.internal_port == port; });
  };
  int port = 19999;
  while (is_taken(port)) --port;
  return port;
}

}  // namespace

bool is_any_sticky(const Setup& setup) {
  return std::any_of(setup.backends.begin(), setup.backends.end(),
                     [](const Backend& backend) { return backend.sticky.has_value(); });
}

/// A digest is as long for each value, and shows nobody the cookies of others.
std::string sticky_key(const Sticky& sticky) {
  switch (sticky.by) {
    case Sticky::By::source:
      return "src";
    case Sticky::By::cookie:
      return fmt::format("req.cook({}),sha1", sticky.name);
    case Sticky::By::header:
      return fmt::format("req.fhdr({}),sha1", sticky.name);
  }
  return "src";
}

void render_sticky(Output out, const Sticky& sticky) {
  fmt::format_to(out,
                 "    stick-table type {} size 100k expire {}s peers local\n"
                 "    stick on {}\n",
                 sticky.by == Sticky::By::source ? "ipv6" : "binary len 20", sticky.keep_seconds,
                 sticky_key(sticky));
  // A client comes with the cookie to the server that gave it out.
  if (sticky.by == Sticky::By::cookie) {
    fmt::format_to(out, "    stick store-response res.cook({}),sha1\n", sticky.name);
  }
}

void render_peers(Output out, const Setup& setup) {
  if (!is_any_sticky(setup)) return;
  fmt::format_to(out, "\npeers local\n    peer lb 127.0.0.1:{}\n", peer_port(setup));
}

}  // namespace paas::haproxy
