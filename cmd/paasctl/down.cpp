// `paasctl down`: destroys the stack's servers; volumes only when asked for.
#include <fmt/format.h>

#include <set>

#include "change.hpp"
#include "lockfile/names.hpp"
#include "losses.hpp"
#include "pricing.hpp"
#include "program.hpp"
#include "session.hpp"

namespace paas::cli {

namespace {

struct Options {
  bool volumes = false;
  bool dry_run = false;
  bool accept_loss = false;
};

std::string counted(std::size_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string question(const Session& session, const plan::Plan& plan, const Options& options) {
  const auto& lockfile = session.lockfile;
  auto what =
      fmt::format("{} of stack {}", counted(lockfile.servers.size(), "server"), session.stack.name);
  if (!lockfile.temporary.empty()) {
    what += fmt::format(" and {} that an interrupted `image save --snapshot` left",
                        counted(lockfile.temporary.size(), "builder droplet"));
  }
  if (options.volumes && !lockfile.volumes.empty()) {
    what += fmt::format(" and {} with all data", counted(lockfile.volumes.size(), "volume"));
  }
  return fmt::format("Destroy {}? ({})", what, report::plan_summary(plan));
}

/// Machine images are no part of what is up, and go on costing money.
void note_machine_images(Program& program, const Session& session,
                         const observe::Observed& observed) {
  std::set<std::string> services;
  for (const auto& snapshot : observed.snapshots) {
    services.insert(lockfile::service_of_snapshot(session.stack.name, snapshot.name));
  }
  if (services.empty()) return;
  const auto count = observed.snapshots.size();
  program.say(fmt::format(
      "{} {} kept and {} on costing money: `paasctl image rm {} --snapshot` "
      "removes {}",
      counted(count, "machine image"), count == 1 ? "is" : "are", count == 1 ? "goes" : "go",
      fmt::join(services, " "), count == 1 ? "it" : "them"));
}

Result<int> run(Program& program, const Options& options) {
  PAAS_TRY(auto session, Session::open(program, Need::applied));
  if (options.accept_loss) session->loss = lockfile::Loss::accept;
  if (!options.dry_run) PAAS_CHECK(session->acquire("paasctl down"));
  session->resume = options.volumes ? "paasctl down --volumes" : "paasctl down";
  PAAS_TRY(auto observed, session->observe(observe::Depth::cloud));
  PAAS_CHECK(plan::check_owner(session->stack.name, session->lockfile, observed));
  if (!options.accept_loss) PAAS_CHECK(plan::check_found(session->lockfile, observed));
  const auto volumes = options.volumes ? plan::Volumes::destroy : plan::Volumes::keep;
  auto plan = plan::make_down(session->lockfile, observed, volumes);
  if (options.dry_run) {
    add_cost(*session, observed, plan);
    print_plan(program, plan);
    return exit_done;
  }
  if (!plan.empty() || !session->lockfile.temporary.empty()) {
    PAAS_CHECK(agree(program, question(*session, plan, options), plan.losses));
    PAAS_CHECK(session->remove_builders());
    plan = plan::make_down(session->lockfile, observed, volumes);
  }
  for (const auto& warning : plan.warnings) program.say(warning);
  note_machine_images(program, *session, observed);
  if (plan.empty()) {
    program.say("Nothing to do: the stack is not up.");
    // What was forgotten with another cloud is stored although there is nothing to destroy here.
    if (session->loaded.serial == 0 || plan.lockfile == session->loaded) return exit_done;
    return session->execute(plan, {});
  }
  return session->execute(plan, {});
}

}  // namespace

void register_down(Program& program) {
  add_command<Options>(program, program.app, "down",
                       "Take the stack down; volumes are kept unless --volumes",
                       [&program](CLI::App& command, Options& options) {
                         command.alias("destroy");
                         command.add_flag("--volumes", options.volumes,
                                          "Destroy the volumes and their data as well");
                         command.add_flag("--dry-run", options.dry_run, "Only show the plan");
                         command.add_flag("--accept-loss", options.accept_loss,
                                          "Forget what paas.lock knows and is not found");
                         add_confirm_option(program, command);
                       },
                       run,
                       "  paasctl down\n"
                       "  paasctl down --yes            in scripts\n"
                       "  paasctl down --volumes        with all data\n"
                       "  paasctl down --yes --volumes --confirm shop-db",
                       {"json", "yaml"});
}

}  // namespace paas::cli
