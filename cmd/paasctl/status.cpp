// `paasctl status`: what there is.
#include "report/status.hpp"

#include "program.hpp"
#include "session.hpp"

namespace paas::cli {

namespace {

Result<int> run(Program& program, const NoOptions&) {
  PAAS_TRY(auto session, Session::open(program, Need::applied));
  PAAS_TRY(auto observed, session->observe(observe::Depth::machines));
  const auto& output = program.globals.output;
  if (program.wants_document()) {
    program.print_document(report::status_json(session->stack, session->lockfile, observed));
    return exit_done;
  }
  const auto detail = output == "wide"   ? report::Detail::wide
                      : output == "name" ? report::Detail::names
                                         : report::Detail::normal;
  program.print(detail == report::Detail::names
                    ? report::servers_text(session->stack, session->lockfile, observed, detail,
                                           program.output_color())
                    : report::status_text(session->stack, session->lockfile, observed, detail,
                                          program.output_color()));
  return exit_done;
}

}  // namespace

void register_status(Program& program) {
  add_command<NoOptions>(
      program, program.app, "status", "Show the stack's services, volumes and servers as they are",
      {}, run,
      "  paasctl status\n"
      "  paasctl status -o wide\n"
      "  paasctl status -o json | jq '.servers[] | select(.rotation == \"out\")'",
      {"wide", "json", "yaml", "name"});
}

}  // namespace paas::cli
