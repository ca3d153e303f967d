// `paasctl plan`: what `up` would do, and why.
#include <fmt/format.h>

#include "program.hpp"
#include "session.hpp"

namespace paas::cli {

namespace {

struct Options {
  std::string refresh = "all";
  bool detailed_exitcode = false;
};

Result<int> run(Program& program, const Options& options) {
  PAAS_TRY(auto session, Session::open(program, Need::stack));
  const auto depth = options.refresh == "cloud" ? observe::Depth::cloud : observe::Depth::machines;
  const auto without_engine = session->lockfile.servers.empty()
                                  ? reconcile::WithoutEngine::assume_unbuilt
                                  : reconcile::WithoutEngine::fail;
  PAAS_TRY(auto input, session->input(depth, without_engine));
  PAAS_TRY(auto plan, plan::make(input));
  print_plan(program, plan);
  if (!options.detailed_exitcode) return exit_done;
  return plan.empty() ? exit_status_of_reach(plan) : exit_changes_pending;
}

}  // namespace

void register_plan(Program& program) {
  add_command<Options>(
      program, program.app, "plan", "Show what `up` would do, each step with its cause",
      [](CLI::App& command, Options& options) {
        command
            .add_option("--refresh", options.refresh,
                        "How far to look: all, or cloud for the provider's lists only")
            ->check(CLI::IsMember({"all", "cloud"}))
            ->capture_default_str();
        command.add_flag("--detailed-exitcode", options.detailed_exitcode,
                         "Exit with 2 when there is something to do");
      },
      run,
      "  paasctl plan\n"
      "  paasctl plan -o json | jq '.steps[].cause'\n"
      "  paasctl plan --detailed-exitcode || echo 'something to do'",
      {"json", "yaml"});
}

}  // namespace paas::cli
