// `paasctl validate`: is the stack file right?
#include <fmt/format.h>

#include "certificates.hpp"
#include "contexts.hpp"
#include "maintenance_page.hpp"
#include "program.hpp"
#include "session.hpp"
#include "stack/parse.hpp"

namespace paas::cli {

namespace {

Result<int> run(Program& program, const NoOptions&) {
  PAAS_TRY(auto session, Session::open(program, Need::text));
  PAAS_CHECK(check_contexts(program, *session, session->stack.images));
  PAAS_CHECK(read_certificates(program, *session));
  PAAS_CHECK(read_maintenance_page(program, session->stack_path, session->stack));
  if (program.wants_document()) {
    program.print_document(stack::to_json(session->stack) + "\n");
    return exit_done;
  }
  int servers = session->stack.lb ? 1 : 0;
  for (const auto& service : session->stack.services)
    servers += service.scale.min + service.scale.warm;
  program.print(fmt::format("{} is right: stack {}, {} services, {} servers at least.\n",
                            session->stack_path, session->stack.name,
                            session->stack.services.size(), servers));
  return exit_done;
}

}  // namespace

void register_validate(Program& program) {
  add_command<NoOptions>(
      program, program.app, "validate",
      "Check the stack file: everything that is wrong in it, with line and column", {}, run,
      "  paasctl validate\n"
      "  paasctl validate -f shop.yaml\n"
      "  paasctl validate -o json      the stack with every default written out",
      {"json", "yaml"});
}

}  // namespace paas::cli
