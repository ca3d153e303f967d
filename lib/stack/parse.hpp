// Reads a stack file: YAML with positions, all problems at once, nearest names as hints.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "stack/model.hpp"

namespace paas::stack {

/// One thing wrong in a stack file.
struct Problem {
  int line = 0;          ///< From 1; 0 when the whole file is meant.
  int column = 0;        ///< From 1.
  std::string key_path;  ///< "services.web.port"
  std::string message;
  std::string hint;
};

/// "paas.yaml:3:5: services.web.prot: unknown key; did you mean \"port\"?"
std::string render(const Problem& problem, const std::string& file_name);

struct ParseResult {
  Stack stack;                    ///< Meaningful only without problems.
  std::vector<Problem> problems;  ///< In the order of the file.
};

/// Caps: 1 MiB, depth 32, 50,000 nodes, 100 aliases; duplicate keys are refused. Checks names,
/// ranges, references, circles of links: everything that needs no file beside the stack file.
ParseResult parse(std::string_view yaml);

/// parse() as an Error of kind invalid whose message has one line a problem.
Result<Stack> parse_or_fail(std::string_view yaml, const std::string& file_name);

/// The stack as JSON text with every default written out, keys in a fixed order; parse() reads it
/// back to an equal value (JSON is YAML). This is what the lockfile holds.
std::string to_json(const Stack& stack);

}  // namespace paas::stack
