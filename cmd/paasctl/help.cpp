// Lays help out in two columns, 80 characters wide.
#include "help.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/text.hpp"
#include "command_tree.hpp"

namespace paas::cli {

namespace {

constexpr std::size_t width = 80;
constexpr std::size_t first_column = 26;

/// Words in lines, each but the first behind `indent` blanks.
std::string wrap(const std::string& text, std::size_t indent) {
  std::string result;
  std::size_t column = indent;
  for (const auto& word : text::split(text, ' ')) {
    if (!result.empty() && column + 1 + word.size() > width) {
      result += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!result.empty()) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
  }
  return result;
}

using Rows = std::vector<std::pair<std::string, std::string>>;

std::string section(const std::string& title, const Rows& rows) {
  if (rows.empty()) return "";
  auto text = fmt::format("\n{}:\n", title);
  for (const auto& [name, description] : rows) {
    text += "  " + name;
    // A name that reaches into the second column stands on a line of its own.
    const bool fits = name.size() + 4 <= first_column;
    text += fits ? std::string(first_column - 2 - name.size(), ' ')
                 : "\n" + std::string(first_column, ' ');
    text += wrap(description, first_column) + "\n";
  }
  return text;
}

std::string described(const CLI::Option& option) {
  const auto value = default_of(option);
  return option.get_description() + (value.empty() ? "" : fmt::format(" (default: {})", value));
}

Rows argument_rows(const CLI::App& command) {
  Rows rows;
  for (const auto* option : positionals(command)) {
    rows.emplace_back(option->get_name(), described(*option));
  }
  return rows;
}

Rows option_rows(const CLI::App& command) {
  Rows rows;
  for (const auto* option : command.get_options()) {
    if (!option->get_positional()) rows.emplace_back(option_names(*option), described(*option));
  }
  return rows;
}

Rows command_rows(const CLI::App& command) {
  Rows rows;
  for (const auto* child : shown_commands(command)) {
    auto names = std::vector<std::string>{child->get_name()};
    for (const auto& alias : child->get_aliases()) names.push_back(alias);
    rows.emplace_back(text::join(names, ", "), child->get_description());
  }
  return rows;
}

class HelpFormatter : public CLI::FormatterBase {
 public:
  explicit HelpFormatter(const Program& program) : program_(program) {}

  std::string make_help(const CLI::App* command, std::string, CLI::AppFormatMode) const override {
    const bool root = command->get_parent() == nullptr;
    auto description = command->get_description();
    if (!description.ends_with('.')) description += '.';
    auto text = fmt::format("{}\n\nUsage: {}{}\n", wrap(description, 0), full_name(*command),
                            usage_arguments(program_, *command));
    text += section("Commands", command_rows(*command));
    text += section("Arguments", argument_rows(*command));
    text += topics(*command);
    text += section(root ? "Global options" : "Options", option_rows(*command));
    if (root) return text + "\n" + footer_of_root(*command);
    text += "\nExamples:\n" + text::join(examples_of(*command), "\n") + "\n";
    return text + "\n" + global_options(*command);
  }

 private:
  static std::string footer_of_root(const CLI::App& root) {
    std::string text;
    for (const auto& line : text::lines(root.get_footer())) text += wrap(line, 0) + "\n";
    return text;
  }

  std::string topics(const CLI::App& command) const {
    const auto manual = program_.manuals.find(&command);
    if (manual == program_.manuals.end()) return "";
    Rows rows;
    for (const auto& topic : manual->second.topics) rows.emplace_back(topic.name, topic.summary);
    return section(manual->second.title, rows);
  }

  std::string global_options(const CLI::App& command) const {
    std::string text;
    const auto formats = program_.formats.find(&command);
    if (formats != program_.formats.end() && !formats->second.empty()) {
      text += fmt::format("--output (-o) may be {}.\n", output_formats(program_, command));
    }
    return text + "Global options, such as --file FILE and --quiet: see `paasctl --help`.\n";
  }

  const Program& program_;
};

}  // namespace

std::string usage_arguments(const Program& program, const CLI::App& command) {
  std::string text = " [OPTIONS]";
  const auto commands = shown_commands(command);
  // A command that does something by itself need not be followed by another.
  const bool alone = program.formats.contains(&command);
  if (!commands.empty()) text += alone ? " [COMMAND]" : " COMMAND";
  for (const auto* option : positionals(command)) {
    const auto name = option->get_name() + (option->get_items_expected_max() > 1 ? " ..." : "");
    text += option->get_required() ? " " + name : " [" + name + "]";
  }
  return text;
}

std::string output_formats(const Program& program, const CLI::App& command) {
  std::vector<std::string> formats = {"text"};
  if (const auto found = program.formats.find(&command); found != program.formats.end()) {
    formats.insert(formats.end(), found->second.begin(), found->second.end());
  }
  const auto last = formats.back();
  formats.pop_back();
  return formats.empty() ? last : text::join(formats, ", ") + " or " + last;
}

std::shared_ptr<CLI::FormatterBase> help_formatter(const Program& program) {
  return std::make_shared<HelpFormatter>(program);
}

}  // namespace paas::cli
