// `paasctl completion`: scripts for shells, and the candidates they ask for.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.hpp"
#include "command_tree.hpp"
#include "completion_scripts.hpp"
#include "lockfile/codec.hpp"
#include "lockfile/names.hpp"
#include "program.hpp"
#include "stack/parse.hpp"

namespace paas::cli {

namespace {

struct ShellOptions {
  std::string shell;
};

Result<int> print_script(Program& program, const ShellOptions& options) {
  program.print(options.shell == "bash" ? bash_completion : zsh_completion);
  return exit_done;
}

struct CompleteOptions {
  std::vector<std::string> words;  ///< What was typed, the last one up to the cursor.
};

/// What was typed so far, understood as far as it goes.
struct Typed {
  const CLI::App* command = nullptr;
  std::string file = "paas.yaml";
  const CLI::Option* open_option = nullptr;  ///< The option whose value comes next.
  std::size_t positionals = 0;
  bool after_dashes = false;  ///< Behind "--", where nothing is an option any more.
};

/// One line for the shell: what may stand there and what it is.
struct Candidate {
  std::string word;
  std::string description;
};
using Candidates = std::vector<Candidate>;

/// Lines that no word can be, for what the shell completes itself.
constexpr auto any_file = ":files";
constexpr auto any_folder = ":folders";

const CLI::Option* find_option(const CLI::App* command, const std::string& word) {
  for (; command != nullptr; command = command->get_parent()) {
    for (const auto* option : command->get_options()) {
      if (!option->get_positional() && option->check_name(word)) return option;
    }
  }
  return nullptr;
}

const CLI::App* find_command(const CLI::App* parent, const std::string& word) {
  for (const auto* command : parent->get_subcommands([](const CLI::App*) { return true; })) {
    const auto& aliases = command->get_aliases();
    if (command->get_name() == word ||
        std::find(aliases.begin(), aliases.end(), word) != aliases.end()) {
      return command;
    }
  }
  return nullptr;
}

Typed understand(const CLI::App& app, const std::vector<std::string>& words) {
  Typed typed;
  typed.command = &app;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const auto& word = words[i];
    if (typed.open_option != nullptr) {
      if (typed.open_option->check_name("--file")) typed.file = word;
      typed.open_option = nullptr;
    } else if (typed.after_dashes) {
      ++typed.positionals;
    } else if (word == "--") {
      typed.after_dashes = true;
    } else if (word.starts_with("--file=")) {
      typed.file = word.substr(7);
    } else if (word.starts_with('-')) {
      const auto* option = find_option(typed.command, word);
      if (option != nullptr && option->get_items_expected_max() > 0) typed.open_option = option;
    } else if (const auto* command =
                   typed.positionals == 0 ? find_command(typed.command, word) : nullptr) {
      typed.command = command;
    } else {
      ++typed.positionals;
    }
  }
  return typed;
}

std::vector<std::string> services_of(Program& program, const std::string& file) {
  std::vector<std::string> names;
  const auto text = program.ports.files.read(file);
  if (!text) return names;
  const auto parsed = stack::parse(*text);
  for (const auto& service : parsed.stack.services) names.push_back(service.name);
  return names;
}

std::vector<std::string> images_of(Program& program, const std::string& file) {
  std::vector<std::string> names;
  const auto text = program.ports.files.read(file);
  if (!text) return names;
  for (const auto& [name, source] : stack::parse(*text).stack.images) names.push_back(name);
  return names;
}

/// The names of the servers in the lockfile; its secrets are not opened for that.
std::vector<std::string> servers_of(Program& program, const std::string& file) {
  const auto lock = std::filesystem::path(file).replace_extension(".lock").string();
  const auto text = program.ports.files.read(lock);
  if (!text) return {};
  return lockfile::server_names(*text);
}

void add_words(Candidates& candidates, const std::vector<std::string>& words,
               const std::string& description) {
  for (const auto& word : words) candidates.push_back({word, description});
}

/// The argument that stands where the cursor is; null behind the last one.
const CLI::Option* current_argument(const Typed& typed) {
  const auto all = positionals(*typed.command);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == typed.positionals || all[i]->get_items_expected_max() > 1) return all[i];
  }
  return nullptr;
}

/// What an argument's name stands for.
void add_arguments(Program& program, const Typed& typed, Candidates& candidates) {
  const auto* argument = current_argument(typed);
  if (argument == nullptr) return;
  const auto wanted = argument->get_name();
  const auto* parent = typed.command->get_parent();
  const bool of_image = parent != nullptr && parent->get_name() == "image";
  if (const auto topics = program.manuals.find(typed.command);
      wanted == "FAULT" && topics != program.manuals.end()) {
    for (const auto& topic : topics->second.topics) {
      candidates.push_back({topic.name, topic.summary});
    }
  }
  if (wanted == "SHELL") add_words(candidates, {"bash", "zsh"}, "");
  if (wanted == "STATE") add_words(candidates, {"on", "off"}, "");
  if (wanted == "FILE") candidates.push_back({any_file, ""});
  if (of_image && wanted == "NAME") {
    add_words(candidates, images_of(program, typed.file), "image");
    // With --snapshot it is a service of which a machine image is made or removed.
    if (find_option(typed.command, "--snapshot") == nullptr) return;
  }
  if (wanted == "SERVICE" || wanted == "TARGET" || wanted == "NAME") {
    add_words(candidates, services_of(program, typed.file), "service");
  }
  if (wanted == "SERVER" || (wanted == "NAME" && !of_image)) {
    add_words(candidates, servers_of(program, typed.file), "server");
  }
  if (wanted == "RESOURCE") {
    for (const auto& name : servers_of(program, typed.file)) {
      candidates.push_back({"server/" + name, "server"});
    }
  }
  if (wanted == "COUNTS") {
    for (const auto& name : services_of(program, typed.file)) {
      candidates.push_back({name + "=", "service"});
    }
  }
}

