// Reads a stack file: the tree, then its values, then the whole.
#include "stack/parse.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "stack/check.hpp"
#include "stack/read_stack.hpp"

namespace paas::stack {

std::string render(const Problem& problem, const std::string& file_name) {
  auto result = file_name;
  if (problem.line > 0) result += fmt::format(":{}:{}", problem.line, problem.column);
  if (!problem.key_path.empty()) result += ": " + problem.key_path;
  result += ": " + problem.message;
  return problem.hint.empty() ? result : result + "; " + problem.hint;
}

ParseResult parse(std::string_view yaml) {
  auto tree = yaml::read(yaml);
  if (tree.root == nullptr) return {{}, std::move(tree.problems)};
  Reader reader(yaml, std::move(tree.problems));
  ParseResult result;
  result.stack = read_stack(reader, reader.root(tree.root));
  check(reader, result.stack);
  result.problems = std::move(reader).take();
  return result;
}

Result<Stack> parse_or_fail(std::string_view yaml, const std::string& file_name) {
  auto parsed = parse(yaml);
  if (parsed.problems.empty()) return std::move(parsed.stack);
  std::vector<std::string> lines;
  for (const auto& problem : parsed.problems) lines.push_back(render(problem, file_name));
  return fail(ErrorKind::invalid, text::join(lines, "\n"));
}

}  // namespace paas::stack
