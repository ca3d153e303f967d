// `paasctl __man`: the man pages, from the same source as the help.
#include <fmt/format.h>

#include "base/text.hpp"
#include "command_tree.hpp"
#include "help.hpp"
#include "program.hpp"

namespace paas::cli {

namespace {

/// Text as roff: backslashes, hyphens and leading dots mean something there.
std::string roff(const std::string& text) {
  std::string result;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) result += "\\&";
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
    line_start = c == '\n';
  }
  return result;
}

/// "paasctl-server-up"
std::string page_name(const CLI::App& command) {
  if (command.get_parent() == nullptr) return "paasctl";
  return page_name(*command.get_parent()) + "-" + command.get_name();
}

/// Words in capitals stand for something else, which man pages show in italics.
std::string synopsis(const Program& program, const CLI::App& command) {
  auto text = fmt::format(".B {}\n", roff(full_name(command)));
  for (auto word : text::split(std::string(text::trim(usage_arguments(program, command))), ' ')) {
    const auto begin = word.find_first_not_of("[");
    const auto end = word.find_last_not_of("].") + 1;
    if (begin < end) {
      word = roff(word.substr(0, begin)) + "\\fI" + roff(word.substr(begin, end - begin)) + "\\fR" +
             roff(word.substr(end));
    }
    // On one line: a line that begins with a point, as "..." does, would be a request.
    text += word + " ";
  }
  text.back() = '\n';
  return text;
}

std::string option_entry(const CLI::Option& option) {
  std::string names;
  for (const auto& name : option.get_snames()) names += fmt::format("\\fB\\-{}\\fR, ", roff(name));
  for (const auto& name : option.get_lnames())
    names += fmt::format("\\fB\\-\\-{}\\fR, ", roff(name));
  if (option.get_positional()) names = fmt::format("\\fI{}\\fR, ", roff(option.get_name()));
  names.resize(names.size() - 2);
  if (!option.get_positional() && option.get_items_expected_max() > 0) {
    names += fmt::format(" \\fI{}\\fR", roff(placeholder(option)));
  }
  auto entry = fmt::format(".TP\n{}\n{}.\n", names, roff(option.get_description()));
  if (const auto value = default_of(option); !value.empty()) {
    entry += fmt::format("The default is \\fB{}\\fR.\n", roff(value));
  }
  return entry;
}

std::string options_section(const CLI::App& command, const std::string& title) {
  std::string entries;
  for (const auto* option : command.get_options()) {
    if (!option->check_name("--help")) entries += option_entry(*option);
  }
  return entries.empty() ? "" : fmt::format(".SH {}\n{}", title, entries);
}

std::string examples_section(const CLI::App& command) {
  std::string lines;
  for (const auto& line : examples_of(command)) lines += roff(std::string(text::trim(line))) + "\n";
  return fmt::format(".SH EXAMPLES\n.nf\n{}.fi\n", lines);
}

std::string commands_section(const CLI::App& command) {
  const auto commands = shown_commands(command);
  if (commands.empty()) return "";
  std::string text = ".SH COMMANDS\n";
  for (const auto* child : commands) {
    text += fmt::format(".TP\n.BR {} (1)\n{}.\n", roff(page_name(*child)),
                        roff(child->get_description()));
  }
  return text;
}

std::string aliases_section(const CLI::App& command) {
  if (command.get_aliases().empty()) return "";
  return fmt::format(".PP\n\\fB{}\\fR is another name of it.\n",
                     roff(fmt::format("{}", fmt::join(command.get_aliases(), ", "))));
}

std::string lower_first(std::string text) {
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z' && (text.size() < 2 || text[1] > 'Z')) {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  if (text.ends_with('.')) text.pop_back();
  return text;
}

constexpr auto exit_status_section =
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\nDone.\n"
    ".TP\n.B 1\nFailed.\n"
    ".TP\n.B 2\nChanges are pending; only from\n.BR \"paasctl plan \\-\\-detailed\\-exitcode\" .\n"
    ".TP\n.B 64\nThe command line is wrong.\n"
    ".TP\n.B 65\nThe stack file or the lockfile is wrong.\n"
    ".TP\n.B 69\nA service is unreachable.\n"
    ".TP\n.B 75\nAnother run holds the guard.\n"
    ".TP\n.B 77\nNot authorised.\n"
    ".TP\n.B 130\nInterrupted.\n";

/// The pages of the group that the command is in, of its own commands, and of the stack file.
std::string see_also_section(const CLI::App& command) {
  std::vector<std::string> pages;
  if (command.get_parent() != nullptr) {
    pages.push_back(page_name(*command.get_parent()) + " (1)");
    for (const auto* sibling : shown_commands(*command.get_parent())) {
      const bool in_group = command.get_parent()->get_parent() != nullptr;
      if (in_group && sibling != &command) pages.push_back(page_name(*sibling) + " (1)");
    }
  }
  for (const auto* child : shown_commands(command)) pages.push_back(page_name(*child) + " (1)");
  pages.emplace_back("paas.yaml (5)");
  std::string text = ".SH SEE ALSO\n";
  for (const auto& page : pages) {
    text += fmt::format(".BR {}{}\n", roff(page), &page == &pages.back() ? "" : " ,");
  }
  return text;
}

std::string output_section(const Program& program, const CLI::App& command) {
  const auto formats = program.formats.find(&command);
  if (formats == program.formats.end() || formats->second.empty()) return "";
  return fmt::format(".SH OUTPUT\n.B \\-\\-output\nmay be {}.\n",
                     roff(output_formats(program, command)));
}

std::string page(const Program& program, const CLI::App& command) {
  const auto& root = program.app;
  const auto name = page_name(command);
  auto text = fmt::format(".TH {} 1 {} \"paasctl {}\" \"paasctl manual\"\n", roff(name),
                          PAASCTL_RELEASED, PAASCTL_VERSION);
  text += fmt::format(".SH NAME\n{} \\- {}\n", roff(name),
                      roff(lower_first(command.get_description())));
  text += ".SH SYNOPSIS\n" + synopsis(program, command);
  auto sentence = command.get_description();
  if (!sentence.ends_with('.')) sentence += '.';
  text += fmt::format(".SH DESCRIPTION\n{}\n", roff(sentence)) + aliases_section(command);
  text += commands_section(command);
  text += options_section(command, command.get_parent() == nullptr ? "GLOBAL OPTIONS" : "OPTIONS");
  if (command.get_parent() != nullptr) text += options_section(root, "GLOBAL OPTIONS");
  text += output_section(program, command) + examples_section(command);
  text += exit_status_section;
  text += see_also_section(command);
  return text;
}

Status write_pages(Program& program, const CLI::App& command, const std::string& folder) {
  PAAS_CHECK(program.ports.files.write_atomically(
      fmt::format("{}/{}.1", folder, page_name(command)), page(program, command), 0644));
  for (const auto* child : shown_commands(command)) {
    PAAS_CHECK(write_pages(program, *child, folder));
  }
  return {};
}

struct Options {
  std::string folder;
};

Result<int> run(Program& program, const Options& options) {
  PAAS_CHECK(program.ports.files.make_directories(options.folder, 0755));
  PAAS_CHECK(write_pages(program, program.app, options.folder));
  return exit_done;
}

}  // namespace

void register_man(Program& program) {
  auto* hidden = add_command<Options>(
      program, program.app, "__man", "Write the man pages",
      [](CLI::App& command, Options& options) {
        command.add_option("FOLDER", options.folder, "Where to")->required();
      },
      run, "  paasctl __man man");
  hidden->group("");
}

}  // namespace paas::cli
