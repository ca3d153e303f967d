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

void check_target(Reader& reader, const Stack& stack, const Rule& rule, const std::string& path) {
  const auto* const target = find_service(stack, rule.to);
  if (target == nullptr) {
    reader.report(path + ".to", fmt::format("there is no service {}", show_value(rule.to)),
                  suggest(rule.to, web_names(stack), "the web services"));
  } else if (target->type != ServiceType::web &&
             !reader.is_broken(service_path(*target) + ".type")) {
    reader.report(path + ".to", fmt::format("{} is of type {}", rule.to, to_text(target->type)),
                  "the load balancer serves type web only; " +
                      suggest(rule.to, web_names(stack), "the web services"));
  }
}

/// Whether everything that `second` matches is matched by `first` already.
bool covers(const Rule& first, const Rule& second) {
  const bool host = first.host.empty() || first.host == second.host;
  const auto& path = second.path.empty() ? std::string("/") : second.path;
  return host && path.compare(0, first.path.size(), first.path) == 0;
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
    if (!reader.is_broken(rule_path(i))) check_reachable(reader, rules, i);
  }
}

}  // namespace paas::stack
