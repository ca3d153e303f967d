// `paasctl __man`: the man pages, from the same source as the help.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

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

struct Entry {
  std::string name;  ///< Roff.
  std::string text;
};

std::string entries_section(const std::string& title, const std::string& introduction,
                            const std::vector<Entry>& entries) {
  auto text = fmt::format(".SH {}\n{}", title, introduction);
  for (const auto& [name, meaning] : entries) {
    text += fmt::format(".TP\n{}\n{}\n", name, roff(meaning));
  }
  return text;
}

std::string exit_status_section(const Program& program, const CLI::App& command) {
  // Such a command ends as the program does that it runs.
  const bool runs_another = program.verbatim.contains(&command);
  std::vector<Entry> entries;
  if (!runs_another) entries.push_back({".B 0", "Done."});
  entries.push_back({".B 1", "Failed."});
  if (!runs_another) {
    entries.push_back({".B 2", "Changes are pending; only with --detailed-exitcode."});
  }
  entries.insert(entries.end(), {{".B 64", "The command line is wrong."},
                                 {".B 65", "The stack file or the lockfile is wrong."},
                                 {".B 69", "A service is unreachable."},
                                 {".B 75", "Another run holds the guard."},
                                 {".B 77", "Not authorised: a token or key is missing or refused."},
                                 {".B 130", "Interrupted."}});
  return entries_section("EXIT STATUS",
                         runs_another ? "That of the command that was run, and 255 when the "
                                        "connection to the server breaks.\nWhere none was run:\n"
                                      : "",
                         entries);
}

std::string environment_section() {
  return entries_section(
      "ENVIRONMENT", "",
      {{".BR DIGITALOCEAN_ACCESS_TOKEN , \" \" DIGITALOCEAN_TOKEN",
        "The token for the API with cloud: digitalocean; the first of the two that is set."},
       {".B DIGITALOCEAN_API_URL",
        "Where the API is, instead of https://api.digitalocean.com; `paasctl cloud env` prints "
        "what a local cloud needs."},
       {".B DOCKER_HOST", "This machine's Docker Engine, as unix://SOCKET."},
       {".B PAASCTL_KEY",
        "The key that opens the lockfile's secrets, in base64, instead of the one in a file."},
       {".B SSL_CERT_FILE",
        "A file of authorities' certificates, in PEM, to trust at the API beside the system's "
        "folder of them."},
       {".B XDG_CONFIG_HOME", "Where keys are kept; ~/.config without it."},
       {".B XDG_STATE_HOME",
        "Where the local cloud is kept, and what was seen of lockfiles; ~/.local/state without "
        "it."},
       {".B NO_COLOR", "Set, it does what --no-color does; so does TERM=dumb."}});
}

std::string files_section() {
  return entries_section(
      "FILES", "",
      {{".I paas.yaml", "The stack file; see paas.yaml(5)."},
       {".I paas.lock",
        "Beside it, and of its name: what was applied and made, with sealed secrets. Keep it "
        "with the stack file."},
       {".I paas.lock.backup", "The lockfile before the last run that changed it."},
       {".I paas.lock.guard", "Held by the run that is at work on the stack; empty otherwise."},
       {".I .paas/hooks",
        "Beside the stack file, programs that run when containers are made again: pre-deploy, "
        "post-deploy and deploy-failed on this machine, and pre-release.SERVICE on a server, in a "
        "container of a new release before it starts anywhere."},
       {".I $XDG_CONFIG_HOME/paasctl/keys/LINEAGE",
        "The key of the lockfile with that lineage, for its owner only."},
       {".I paas.lock.replaced-TIME", "What was there before `paasctl state rebuild`."},
       {".I $XDG_STATE_HOME/paasctl/lockfiles",
        "The newest serial that was seen of each lockfile, so that an older one is noticed."},
       {".I $XDG_STATE_HOME/paasctl/cloud", "The local cloud of cloud: local."}});
}

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

std::string document_section(const Program& program, const CLI::App& command) {
  const auto found = program.documents.find(&command);
  if (found == program.documents.end()) return "";
  std::vector<Entry> entries;
  for (const auto& [path, meaning] : found->second.members) {
    entries.push_back({".B " + roff(path), std::string(meaning) + "."});
  }
  return entries_section("JSON", roff(found->second.introduction) + "\n", entries);
}

std::string manual_section(const Program& program, const CLI::App& command) {
  const auto found = program.manuals.find(&command);
  if (found == program.manuals.end()) return "";
  const auto& manual = found->second;
  std::string introduction;
  for (const auto& paragraph : manual.introduction) {
    introduction += (introduction.empty() ? "" : ".PP\n") + roff(paragraph) + "\n";
  }
  std::vector<Entry> entries;
  for (const auto& topic : manual.topics) {
    entries.push_back({".B " + roff(topic.name), topic.summary + ".\n" + topic.details});
  }
  auto title = manual.title;
  std::transform(title.begin(), title.end(), title.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
  return entries_section(title, introduction, entries);
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
  text += commands_section(command) + manual_section(program, command);
  text += options_section(command, command.get_parent() == nullptr ? "GLOBAL OPTIONS" : "OPTIONS");
  if (command.get_parent() != nullptr) text += options_section(root, "GLOBAL OPTIONS");
  text += output_section(program, command) + document_section(program, command);
  text += examples_section(command);
  text += exit_status_section(program, command);
  if (command.get_parent() == nullptr) text += environment_section() + files_section();
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
