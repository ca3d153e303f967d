// `paasctl up`: makes the world as the stack says.
#include <fmt/format.h>

#include "program.hpp"
#include "session.hpp"

namespace paas::cli {

namespace {

struct Options {
  bool dry_run = false;
  bool accept_loss = false;
};

/// Where the stack is reached; empty without a load balancer.
std::string address_of(const Session& session) {
  if (!session.lockfile.lb || session.lockfile.lb->reserved_ip.empty()) return "";
  const int port =
      session.stack.lb && !session.stack.lb->listen.empty() ? session.stack.lb->listen.front() : 80;
  const auto& host = session.lockfile.lb->reserved_ip;
  return port == 80 ? fmt::format("http://{}/", host) : fmt::format("http://{}:{}/", host, port);
}

void print_address(Program& program, const Session& session) {
  const auto address = address_of(session);
  if (program.wants_document()) {
    program.print_document(fmt::format("{{\"address\": \"{}\"}}\n", address));
  } else if (!address.empty()) {
    program.print(address + "\n");
  }
}

Result<int> run(Program& program, const Options& options) {
  PAAS_TRY(auto session, Session::open(program, Need::stack));
  if (options.accept_loss) session->loss = lockfile::Loss::accept;
  if (options.dry_run) {
    PAAS_TRY(auto input, session->input(observe::Depth::machines));
    PAAS_TRY(auto plan, plan::make(input));
    print_plan(program, plan);
    return exit_done;
  }
  Change change;
  change.command = "paasctl up";
  PAAS_TRY(const int status, apply_change(program, *session, change));
  print_address(program, *session);
  return status;
}

}  // namespace

void register_up(Program& program) {
  add_command<Options>(program, program.app, "up",
                       "Bring the stack up: make, change and remove what the stack file says",
                       [](CLI::App& command, Options& options) {
                         command.alias("apply");
                         command.add_flag("--dry-run", options.dry_run, "Only show the plan");
                         command.add_flag("--accept-loss", options.accept_loss,
                                          "Start anew although nothing of what paas.lock knows "
                                          "is found");
                       },
                       run,
                       "  paasctl up\n"
                       "  paasctl up -f shop.yaml --parallelism 20\n"
                       "  paasctl up --dry-run -o json",
                       {"json", "yaml"});
}

}  // namespace paas::cli
