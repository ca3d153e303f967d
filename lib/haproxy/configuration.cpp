// Renders haproxy.cfg for HAProxy 2.6 and later.
#include "haproxy/configuration.hpp"

#include <fmt/format.h>

#include <iterator>

#include "haproxy/mark.hpp"
#include "haproxy/render.hpp"
#include "haproxy/values.hpp"

namespace paas::haproxy {

Result<std::string> render(const Setup& setup) {
  PAAS_CHECK(check(setup));
  std::string result = fmt::format(
      "# The load balancer of the stack {}. Made by paasctl; changes are overwritten.\n",
      setup.stack);
  const auto out = std::back_inserter(result);
  render_preamble(out, setup);
  render_peers(out, setup);
  render_public(out, setup);
  for (const auto& backend : setup.backends) {
    render_internal(out, backend, setup.private_address);
  }
  for (const auto& backend : setup.backends) render_backend(out, backend);
  if (setup.tls) render_challenges(out, *setup.tls);
  if (!setup.listen.empty()) {
    render_answers(out, setup.rules);
    render_limit_tables(out, setup);
    render_maintenance_switch(out, setup);
  }
  return marked(result);
}

}  // namespace paas::haproxy
