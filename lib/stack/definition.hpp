// What of a stack a release of one service is made of: the part that a rollback restores.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "stack/model.hpp"

namespace paas::stack {

/// A rule of the load balancer, and where it stood.
struct PlacedRule {
  Rule rule;
  /// The next rule behind it that does not lead to the same service; none: it stood last.
  std::optional<Rule> before;
  friend bool operator==(const PlacedRule&, const PlacedRule&) = default;
};

/// A service as it was declared, with its image and the rules that lead to it.
struct Definition {
  Service service;
  ImageSource image;
  std::vector<PlacedRule> rules;  ///< In their order.
  friend bool operator==(const Definition&, const Definition&) = default;
};

Definition definition_of(const Stack& stack, const Service& service);

/// The stack with the service as it was defined: image, port, command, environment, health, links
/// and rules. What belongs to its servers and its data stays as the stack says: size, numbers,
/// volume, credentials, who is let in. A rule takes the place of one that matches the same and
/// leads elsewhere now. Any other returns before the one that it stood before; where that is gone,
/// it takes the place of the service's first rule of now, or comes before the rule that matches
/// everything. Error (not_found): the stack has no such service; (invalid): what was
/// defined does not fit the stack any more, as a link to a service that is gone.
Result<Stack> with_definition(const Stack& stack, const Definition& definition);

/// The stack with another image for the service.
Stack with_image(Stack stack, const std::string& service, const ImageSource& image);

/// As JSON text, which parse_definition() reads back to an equal value. Error (invalid): it is
/// something else.
std::string to_json(const Definition& definition);
Result<Definition> parse_definition(std::string_view json);

}  // namespace paas::stack
