// Reads, dumps and edits whatever may be a stack file.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "fuzz/property.hpp"
#include "fuzz/targets.hpp"
#include "stack/edit.hpp"
#include "stack/parse.hpp"

namespace paas::fuzz {

namespace {

void check_problems(const stack::ParseResult& parsed, std::string_view input) {
  const auto lines = std::count(input.begin(), input.end(), '\n') +
                     std::count(input.begin(), input.end(), '\r') + 1;
  for (const auto& problem : parsed.problems) {
    demand(!problem.message.empty(), "a problem says nothing");
    demand(problem.line >= 0 && problem.line <= lines + 1, "a problem is behind the file's end");
    const auto shown = stack::render(problem, "paas.yaml");
    demand(std::none_of(shown.begin(), shown.end(),
                        [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }),
           "a message has a control character: " + shown);
  }
}

void check_dump(const stack::Stack& stack) {
  const auto dumped = stack::to_json(stack);
  const auto again = stack::parse(dumped);
  demand(again.problems.empty(),
         again.problems.empty() ? "" : "the dump is refused: " + again.problems.front().message);
  demand(again.stack == stack, "the dump is another stack");
  demand(stack::to_json(again.stack) == dumped, "the dump of the dump is another");
}

/// The edited text, when the edit was made; it has to be a stack file then.
std::optional<stack::Stack> result_of(const Result<std::string>& edited) {
  if (!edited) return std::nullopt;
  auto parsed = stack::parse(*edited);
  demand(parsed.problems.empty(), "an edit makes a file that is refused: " + *edited);
  return std::move(parsed.stack);
}

const stack::Service& service_of(const stack::Stack& stack, const std::string& name) {
  const auto* found = stack::find_service(stack, name);
  demand(found != nullptr, "an edit loses the service " + name);
  return *found;
}

void check_link_edits(const stack::Stack& stack, std::string_view text) {
  for (const auto& service : stack.services) {
    for (std::size_t index = 0; index < service.links.size(); ++index) {
      const auto& link = service.links[index];
      demand(stack::has_link(text, service.name, link), "a link is not found");
      const auto removed = stack::remove_link(text, service.name, link.to);
      const auto without = result_of(removed);
      if (!without) continue;
      auto expected = stack;
      auto& links =
          expected.services[static_cast<std::size_t>(&service - stack.services.data())].links;
      links.erase(links.begin() + static_cast<std::ptrdiff_t>(index));
      demand(*without == expected, "removing a link changes something else: " + *removed);
      const auto with = result_of(stack::add_link(*removed, service.name, link));
      if (!with) continue;
      links.push_back(link);
      demand(*with == expected, "adding a link changes something else");
      demand(service_of(*with, service.name).links.back() == link, "the link is another one");
    }
  }
}

void check_rule_edits(const stack::Stack& stack, std::string_view text) {
  if (!stack.lb) return;
  for (std::size_t index = 0; index < stack.lb->rules.size(); ++index) {
    const auto position = static_cast<int>(index) + 1;
    const auto removed = stack::remove_rule(text, position);
    const auto without = result_of(removed);
    if (!without) continue;
    auto expected = stack;
    auto& rules = expected.lb->rules;
    rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(index));
    demand(*without == expected, "removing a rule changes something else: " + *removed);
    const auto with = result_of(stack::add_rule(*removed, stack.lb->rules[index], position));
    demand(!with || *with == stack, "a rule that is removed and added again makes a difference");
  }
}

}  // namespace

void stack_file(std::string_view input) {
  const auto parsed = stack::parse(input);
  check_problems(parsed, input);
  if (!parsed.problems.empty()) return;
  check_dump(parsed.stack);
  check_link_edits(parsed.stack, input);
  check_rule_edits(parsed.stack, input);
}

}  // namespace paas::fuzz
