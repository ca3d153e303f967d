// `paasctl plan`: what `up` would do, and why.
#include <fmt/format.h>

#include "change.hpp"
#include "pricing.hpp"
#include "program.hpp"
#include "report/plan_file.hpp"
#include "session.hpp"

namespace paas::cli {

namespace {

struct Options {
  std::string refresh = "all";
  bool detailed_exitcode = false;
  std::string out;
};

/// A plan for `up FILE` is written over nothing but an older plan.
Status check_free(Program& program, const std::string& path) {
  PAAS_TRY(const auto info, program.ports.files.info(path));
  if (!info) return {};
  const auto text = program.ports.files.read(path);
  if (text && report::is_plan_file(*text)) return {};
  return fail(ErrorKind::exists, fmt::format("{} is there, and it is not a plan", path),
              "nothing was written: give --out another name");
}

Result<int> run(Program& program, const Options& options) {
  if (!options.out.empty() && options.refresh == "cloud") {
    return fail(ErrorKind::usage, "a plan that shall be applied has to look at the servers",
                "leave out --refresh cloud");
  }
  if (!options.out.empty()) PAAS_CHECK(check_free(program, options.out));
  PAAS_TRY(auto session, Session::open(program, Need::stack));
  const auto depth = options.refresh == "cloud" ? observe::Depth::cloud : observe::Depth::machines;
  const auto without_engine = session->lockfile.servers.empty()
                                  ? reconcile::WithoutEngine::assume_unbuilt
                                  : reconcile::WithoutEngine::fail;
  PAAS_TRY(auto input, session->input(depth, without_engine));
  PAAS_TRY(auto plan, plan::make(input));
  add_cost(*session, input.observed, plan);
  if (program.wants_document() || depth == observe::Depth::machines) {
    print_plan(program, plan);
  } else {
    program.print(report::plan_text(plan, program.output_color(), report::Seen::cloud));
  }
  if (!options.out.empty()) {
    const auto text = report::encode_plan_file(input, plan, session->origin());
    PAAS_CHECK(program.ports.files.write_atomically(options.out, text, 0600));
    program.say(fmt::format("`paasctl up {}` applies exactly this.", options.out));
  }
  if (!options.detailed_exitcode) return exit_done;
  return plan.empty() ? exit_status_of_reach(plan) : exit_changes_pending;
}

}  // namespace

void register_plan(Program& program) {
  auto* declared = add_command<Options>(
      program, program.app, "plan", "Show what `up` would do, each step with its cause",
      [](CLI::App& command, Options& options) {
        command
            .add_option("--refresh", options.refresh,
                        "How far to look: all, or cloud for the provider's lists only")
            ->check(CLI::IsMember({"all", "cloud"}))
            ->capture_default_str();
        command.add_flag("--detailed-exitcode", options.detailed_exitcode,
                         "Exit with 2 when there is something to do");
        command
            .add_option("--out", options.out,
                        "Write the plan to FILE as well; `paasctl up FILE` applies exactly that")
            ->type_name("FILE");
      },
      run,
      "  paasctl plan\n"
      "  paasctl plan -o json | jq '.steps[].cause'\n"
      "  paasctl plan --detailed-exitcode || echo 'something to do'\n"
      "  paasctl plan --out stack.plan",
      {"json", "yaml"});
  program.documents[declared] = {
      "With --output json the plan is one object; `up --dry-run` and `down --dry-run` print the "
      "same, and the file of --out has it as its member plan, beside digests of all that it was "
      "made from, and a format_version of its own. What is told here stays as it is "
      "while format_version is 1: no member goes or gets another meaning. Members, kinds of "
      "steps and reasons may be added, so programs should pass over those that they do not know. "
      "In a path, [] stands for each item of a list.",
      report::plan_members()};
}

}  // namespace paas::cli
