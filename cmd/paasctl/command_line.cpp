// Keeps CLI11 away from words that are another program's.
#include "command_line.hpp"

#include <algorithm>
#include <string_view>

#include "command_tree.hpp"

namespace paas::cli {

void read_command_line(Program& program, int argc, const char* const* argv) {
  const auto* const end = argv + argc;
  const auto* const dashes = std::find(argv, end, std::string_view("--"));
  if (dashes == end) return program.app.parse(argc, argv);
  // The whole line first, because only CLI11 knows which command it names.
  try {
    program.app.parse(argc, argv);
  } catch (const CLI::ParseError&) {
    if (!program.verbatim.contains(&named_command(program.app))) throw;
  }
  const auto found = program.verbatim.find(&named_command(program.app));
  if (found == program.verbatim.end()) return;
  // Then without the words behind the dashes: CLI11 takes "[a,b]" for a list of two words.
  auto& [option, words] = found->second;
  words->clear();
  if (dashes + 1 != end) option->required(false);
  program.app.parse(static_cast<int>(dashes - argv), argv);
  words->insert(words->end(), dashes + 1, end);
}

}  // namespace paas::cli
