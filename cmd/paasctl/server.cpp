// `paasctl server`: single servers of the stack.
#include <fmt/format.h>

#include "change.hpp"
#include "losses.hpp"
#include "plan/counts.hpp"
#include "program.hpp"
#include "report/status.hpp"
#include "session.hpp"

namespace paas::cli {

namespace {

Result<int> list(Program& program, const NoOptions&) {
  PAAS_TRY(auto session, Session::open(program, Need::applied));
  PAAS_TRY(auto observed, session->observe(observe::Depth::machines));
  const auto& output = program.globals.output;
  if (program.wants_document()) {
    program.print_document(report::servers_json(session->stack, session->lockfile, observed));
    return exit_done;
  }
  const auto detail = output == "wide"   ? report::Detail::wide
                      : output == "name" ? report::Detail::names
                                         : report::Detail::normal;
  program.print(report::servers_text(session->stack, session->lockfile, observed, detail,
                                     program.output_color()));
  return exit_done;
}

struct UpOptions {
  std::string service;
};

Result<int> up(Program& program, const UpOptions& options) {
  PAAS_TRY(auto session, Session::open(program, Need::stack));
  Change change;
  change.command = "paasctl server up";
  change.prepare = [&](Session& opened) -> Status {
    PAAS_TRY(const auto* service, opened.find_service(options.service));
    return plan::add_one(opened.lockfile, *service);
  };
  return apply_change(program, *session, change);
}

struct ServerOptions {
  std::string server;
};

Result<int> down(Program& program, const ServerOptions& options) {
  PAAS_TRY(auto session, Session::open(program, Need::stack));
  Change change;
  change.command = "paasctl server down";
  change.prepare = [&](Session& opened) -> Status {
    PAAS_TRY(auto name, opened.find_server(options.server));
    return plan::take_out(opened.lockfile, opened.stack, name);
  };
  return apply_change(program, *session, change);
}

Result<int> replace(Program& program, const ServerOptions& options) {
  PAAS_TRY(auto session, Session::open(program, Need::stack));
  PAAS_TRY(auto name, session->find_server(options.server));
  Change change;
  change.command = "paasctl server replace";
  change.adjust = [&](plan::Input& input) { input.replace[name] = "you asked for it"; };
  return apply_change(program, *session, change);
}

struct SshOptions {
  std::string server;
  std::vector<std::string> command;
};

Result<int> ssh(Program& program, const SshOptions& options) {
  PAAS_TRY(auto session, Session::open(program, Need::applied));
  PAAS_TRY(auto name, session->find_server(options.server));
  const auto target = session->target(name);
  // A shell is talked to in any case, as with OpenSSH's own client.
  const auto tty = options.command.empty() || program.is_interactive() ? ssh::Tty::when_terminal
                                                                       : ssh::Tty::never;
  PAAS_TRY(auto arguments,
           session->connections().interactive({target.name, target.address, target.host_key},
                                              options.command, tty));
  return program.ports.processes.run_attached(arguments);
}

}  // namespace

void register_server(Program& program) {
  auto& group = *add_group(program, "server", "List, add, remove, replace and enter servers");
  add_command<NoOptions>(
      program, group, "ls", "List the stack's servers",
      [](CLI::App& command, NoOptions&) { command.alias("list"); }, list,
      "  paasctl server ls\n  paasctl server ls -o wide\n  paasctl server ls -o json",
      {"wide", "json", "yaml", "name"});
  add_command<UpOptions>(
      program, group, "up", "Add one server to a service",
      [](CLI::App& command, UpOptions& options) {
        command.add_option("SERVICE", options.service, "Service")->required();
      },
      up, "  paasctl server up web");
  const auto declare_server = [&program](CLI::App& command, ServerOptions& options) {
    add_confirm_option(program, command);
    command.add_option("SERVER", options.server, "Server, with or without the stack's name")
        ->required();
  };
  add_command<ServerOptions>(program, group, "down",
                             "Drain and remove one server, and lower its service's count",
                             declare_server, down, "  paasctl server down web-3");
  add_command<ServerOptions>(program, group, "replace",
                             "Make a new server in the place of one, then remove that one",
                             declare_server, replace, "  paasctl server replace web-3");
  add_command<SshOptions>(
      program, group, "ssh", "Open a shell on a server, or run a command there",
      [&program](CLI::App& command, SshOptions& options) {
        command.add_option("SERVER", options.server, "Server")->required();
        add_verbatim(program, command, "COMMAND", options.command,
                     "Command with its arguments, after --");
      },
      ssh, "  paasctl server ssh web-1\n  paasctl server ssh db-1 -- df -h");
}

}  // namespace paas::cli
