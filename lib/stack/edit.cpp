// Edits links and rules in place. Whatever the text looks like, the result is read again and must
// be what was meant; otherwise nothing is changed.
#include "stack/edit.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "stack/parse.hpp"
#include "stack/rewrite.hpp"
#include "stack/show.hpp"

namespace paas::stack {

namespace {

using rewrite::Item;

/// A stack file before it is edited.
struct Source {
  std::string_view text;
  Stack stack;
  yaml::NodePtr root;

  /// The entry at a path of keys; nothing when there is none or a part comes from an alias.
  const yaml::Entry* at(const std::vector<std::string>& keys) const {
    const auto* map = root.get();
    const yaml::Entry* entry = nullptr;
    for (const auto& key : keys) {
      entry = yaml::find(*map, key);
      if (entry == nullptr) return nullptr;
      map = entry->value.get();
    }
    return entry;
  }
};

Result<Source> open(std::string_view text) {
  PAAS_TRY(auto stack, parse_or_fail(text, "stack file"));
  return Source{text, std::move(stack), yaml::read(text).root};
}

/// The edited text, when it says what it should.
Result<std::string> finish(const Source& source, const rewrite::Edits& edits, const Stack& meant,
                           const std::string& path) {
  const auto refused = [&]() -> Result<std::string> {
    return fail(ErrorKind::failed,
                fmt::format("{} cannot be edited in place as it is written", path),
                "change it with an editor; nothing was changed");
  };
  if (edits.empty()) return refused();
  auto text = rewrite::apply(source.text, edits);
  const auto parsed = parse(text);
  if (parsed.problems.empty()) {
    return parsed.stack == meant ? Result<std::string>(std::move(text)) : refused();
  }
  // What was asked for is wrong, unless the text itself came out broken.
  const auto& problem = parsed.problems.front();
  if (problem.key_path.empty()) return refused();
  return fail(ErrorKind::invalid, fmt::format("{}: {}", problem.key_path, problem.message),
              problem.hint);
}

Item item_of(const Link& link) {
  if (link.env.empty()) return {link.to, {}};
  Item env;
  for (const auto& [name, value] : link.env) env.entries.push_back({name, {value, {}}});
  return {"", {{"to", {link.to, {}}}, {"env", env}}};
}

Item text_item(const std::string& text) {
  Item item;
  item.text = text;
  return item;
}

Item number(int value) {
  Item item;
  item.text = std::to_string(value);
  item.is_number = true;
  return item;
}

Item target_of(const Rule& rule) {
  if (rule.split.empty()) return text_item(rule.to);
  Item shares;
  for (const auto& share : rule.split)
    shares.entries.push_back({share.service, number(share.weight)});
  return shares;
}

Item item_of(const Redirect& redirect) {
  Item item;
  item.entries.push_back({"to", text_item(redirect.to)});
  if (redirect.code != Redirect{}.code) item.entries.push_back({"code", number(redirect.code)});
  return item;
}

Item item_of(const Rule& rule) {
  Item item;
  const auto put = [&](const std::string& key, Item value) {
    item.entries.push_back({key, std::move(value)});
  };
  if (!rule.host.empty()) put("host", text_item(rule.host));
  if (!rule.path.empty()) put("path", text_item(rule.path));
  if (!rule.exact.empty()) put("exact", text_item(rule.exact));
  Item methods;
  for (const auto& method : rule.methods) methods.items.push_back(text_item(method));
  if (!rule.methods.empty()) put("methods", std::move(methods));
  Item headers;
  for (const auto& [name, value] : rule.headers)
    headers.entries.push_back({name, text_item(value)});
  if (!rule.headers.empty()) put("headers", std::move(headers));
  if (rule.redirect) {
    put("redirect", item_of(*rule.redirect));
  } else {
    put("to", target_of(rule));
  }
  return item;
}

tl::unexpected<Error> no_service(const Stack& stack, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& service : stack.services) names.push_back(service.name);
  return fail(ErrorKind::not_found, fmt::format("there is no service {}", show_value(name)),
              suggest(name, names, "the services"));
}

Service* service_of(Stack& stack, const std::string& name) {
  const auto found = std::find_if(stack.services.begin(), stack.services.end(),
                                  [&](const Service& service) { return service.name == name; });
  return found == stack.services.end() ? nullptr : &*found;
}

auto find_link(std::vector<Link>& links, const std::string& target) {
  return std::find_if(links.begin(), links.end(),
                      [&](const Link& link) { return link.to == target; });
}

/// The style of the first list of links in the file; brackets when there is none.
rewrite::ListStyle links_style(const Source& source) {
  const auto* const services = source.at({"services"});
  for (const auto& service : services->value->entries) {
    const auto* const links = yaml::find(*service.value, "links");
    if (links == nullptr || links->value->items.empty()) continue;
    return links->value->style == yaml::Style::block ? rewrite::ListStyle::block
                                                     : rewrite::ListStyle::flow;
  }
  return rewrite::ListStyle::flow;
}

Result<Source> open_with_lb(std::string_view text) {
  PAAS_TRY(auto source, open(text));
  if (source.stack.lb) return source;
  return fail(ErrorKind::not_found, "the stack has no load balancer",
              "add one to the stack file, such as lb: {listen: [80]}");
}

/// Before the rule that takes all the rest, or at the end.
std::size_t default_index(const std::vector<Rule>& rules) {
  return static_cast<std::size_t>(std::find_if(rules.begin(), rules.end(), matches_everything) -
                                  rules.begin());
}

}  // namespace

