// `paasctl exec`: runs a command inside a container.
#include <fmt/format.h>

#include "containers.hpp"
#include "program.hpp"

namespace paas::cli {

namespace {

struct Options {
  std::string name;
  std::vector<std::string> command;
};

Result<int> run(Program& program, const Options& options) {
  PAAS_TRY(auto session, Session::open(program, Need::applied));
  PAAS_TRY(auto containers, containers_of(*session, options.name));
  const auto& chosen = containers.front();
  if (containers.size() > 1 && program.globals.verbose) {
    program.say(fmt::format("on {}, one of {} servers", chosen.server, containers.size()));
  }
  std::vector<std::string> remote = {"docker", "exec", "-i"};
  if (program.is_interactive()) remote.emplace_back("-t");
  remote.push_back(chosen.container);
  remote.insert(remote.end(), options.command.begin(), options.command.end());
  return attach(program, *session, chosen.server, remote);
}

}  // namespace

void register_exec(Program& program) {
  add_command<Options>(
      program, program.app, "exec",
      "Run a command in a container of a service or server, with this terminal's input",
      [&program](CLI::App& command, Options& options) {
        command.add_option("NAME", options.name, "Service (its first server) or server")
            ->required();
        add_verbatim(program, command, "COMMAND", options.command,
                     "Command with its arguments, after --")
            ->required();
      },
      run,
      "  paasctl exec web -- env\n"
      "  paasctl exec db -- psql -U app\n"
      "  echo 'select 1' | paasctl exec db -- psql -U app");
}

}  // namespace paas::cli
