// Allowlists for the values of the public rules.
#include <algorithm>

#include "haproxy/allowlist.hpp"
#include "haproxy/values.hpp"

namespace paas::haproxy {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool only(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alphanumeric(c) || others.find(c) != std::string_view::npos;
  });
}

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= name_limit && !host.starts_with('-') && only(host, "-_.");
}

bool is_rule_host(std::string_view host) {
  constexpr std::string_view wildcard = "*.";
  return is_host(host.starts_with(wildcard) ? host.substr(wildcard.size()) : host);
}

bool is_path(std::string_view path) {
  return path.size() <= path_limit && path.starts_with('/') && only(path, "-._~%:@!&+=,;/");
}

bool is_health_path(std::string_view path) {
  return path.size() <= path_limit && path.starts_with('/') && only(path, "-._~%:@!&+=,;/?");
}

bool is_method(std::string_view method) {
  return !method.empty() && method.size() <= name_limit && method.front() != '-' &&
         std::all_of(method.begin(), method.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || c == '-'; });
}

bool is_header_name(std::string_view name) {
  return !name.empty() && name.size() <= name_limit && is_alphanumeric(name.front()) &&
         only(name, "-_") &&
         std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_header_value(std::string_view value) {
  return !value.empty() && value.size() <= name_limit + 1 && only(value, "-._~:/+=,;@!*&|");
}

bool is_redirect_target(std::string_view target) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!target.starts_with(scheme)) continue;
    target.remove_prefix(scheme.size());
    const auto authority = target.substr(0, target.find('/'));
    target.remove_prefix(authority.size());
    if (!is_host(authority.substr(0, authority.find(':'))) || !only(authority, "-_.:")) {
      return false;
    }
    return target.empty() || is_health_path(target);
  }
  return is_health_path(target) && !target.starts_with("//");
}

Status check(const stack::Rule& rule, const std::set<std::string>& backends) {
  if (!rule.host.empty() && !is_rule_host(rule.host)) return refuse("rule host", rule.host);
  if (!rule.path.empty() && !is_path(rule.path)) return refuse("rule path", rule.path);
  if (!rule.exact.empty() && !is_path(rule.exact)) return refuse("rule path", rule.exact);
  for (const auto& method : rule.methods) {
    if (!is_method(method)) return refuse("rule method", method);
  }
  for (const auto& [name, value] : rule.headers) {
    if (!is_header_name(name)) return refuse("rule header", name);
    if (!is_header_value(value)) return refuse("value of a rule's header", value);
  }
  for (const auto& share : rule.split) {
    if (share.weight < 0) return refuse("weight of a service", std::to_string(share.weight));
  }
  PAAS_CHECK(check(rule.limit));
  const auto targets = targets_of(rule);
  for (const auto& target : targets) {
    if (!backends.contains(target)) return refuse("rule to an unknown backend", target);
  }
  if (!rule.redirect) {
    return targets.empty() ? Status(refuse("rule to an unknown backend", "")) : Status();
  }
  if (!targets.empty()) return refuse("rule with a redirect beside", targets.front());
  if (!is_redirect_target(rule.redirect->to)) return refuse("redirect to", rule.redirect->to);
  if (rule.redirect->code < 301 || rule.redirect->code > 308) {
    return refuse("redirect code", std::to_string(rule.redirect->code));
  }
  return {};
}

}  // namespace paas::haproxy