bool has_link(std::string_view yaml, const std::string& service, const Link& link) {
  const auto parsed = parse(yaml);
  if (!parsed.problems.empty()) return false;
  const auto* const dependent = find_service(parsed.stack, service);
  if (dependent == nullptr) return false;
  const auto& links = dependent->links;
  return std::find(links.begin(), links.end(), link) != links.end();
}

Result<std::string> add_link(std::string_view yaml, const std::string& service, const Link& link) {
  PAAS_TRY(const auto source, open(yaml));
  auto meant = source.stack;
  auto* const dependent = service_of(meant, service);
  if (dependent == nullptr) return no_service(meant, service);
  if (find_service(meant, link.to) == nullptr) return no_service(meant, link.to);
  auto& links = dependent->links;
  if (find_link(links, link.to) != links.end()) {
    return fail(ErrorKind::exists, fmt::format("{} is linked to {} already", service, link.to),
                fmt::format("to link it with other variables, unlink it first: paasctl deps unlink "
                            "{} {}",
                            service, link.to));
  }
  const auto index = links.size();
  links.push_back(link);
  const auto* const list = source.at({"services", service, "links"});
  const auto edits = list != nullptr
                         ? rewrite::insert_item(yaml, *list, index, item_of(link))
                         : rewrite::add_list(yaml, *source.at({"services", service}), "links",
                                             item_of(link), links_style(source));
  return finish(source, edits, meant, fmt::format("services.{}.links", service));
}

Result<std::string> remove_link(std::string_view yaml, const std::string& service,
                                const std::string& target) {
  PAAS_TRY(const auto source, open(yaml));
  auto meant = source.stack;
  auto* const dependent = service_of(meant, service);
  if (dependent == nullptr) return no_service(meant, service);
  auto& links = dependent->links;
  const auto found = find_link(links, target);
  if (found == links.end()) {
    std::vector<std::string> names;
    for (const auto& link : links) names.push_back(link.to);
    return fail(ErrorKind::not_found,
                fmt::format("{} has no link to {}", service, show_value(target)),
                suggest(target, names, "links"));
  }
  const auto index = static_cast<std::size_t>(found - links.begin());
  links.erase(found);
  const auto* const list = source.at({"services", service, "links"});
  return finish(source, rewrite::remove_item(yaml, *list, index), meant,
                fmt::format("services.{}.links", service));
}

Result<std::string> add_rule(std::string_view yaml, const Rule& rule, std::optional<int> position) {
  PAAS_TRY(const auto source, open_with_lb(yaml));
  auto meant = source.stack;
  for (const auto& target : targets_of(rule)) {
    if (find_service(meant, target) == nullptr) return no_service(meant, target);
  }
  auto& rules = meant.lb->rules;
  // Hosts are compared without regard to case, and read in lower case.
  auto added = rule;
  added.host = text::lower(rule.host);
  if (std::find(rules.begin(), rules.end(), added) != rules.end()) {
    return fail(ErrorKind::exists, "the load balancer has that rule already",
                "`paasctl lb rules` shows them all");
  }
  const auto count = static_cast<int>(rules.size());
  if (position && (*position < 1 || *position > count + 1)) {
    return fail(ErrorKind::usage, fmt::format("a rule cannot be put at position {}", *position),
                fmt::format("positions are 1 to {}", count + 1));
  }
  const auto index = position ? static_cast<std::size_t>(*position - 1) : default_index(rules);
  rules.insert(rules.begin() + static_cast<std::ptrdiff_t>(index), added);
  const auto* const list = source.at({"lb", "rules"});
  const auto edits = list != nullptr ? rewrite::insert_item(yaml, *list, index, item_of(rule))
                                     : rewrite::add_list(yaml, *source.at({"lb"}), "rules",
                                                         item_of(rule), rewrite::ListStyle::block);
  return finish(source, edits, meant, "lb.rules");
}

Result<std::string> remove_rule(std::string_view yaml, int position) {
  PAAS_TRY(const auto source, open_with_lb(yaml));
  auto meant = source.stack;
  auto& rules = meant.lb->rules;
  const auto count = static_cast<int>(rules.size());
  if (position < 1 || position > count) {
    return fail(ErrorKind::not_found, fmt::format("there is no rule {}", position),
                count == 0 ? "the load balancer has no rules"
                           : fmt::format("rules are numbered 1 to {}", count));
  }
  const auto index = static_cast<std::size_t>(position - 1);
  rules.erase(rules.begin() + (position - 1));
  const auto* const list = source.at({"lb", "rules"});
  return finish(source, rewrite::remove_item(yaml, *list, index), meant, "lb.rules");
}

}  // namespace paas::stack
