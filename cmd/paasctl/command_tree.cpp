// Reads CLI11's declarations; its own words for types are not for people.
#include "command_tree.hpp"

#include "base/text.hpp"

namespace paas::cli {

std::string full_name(const CLI::App& command) {
  if (command.get_parent() == nullptr) return command.get_name();
  return full_name(*command.get_parent()) + " " + command.get_name();
}

std::vector<const CLI::App*> shown_commands(const CLI::App& command) {
  std::vector<const CLI::App*> result;
  for (const auto* child : command.get_subcommands([](const CLI::App*) { return true; })) {
    if (!child->get_group().empty()) result.push_back(child);
  }
  return result;
}

std::vector<const CLI::Option*> positionals(const CLI::App& command) {
  std::vector<const CLI::Option*> result;
  for (const auto* option : command.get_options()) {
    if (option->get_positional()) result.push_back(option);
  }
  return result;
}

/// CLI11 tells the type as "FORMAT:{text,json}" or "N:INT in [1 - 100]".
std::string placeholder(const CLI::Option& option) {
  if (option.get_items_expected_max() == 0) return "";
  const auto type = option.get_type_name();
  return type.substr(0, type.find(':'));
}

std::vector<std::string> allowed_values(const CLI::Option& option) {
  const auto type = option.get_type_name();
  const auto open = type.find('{');
  const auto close = type.rfind('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return {};
  return text::split(type.substr(open + 1, close - open - 1), ',');
}

std::string option_names(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const auto& name : option.get_snames()) names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) names.push_back("--" + name);
  const auto value = placeholder(option);
  return text::join(names, ", ") + (value.empty() ? "" : " " + value);
}

std::string default_of(const CLI::Option& option) {
  const auto value = option.get_default_str();
  return value == "\"\"" || value == "[]" || value == "{}" ? "" : value;
}

std::vector<std::string> examples_of(const CLI::App& command) {
  const std::string heading = "Examples:\n";
  const auto footer = command.get_footer();
  if (footer.starts_with(heading)) return text::lines(footer.substr(heading.size()));
  std::vector<std::string> result;
  for (const auto* child : shown_commands(command)) {
    const auto lines = examples_of(*child);
    // Groups of a group would make this a list of everything.
    if (!lines.empty() && child->get_footer().starts_with(heading)) result.push_back(lines.front());
  }
  return result;
}

const CLI::App& named_command(const CLI::App& app) {
  const CLI::App* current = &app;
  while (!current->get_subcommands().empty()) current = current->get_subcommands().back();
  return *current;
}

}  // namespace paas::cli
