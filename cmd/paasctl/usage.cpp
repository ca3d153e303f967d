// Words for what CLI11 refuses.
#include "usage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.hpp"
#include "command_tree.hpp"

namespace paas::cli {

namespace {

std::string help_hint(const CLI::App& command) {
  return fmt::format("`{} --help` shows how it is used", full_name(command));
}

std::string meant_or(const std::optional<std::string>& meant, std::string otherwise) {
  return meant ? fmt::format("did you mean {}?", *meant) : std::move(otherwise);
}

/// The long options of a command and of all above it.
std::vector<std::string> option_names_for(const CLI::App& command) {
  std::vector<std::string> names;
  for (const auto* at = &command; at != nullptr; at = at->get_parent()) {
    for (const auto* option : at->get_options()) {
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

Error unknown_word(const CLI::App& command, const std::string& word) {
  if (word.starts_with('-') && word.size() > 1) {
    const auto name = word.substr(0, word.find('='));
    const auto near = text::nearest(name, option_names_for(command));
    return make_error(ErrorKind::usage,
                      fmt::format("{} has no option {}", full_name(command), name),
                      meant_or(near, help_hint(command)));
  }
  std::vector<std::string> names;
  for (const auto* child : shown_commands(command)) {
    names.push_back(child->get_name());
    for (const auto& alias : child->get_aliases()) names.push_back(alias);
  }
  if (names.empty()) {
    return make_error(
        ErrorKind::usage,
        fmt::format("\"{}\" is one argument too many for {}", word, full_name(command)),
        help_hint(command));
  }
  return make_error(ErrorKind::usage,
                    fmt::format("there is no command `{} {}`", full_name(command), word),
                    meant_or(text::nearest(word, names),
                             fmt::format("`{} --help` lists the commands", full_name(command))));
}

/// CLI11's sentences in the words of this program; one that is not known stays as it is.
std::string reworded(const CLI::App& command, const std::string& what) {
  const auto before = [&](std::string_view part) { return what.substr(0, what.find(part)); };
  const auto between = [&](std::string_view left, std::string_view right) {
    const auto begin = what.find(left) + left.size();
    return what.substr(begin, what.find(right, begin) - begin);
  };
  const auto has = [&](std::string_view part) { return what.find(part) != std::string::npos; };
  if (what.ends_with(" is required")) {
    return fmt::format("{} needs {}", full_name(command), before(" is required"));
  }
  if (has(" 1 required ") && what.ends_with(" missing")) {
    return fmt::format("{} needs {}", before(":"), between(" 1 required ", " missing"));
  }
  if (has(" not in {") && what.ends_with("}")) {
    auto values = between(" not in {", "}");
    return fmt::format("{} cannot be {}; it is one of {}", before(": "), between(": ", " not in {"),
                       text::replace_all(values, ",", ", "));
  }
  if (has(": Value ") && has(" not in range ")) {
    return fmt::format("{} must be from {}, not {}", before(": "), between(" not in range ", "\n"),
                       between(": Value ", " not in range "));
  }
  if (what.starts_with("Could not convert: ") && has(" = ")) {
    return fmt::format("{} must be a number, not {}", between("Could not convert: ", " = "),
                       between(" = ", "\n"));
  }
  return what;
}

}  // namespace

Error explain(const CLI::App& app, const CLI::ParseError& problem) {
  const auto& command = named_command(app);
  if (dynamic_cast<const CLI::ExtrasError*>(&problem) != nullptr) {
    const auto words = app.remaining(true);
    // An unknown option is named first: what follows it may be its value.
    const auto option = std::find_if(words.begin(), words.end(), [](const std::string& word) {
      return word.starts_with('-') && word.size() > 1;
    });
    if (option != words.end()) return unknown_word(command, *option);
    if (!words.empty()) return unknown_word(command, words.front());
  }
  return make_error(ErrorKind::usage, reworded(command, problem.what()), help_hint(command));
}

}  // namespace paas::cli
