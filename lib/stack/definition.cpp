// Takes a service's release out of a stack and puts it back.
#include "stack/definition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "stack/parse.hpp"
#include "stack/read_stack.hpp"

namespace paas::stack {

namespace {

using Rules = std::vector<Rule>;

/// Whether they take the same requests, whatever becomes of those.
bool have_same_conditions(Rule left, const Rule& right) {
  left.to = right.to;
  left.split = right.split;
  left.redirect = right.redirect;
  left.limit = right.limit;
  return left == right;
}

/// Where a rule goes that stood before none that is still there.
Rules::iterator last_place(Rules& rules) {
  return std::find_if(rules.begin(), rules.end(), matches_everything);
}

Rules with_rules(Rules rules, const Definition& definition) {
  const auto& name = definition.service.name;
  const auto is_own = [&](const Rule& rule) { return leads_to(rule, name); };
  const auto first = std::find_if(rules.begin(), rules.end(), is_own);
  const bool had_any = first != rules.end();
  // Only others stand before it, so its place stays when the service's own rules are gone.
  auto place = static_cast<std::size_t>(first - rules.begin());
  std::erase_if(rules, is_own);
  for (const auto& placed : definition.rules) {
    const auto& rule = placed.rule;
    const auto& before = placed.before;
    const auto other = std::find_if(rules.begin(), rules.end(), [&](const Rule& candidate) {
      return have_same_conditions(candidate, rule);
    });
    if (other != rules.end()) {
      *other = rule;
      continue;
    }
    auto next = before ? std::find(rules.begin(), rules.end(), *before) : rules.end();
    if (next == rules.end() && before && had_any) {
      next = rules.begin() + static_cast<std::ptrdiff_t>(place++);
    } else if (next == rules.end()) {
      next = last_place(rules);
    }
    rules.insert(next, rule);
  }
  return rules;
}

/// A service with what a release has of `defined`, and what belongs to its servers and its data of
/// `now`.
Service merged(const Service& now, const Service& defined) {
  auto result = defined;
  result.type = now.type;
  result.size = now.size;
  result.scale = now.scale;
  result.volume = now.volume;
  result.credentials = now.credentials;
  result.allow = now.allow;
  result.outbound = now.outbound;
  return result;
}

Service* find(Stack& stack, const std::string& name) {
  const auto found = std::find_if(stack.services.begin(), stack.services.end(),
                                  [&](const Service& service) { return service.name == name; });
  return found == stack.services.end() ? nullptr : &*found;
}

/// Gives the service an image of that name, or of a name of its own where others use that one for
/// another image.
void set_image(Stack& stack, Service& service, std::string name, const ImageSource& image) {
  const bool is_shared = std::any_of(
      stack.services.begin(), stack.services.end(),
      [&](const Service& other) { return other.image == name && other.name != service.name; });
  const auto there = stack.images.find(name);
  if (is_shared && there != stack.images.end() && there->second != image) {
    name = service.name + "-image";
    while (stack.images.contains(name) && stack.images.at(name) != image) name += "-2";
  }
  stack.images[name] = image;
  service.image = std::move(name);
}

}  // namespace

Definition definition_of(const Stack& stack, const Service& service) {
  Definition definition;
  definition.service = service;
  if (const auto image = stack.images.find(service.image); image != stack.images.end()) {
    definition.image = image->second;
  }
  if (!stack.lb) return definition;
  const auto& rules = stack.lb->rules;
  for (auto rule = rules.begin(); rule != rules.end(); ++rule) {
    if (!leads_to(*rule, service.name)) continue;
    auto& placed = definition.rules.emplace_back(PlacedRule{*rule, std::nullopt});
    const auto next = std::find_if(
        rule, rules.end(), [&](const Rule& other) { return !leads_to(other, service.name); });
    if (next != rules.end()) placed.before = *next;
  }
  return definition;
}

Stack with_image(Stack stack, const std::string& service, const ImageSource& image) {
  if (auto* declared = find(stack, service)) set_image(stack, *declared, declared->image, image);
  return stack;
}

Result<Stack> with_definition(const Stack& stack, const Definition& definition) {
  const auto& name = definition.service.name;
  auto result = stack;
  auto* service = find(result, name);
  if (service == nullptr) {
    return fail(ErrorKind::not_found, fmt::format("the stack has no service {} any more", name));
  }
  if (service->type != definition.service.type) {
    return fail(ErrorKind::invalid,
                fmt::format("{} was of type {} then, and is {} now", name,
                            to_text(definition.service.type), to_text(service->type)));
  }
  *service = merged(*service, definition.service);
  set_image(result, *service, definition.service.image, definition.image);
  if (result.lb) result.lb->rules = with_rules(std::move(result.lb->rules), definition);
  return parse_or_fail(to_json(result), name);
}

Result<Definition> parse_definition(std::string_view json) {
  auto tree = yaml::read(json);
  if (tree.root == nullptr) return fail(ErrorKind::invalid, "what defines a release is no map");
  Reader reader(json, std::move(tree.problems));
  const auto root = reader.fields(reader.root(tree.root), {"name", "service", "image", "rules"});
  Definition definition;
  for (const auto* key : {"name", "service", "image", "rules"}) {
    if (!root.contains(key)) reader.missing(std::string(key), "");
  }
  if (root.size() == 4) {
    const auto name = reader.value(root.at("name"), parse_name).value_or("");
    definition.service = read_service(reader, name, root.at("service"));
    definition.image = read_image(reader, root.at("image"));
    for (const auto& item : reader.items(root.at("rules"))) {
      const auto placed = reader.fields(item, {"rule", "before"});
      if (!placed.contains("rule")) continue;
      auto& rule = definition.rules.emplace_back();
      rule.rule = read_rule(reader, placed.at("rule"));
      if (placed.contains("before")) rule.before = read_rule(reader, placed.at("before"));
    }
  }
  const auto problems = std::move(reader).take();
  if (problems.empty()) return definition;
  return fail(ErrorKind::invalid, render(problems.front(), "the definition of a release"));
}

}  // namespace paas::stack
