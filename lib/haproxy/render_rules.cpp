// The rules of the public frontend: conditions, and where requests go.
#include <fmt/format.h>

#include "base/text.hpp"
#include "haproxy/render.hpp"

namespace paas::haproxy {

namespace {

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

}  // namespace

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

}  // namespace paas::haproxy
