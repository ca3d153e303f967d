// What commands share: colours, confirmation, exit statuses.
#include "program.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "report/yaml.hpp"

namespace paas::cli {

namespace {

report::Color color(const Program& program, bool terminal) {
  const bool unwanted = program.globals.no_color || program.ports.environment.get("NO_COLOR") ||
                        program.ports.environment.get("TERM").value_or("") == "dumb";
  return terminal && !unwanted ? report::Color::yes : report::Color::no;
}

}  // namespace

report::Color Program::output_color() const {
  return color(*this, ports.terminal.output_is_terminal());
}

report::Color Program::error_color() const {
  return color(*this, ports.terminal.error_is_terminal());
}

void Program::print_document(const std::string& json) const {
  print(globals.output == "yaml" ? report::to_yaml(json) : json);
}

void Program::say(const std::string& line) const {
  if (!globals.quiet) ports.terminal.write_error(line + "\n");
}

CLI::App* add_group(Program& program, const std::string& name, const std::string& description) {
  return add_group(program, program.app, name, description);
}

CLI::App* add_group(Program& program, CLI::App& parent, const std::string& name,
                    const std::string& description) {
  auto* group = parent.add_subcommand(name, description);
  // One command of the group; what follows it are its arguments, even if one is called "ls".
  group->require_subcommand(0, 1);
  group->callback([&program, group] {
    if (!group->get_subcommands().empty()) return;
    program.action = [&program, group]() -> Result<int> {
      program.ports.terminal.write_error(group->help());
      return exit_status_of(ErrorKind::usage);
    };
  });
  return group;
}

CLI::Option* add_verbatim(Program& program, CLI::App& command, const std::string& name,
                          std::vector<std::string>& words, const std::string& description) {
  auto* option = command.add_option(name, words, description);
  program.verbatim[&command] = {option, &words};
  return option;
}

Status confirm(Program& program, const std::string& question) {
  if (program.globals.yes) return {};
  if (!program.ports.terminal.input_is_terminal()) {
    return fail(ErrorKind::usage, "this needs a confirmation, and there is no terminal to ask on",
                "add --yes");
  }
  program.ports.terminal.write_error(question + " [y/N] ");
  const auto answer = text::lower(program.ports.terminal.read_line().value_or(""));
  if (program.ports.stop.stop_requested()) {
    program.ports.terminal.write_error("\n");
    return fail(ErrorKind::interrupted, "interrupted, nothing was changed");
  }
  if (answer == "y" || answer == "yes") return {};
  return fail(ErrorKind::failed, "not confirmed, nothing was changed");
}

int exit_status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return 64;
    case ErrorKind::invalid:
      return 65;
    case ErrorKind::unreachable:
      return 69;
    case ErrorKind::guard_held:
      return 75;
    case ErrorKind::unauthorised:
      return 77;
    case ErrorKind::interrupted:
      return 130;
    case ErrorKind::failed:
    case ErrorKind::not_found:
    case ErrorKind::exists:
    case ErrorKind::limited:
    case ErrorKind::timed_out:
      return exit_failed;
  }
  return exit_failed;
}

void register_commands(Program& program) {
  register_validate(program);
  register_plan(program);
  register_up(program);
  register_down(program);
  register_status(program);
  register_deploy(program);
  register_rollback(program);
  register_run(program);
  register_scale(program);
  register_logs(program);
  register_exec(program);
  register_image(program);
  register_server(program);
  register_lb(program);
  register_deps(program);
  register_secret(program);
  register_state(program);
  register_cloud(program);
  register_completion(program);
  register_version(program);
  register_man(program);
}

}  // namespace paas::cli
