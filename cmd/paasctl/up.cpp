// `paasctl up`: makes the world as the stack says.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "build_choices.hpp"
#include "change.hpp"
#include "losses.hpp"
#include "pricing.hpp"
#include "program.hpp"
#include "report/plan_file.hpp"
#include "session.hpp"
#include "timings.hpp"

namespace paas::cli {

namespace {

struct Options {
  bool dry_run = false;
  bool accept_loss = false;
  bool unpin = false;
  bool timings = false;
  BuildChoices build;
  std::string plan;  ///< A file that `paasctl plan --out` wrote; empty: what has to be done is.
};

Result<report::PlanFile> read_plan(Program& program, const std::string& path) {
  const auto text = program.ports.files.read(path);
  if (text) return report::decode_plan_file(*text, path);
  if (text.error().kind != ErrorKind::not_found) return fail(text.error());
  return fail(ErrorKind::invalid, fmt::format("there is no plan {}", path),
              "`paasctl plan --out FILE` writes one; a stack file is named with --file");
}

/// Shows what would be done; with a plan, whether it still is what was shown.
Result<int> show(Program& program, Session& session, const report::PlanFile* shown) {
  if (shown != nullptr) {
    PAAS_CHECK(report::check_basis(*shown, session.stack, session.lockfile, session.origin()));
  }
  PAAS_TRY(auto input, session.input(observe::Depth::machines));
  PAAS_TRY(auto plan, plan::make(input));
  if (shown != nullptr) PAAS_CHECK(report::check_same(*shown, input, plan, session.origin()));
  add_cost(session, input.observed, plan);
  print_plan(program, plan);
  return exit_done;
}

/// Where the stack is reached, over https when everybody is led there; empty without a load
/// balancer.
std::string address_of(const Session& session) {
  const auto& lb = session.stack.lb;
  if (!lb || !session.lockfile.lb || session.lockfile.lb->reserved_ip.empty()) return "";
  const bool is_secure = lb->tls && lb->tls->redirect;
  const auto& ports = is_secure ? lb->tls->listen : lb->listen;
  const int usual = is_secure ? 443 : 80;
  const int port = ports.empty() ? usual : ports.front();
  return fmt::format("{}://{}{}/", is_secure ? "https" : "http", session.lockfile.lb->reserved_ip,
                     port == usual ? "" : fmt::format(":{}", port));
}

void print_address(Program& program, const Session& session) {
  const auto address = address_of(session);
  nlohmann::ordered_json document;
  document["address"] = address;
  print_with_timings(program, session, address.empty() ? "" : address + "\n", std::move(document));
}

void unpin(lockfile::Lockfile& lockfile) {
  for (auto& [name, service] : lockfile.services) {
    service.pinned = 0;
    service.image.clear();
  }
}

Result<int> run(Program& program, const Options& options) {
  std::optional<report::PlanFile> shown;
  if (!options.plan.empty()) {
    PAAS_TRY(shown, read_plan(program, options.plan));
  }
  PAAS_TRY(auto session, Session::open(program, Need::stack));
  if (options.accept_loss) session->loss = lockfile::Loss::accept;
  PAAS_CHECK(choose_build(*session, options.build));
  if (options.dry_run && options.unpin) unpin(session->lockfile);
  if (options.dry_run) return show(program, *session, shown ? &*shown : nullptr);
  Change change;
  change.command = "paasctl up";
  change.resume = change.command + words_of(options.build);
  change.shown = shown ? &*shown : nullptr;
  if (options.unpin) {
    change.prepare = [](Session& opened) {
      unpin(opened.lockfile);
      return Status();
    };
  }
  PAAS_TRY(const int status, apply_timed(program, *session, change, options.timings));
  print_address(program, *session);
  return status;
}

}  // namespace

void register_up(Program& program) {
  auto* declared = add_command<Options>(
      program, program.app, "up",
      "Bring the stack up: make, change and remove what the stack file says",
      [&program](CLI::App& command, Options& options) {
        command.alias("apply");
        auto* plan = command.add_option(
            "FILE", options.plan,
            "A plan that `paasctl plan --out` wrote: apply it as it was shown, or "
            "refuse when something has moved since");
        command.add_flag("--dry-run", options.dry_run, "Only show the plan");
        command
            .add_flag("--unpin", options.unpin,
                      "Go on with the stack file's releases where a rollback or "
                      "`deploy --image` keeps others")
            ->excludes(plan);
        command
            .add_flag("--accept-loss", options.accept_loss,
                      "Start anew although nothing of what paas.lock knows "
                      "is found")
            ->excludes(plan);
        add_build_options(command, options.build);
        command.get_option("--platform")->excludes(plan);
        add_timings_option(command, options.timings);
        add_confirm_option(program, command);
      },
      run,
      "  paasctl up\n"
      "  paasctl up stack.plan\n"
      "  paasctl up -f shop.yaml --parallelism 20\n"
      "  paasctl up --dry-run -o json\n"
      "  paasctl up --timings",
      {"json", "yaml"});
  program.documents[declared] =
      timed_document("the address is one member of an object",
                     {{"address", "Where the stack is reached; empty without a load balancer"}});
}

}  // namespace paas::cli
