// Judges the load balancer's rules: where they lead, and whether they can ever match.
#include <fmt/format.h>

#include <algorithm>

#include "stack/check.hpp"
#include "stack/show.hpp"

namespace paas::stack {

namespace {

std::string rule_path(std::size_t index) { return fmt::format("lb.rules[{}]", index); }

std::vector<std::string> web_names(const Stack& stack) {
  std::vector<std::string> names;
  for (const auto& service : stack.services) {
    if (service.type == ServiceType::web) names.push_back(service.name);
  }
  return names;
}

void check_service(Reader& reader, const Stack& stack, const std::string& name,
                   const std::string& path) {
  const auto* const target = find_service(stack, name);
  if (target == nullptr) {
    reader.report(path, fmt::format("there is no service {}", show_value(name)),
                  suggest(name, web_names(stack), "the web services"));
  } else if (target->type != ServiceType::web &&
             !reader.is_broken(service_path(*target) + ".type")) {
    reader.report(path, fmt::format("{} is of type {}", name, to_text(target->type)),
                  "the load balancer serves type web only; " +
                      suggest(name, web_names(stack), "the web services"));
  }
}

void check_target(Reader& reader, const Stack& stack, const Rule& rule, const std::string& path) {
  if (!rule.to.empty()) check_service(reader, stack, rule.to, path + ".to");
  for (const auto& share : rule.split) {
    check_service(reader, stack, share.service,
                  fmt::format("{}.to.{}", path, show_key(share.service)));
  }
}

/// A redirect to a path of the same host that comes to the same rule again never ends.
void check_redirect(Reader& reader, const std::vector<Rule>& rules, std::size_t index) {
  const auto& redirect = rules[index].redirect;
  // A browser may go on with another method, so one that looks at methods may end.
  if (!redirect || redirect->to.front() != '/' || !rules[index].methods.empty()) return;
  const auto path = redirect->to.substr(0, redirect->to.find('?'));
  const auto takes = [&](const Rule& rule) { return matches_path(rule, path); };
  const auto end = rules.begin() + static_cast<std::ptrdiff_t>(index);
  // A rule before it may take the new path.
  if (!takes(rules[index]) || std::any_of(rules.begin(), end, takes)) return;
  reader.report(rule_path(index) + ".redirect.to", "leads to the same rule again, without end",
                fmt::format("put a rule for {} before it, or redirect from elsewhere", path));
}

void check_reachable(Reader& reader, const std::vector<Rule>& rules, std::size_t index) {
  for (std::size_t i = 0; i < index; ++i) {
    if (reader.is_broken(rule_path(i)) || !covers(rules[i], rules[index])) continue;
    reader.report(rule_path(index), "the rule can never match",
                  fmt::format("the rule in line {} comes first and takes all that it would; the "
                              "more specific one stands first",
                              reader.line_of(rule_path(i))));
    return;
  }
}

/// A rule for the path that the load balancer answers by itself would silently not be asked.
void check_health(Reader& reader, const LoadBalancer& lb, std::size_t index) {
  const auto& health = lb.traffic.health;
  const auto& rule = lb.rules[index];
  if (health.empty() || reader.is_broken("lb.health")) return;
  if (rule.exact != health && rule.path != health) return;
  reader.report(rule_path(index), fmt::format("lb.health answers {} before any rule", health),
                "give one of the two another path");
}

}  // namespace

void check_load_balancer(Reader& reader, const Stack& stack) {
  if (!stack.lb) return;
  const bool types_known =
      std::none_of(stack.services.begin(), stack.services.end(),
                   [&](const Service& service) { return reader.is_broken(service_path(service)); });
  if (web_names(stack).empty() && types_known && !reader.is_broken("services")) {
    reader.report("lb", "there is no service of type web for it to serve",
                  "remove lb, or make a service type: web");
  }
  const auto& rules = stack.lb->rules;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (reader.is_broken(rule_path(i))) continue;
    check_target(reader, stack, rules[i], rule_path(i));
    if (reader.is_broken(rule_path(i))) continue;
    check_reachable(reader, rules, i);
    check_redirect(reader, rules, i);
    check_health(reader, *stack.lb, i);
  }
}

}  // namespace paas::stack