void add_options(const CLI::App* command, Candidates& candidates) {
  for (; command != nullptr; command = command->get_parent()) {
    for (const auto* option : command->get_options()) {
      for (const auto& name : option->get_lnames()) {
        candidates.push_back({"--" + name, option->get_description()});
      }
      for (const auto& name : option->get_snames()) {
        candidates.push_back({"-" + name, option->get_description()});
      }
    }
  }
}

/// What --confirm may name: servers, and the volumes that services declare.
void add_confirmable(Program& program, const std::string& file, Candidates& candidates) {
  add_words(candidates, servers_of(program, file), "server");
  const auto text = program.ports.files.read(file);
  if (!text) return;
  const auto stack = stack::parse(*text).stack;
  for (const auto& service : stack.services) {
    if (!service.volume) continue;
    candidates.push_back({lockfile::volume_name(stack.name, service.name), "volume"});
  }
}

/// The values of an option, each behind `before` ("--output=").
void add_values(Program& program, const Typed& typed, const CLI::Option& option,
                const std::string& before, Candidates& candidates) {
  auto values = allowed_values(option);
  const auto formats = program.formats.find(typed.command);
  if (option.check_name("--output") && formats != program.formats.end()) {
    values = {"text"};
    values.insert(values.end(), formats->second.begin(), formats->second.end());
  }
  for (const auto& value : values) candidates.push_back({before + value, ""});
  const auto kind = placeholder(option);
  if (kind == "FILE" && before.empty()) candidates.push_back({any_file, ""});
  if (kind == "DIR" && before.empty()) candidates.push_back({any_folder, ""});
  if (option.check_name("--confirm")) add_confirmable(program, typed.file, candidates);
  if ((option.check_name("--to") && kind != "FILE") || kind == "SERVICE") {
    add_words(candidates, services_of(program, typed.file), "service");
  }
}

Candidates candidates_for(Program& program, const Typed& typed, const std::string& last) {
  Candidates candidates;
  const auto equals = last.find('=');
  if (typed.open_option != nullptr) {
    add_values(program, typed, *typed.open_option, "", candidates);
  } else if (!typed.after_dashes && last.starts_with("--") && equals != std::string::npos) {
    const auto* option = find_option(typed.command, last.substr(0, equals));
    if (option != nullptr) {
      add_values(program, typed, *option, last.substr(0, equals + 1), candidates);
    }
  } else if (!typed.after_dashes && last.starts_with('-')) {
    add_options(typed.command, candidates);
  } else {
    if (typed.positionals == 0 && !typed.after_dashes) {
      for (const auto* command : shown_commands(*typed.command)) {
        candidates.push_back({command->get_name(), command->get_description()});
      }
    }
    add_arguments(program, typed, candidates);
  }
  return candidates;
}

Result<int> complete(Program& program, const CompleteOptions& options) {
  auto typed = understand(program.app, options.words);
  // The shell hands on what was typed, where it would have put the folder in itself.
  const auto home = program.ports.environment.get("HOME");
  if (typed.file.starts_with("~/") && home) typed.file.replace(0, 1, *home);
  const auto last = options.words.empty() ? std::string() : options.words.back();
  auto candidates = candidates_for(program, typed, last);
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.word < b.word; });
  std::string before;
  for (const auto& [word, description] : candidates) {
    const bool fits = word.starts_with(last) || word == any_file || word == any_folder;
    if (fits && word != before) program.print(word + "\t" + description + "\n");
    before = word;
  }
  return exit_done;
}

}  // namespace

void register_completion(Program& program) {
  add_command<ShellOptions>(
      program, program.app, "completion", "Print the completion script for a shell",
      [](CLI::App& command, ShellOptions& options) {
        command.add_option("SHELL", options.shell, "bash or zsh")
            ->required()
            ->check(CLI::IsMember({"bash", "zsh"}));
      },
      print_script,
      "  source <(paasctl completion bash)\n"
      "  paasctl completion zsh > ~/.zfunc/_paasctl");
  auto* hidden = add_command<CompleteOptions>(
      program, program.app, "__complete", "Candidates for a shell's completion",
      [&program](CLI::App& command, CompleteOptions& options) {
        add_verbatim(program, command, "WORDS", options.words, "What was typed");
      },
      complete, "  paasctl __complete -- server ssh ''");
  hidden->group("");
}

}  // namespace paas::cli
