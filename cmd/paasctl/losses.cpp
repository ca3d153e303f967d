// Says what data would be destroyed, and has the names typed or given.
#include "losses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "base/text.hpp"
#include "command_tree.hpp"
#include "ssh/quote.hpp"

namespace paas::cli {

namespace {

std::string shell_word(const std::string& word) {
  const bool is_plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("-_./=:,@+").find(static_cast<char>(c)) != std::string_view::npos;
  });
  return is_plain ? word : ssh::quote(word);
}

/// The command that was given, with what it lacks.
std::string completed_command(const Program& program, const std::vector<plan::DataLoss>& losses,
                              bool lacks_yes) {
  const bool takes_names = named_command(program.app).get_option_no_throw("--confirm") != nullptr;
  std::string command = "paasctl";
  if (takes_names) {
    for (const auto& word : program.words) command += " " + shell_word(word);
  } else {
    command += " up";
    if (program.globals.file != GlobalOptions{}.file) {
      command += " --file " + shell_word(program.globals.file);
    }
  }
  if (takes_names && lacks_yes) command += " --yes";
  for (const auto& loss : losses) command += " --confirm " + shell_word(loss.name);
  return command;
}

std::string described(const std::vector<plan::DataLoss>& losses) {
  std::vector<std::string> texts;
  for (const auto& loss : losses) texts.push_back(loss.text);
  return text::join(texts, "; ");
}

}  // namespace

void add_confirm_option(Program& program, CLI::App& command) {
  command
      .add_option("--confirm", program.globals.confirmed,
                  "Name of a server or volume that may be destroyed, with its data; may be "
                  "repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
}

void warn_of_other_names(Program& program, const std::vector<plan::DataLoss>& losses) {
  for (const auto& name : program.globals.confirmed) {
    const bool is_lost = std::any_of(losses.begin(), losses.end(),
                                     [&](const auto& loss) { return loss.name == name; });
    if (!is_lost) {
      program.say(fmt::format("warning: --confirm {}: nothing of that name is destroyed", name));
    }
  }
}

Result<bool> confirm_losses(Program& program, const std::vector<plan::DataLoss>& losses,
                            const std::string& question, Asking asking) {
  const auto& given = program.globals.confirmed;
  std::vector<plan::DataLoss> open;
  std::copy_if(losses.begin(), losses.end(), std::back_inserter(open), [&](const auto& loss) {
    return std::find(given.begin(), given.end(), loss.name) == given.end();
  });
  if (open.empty()) return false;
  auto& terminal = program.ports.terminal;
  if (asking == Asking::never || program.globals.yes || !terminal.input_is_terminal()) {
    const bool lacks_yes = !question.empty() && !program.globals.yes;
    return fail(ErrorKind::usage, "this would destroy " + described(open),
                fmt::format("nothing was changed; if that is meant: `{}`",
                            completed_command(program, open, lacks_yes)));
  }
  if (!question.empty()) terminal.write_error(question + "\n");
  for (const auto& loss : open) {
    terminal.write_error(
        fmt::format("This destroys {}.\nType {} to destroy it: ", loss.text, loss.name));
    const auto answer = terminal.read_line().value_or("");
    if (program.ports.stop.stop_requested()) {
      terminal.write_error("\n");
      return fail(ErrorKind::interrupted, "interrupted, nothing was changed");
    }
    if (text::trim(answer) != loss.name) {
      return fail(ErrorKind::failed, "not confirmed, nothing was changed");
    }
  }
  return true;
}

Status agree(Program& program, const std::string& question,
             const std::vector<plan::DataLoss>& losses) {
  warn_of_other_names(program, losses);
  PAAS_TRY(const bool typed, confirm_losses(program, losses, question));
  return typed ? Status{} : confirm(program, question);
}

}  // namespace paas::cli
