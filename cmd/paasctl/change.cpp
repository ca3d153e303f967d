// Carries a change out, from the first look to the last step.
#include "change.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.hpp"
#include "hooks.hpp"
#include "losses.hpp"
#include "plan/take_back.hpp"
#include "plan/wanted.hpp"
#include "pricing.hpp"
#include "report/cost_text.hpp"
#include "report/plan_json.hpp"

namespace paas::cli {

void print_plan(Program& program, const plan::Plan& plan) {
  if (program.wants_document()) {
    program.print_document(report::plan_json(plan));
  } else {
    program.print(report::plan_text(plan, program.output_color()));
  }
}

namespace {

/// The servers that a plan powers on. What has to change on those is known only afterwards, from
/// another look and another plan.
std::vector<std::string> woken_by(const plan::Plan& plan) {
  std::vector<std::string> names;
  for (const auto& step : plan.steps) {
    if (step.kind == plan::StepKind::power_on_server) names.push_back(step.server);
  }
  return names;
}

/// What is going to be done, and what that changes in the bill.
void say_summary(Program& program, Session& session, const observe::Observed& observed,
                 plan::Plan& plan) {
  program.say(fmt::format("{}: {}{}.", session.stack.name, report::plan_summary(plan),
                          report::has_drift(plan) ? ", some of it because of drift" : ""));
  plan.cost = plan::cost_of(session.lockfile, observed, plan, {});
  if (!plan::changes(*plan.cost) || program.globals.quiet) return;
  add_cost(session, observed, plan);
  program.say(std::string(text::trim(report::cost_text(*plan.cost))));
}

/// Does what could not be planned while servers were off. `plan` was carried out; it becomes the
/// one that decides what is known.
Result<int> carry_out_on_woken(Program& program, Session& session,
                               const std::vector<std::string>& woken, plan::Plan& plan) {
  const auto told = plan.warnings;
  PAAS_TRY(const auto input, session.input(observe::Depth::machines));
  PAAS_TRY(plan, plan::make(input));
  for (const auto& warning : plan.warnings) {
    if (std::find(told.begin(), told.end(), warning) == told.end()) {
      program.say("warning: " + warning);
    }
  }
  if (plan.empty()) return exit_done;
  PAAS_CHECK(confirm_losses(program, plan.losses, ""));
  program.say(fmt::format("{}: {}, now that {} {} on.", session.stack.name,
                          report::plan_summary(plan), fmt::join(woken, ", "),
                          woken.size() == 1 ? "is" : "are"));
  return session.execute(plan, input);
}

/// The plan, and what follows from it on servers that it powers on.
Result<int> carry_out(Program& program, Session& session, const Change& change,
                      const plan::Input& input, plan::Plan& plan) {
  PAAS_TRY(const int status, session.execute(plan, input));
  const auto woken = woken_by(plan);
  if (woken.empty()) return status;
  if (change.shown == nullptr) return carry_out_on_woken(program, session, woken, plan);
  program.say(fmt::format("{} {} on now: `paasctl plan` shows what else has to change there.",
                          fmt::join(woken, ", "), woken.size() == 1 ? "is" : "are"));
  return status;
}

/// What was found, and what is asked for.
Result<plan::Input> input_of(Session& session, const Change& change) {
  PAAS_TRY(auto input, session.input(observe::Depth::machines));
  input.rollout = change.rollout;
  if (change.adjust) change.adjust(input);
  return input;
}

/// Carries out a plan that the real one waits for.
Status power_on(Program& program, Session& session, const plan::Input& input, plan::Plan& plan) {
  for (const auto& warning : plan.warnings) program.say("warning: " + warning);
  say_summary(program, session, input.observed, plan);
  PAAS_CHECK(session.execute(plan, input));
  return {};
}

/// "web at release 4, api at release 2"
std::string releases_text(const std::map<std::string, int>& releases) {
  std::vector<std::string> texts;
  for (const auto& [service, number] : releases) {
    texts.push_back(fmt::format("{} at release {}", service, number));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

Status go_back(Program& program, Session& session, const lockfile::Lockfile& before,
               const std::map<std::string, int>& releases) {
  session.kept.releases = releases;
  for (const auto& [service, number] : releases) session.kept.unchanged.erase(service);
  PAAS_TRY(const auto input, session.input(observe::Depth::machines));
  PAAS_TRY(auto plan, plan::make(input));
  plan::keep_only(releases, before, plan);
  program.say(fmt::format("{}: the new release failed, taking it back: {}.", session.stack.name,
                          report::plan_summary(plan)));
  PAAS_CHECK(session.execute(plan, input));
  return {};
}

/// A release that failed on one server is taken back from all. What the error becomes.
Error take_back(Program& program, Session& session, const lockfile::Lockfile& before, Error error) {
  if (error.kind == ErrorKind::interrupted) return error;
  const auto releases = plan::releases_to_take_back(session.lockfile, session.failed);
  if (releases.empty()) return error;
  plan::note_failed(releases, session.lockfile);
  // So that nobody goes back to it, whatever comes of this.
  auto back = session.save();
  if (back) back = go_back(program, session, before, releases);
  if (back) {
    error.hint =
        fmt::format("the release was taken back, as before there is {}", releases_text(releases));
    return error;
  }
  error.message += fmt::format("; it could not be taken back: {}", describe(back.error()));
  const auto& [service, number] = *releases.begin();
  error.hint = fmt::format("`paasctl rollback {} {}` goes back to what there was", service, number);
  return error;
}

/// What a hook can know before the change.
std::map<std::string, std::string> hook_variables(const Session& session, const Change& change,
                                                  const plan::Plan& plan) {
  std::set<std::string> services;
  for (const auto& step : plan.steps) {
    if (step.kind == plan::StepKind::start_container) services.insert(step.service);
  }
  return {{"PAAS_COMMAND", change.command.substr(change.command.find(' ') + 1)},
          {"PAAS_STACK", session.stack.name},
          {"PAAS_CLOUD", stack::to_text(session.stack.cloud)},
          {"PAAS_FILE", session.stack_path},
          {"PAAS_BY", session.who()},
          {"PAAS_ADDRESS", session.lockfile.lb ? session.lockfile.lb->reserved_ip : ""},
          {"PAAS_SERVICES", fmt::format("{}", fmt::join(services, " "))}};
}

/// "api=3 web=12" of the services that were named.
std::string releases_now(const Session& session, const std::string& services) {
  std::vector<std::string> texts;
  for (const auto& service : text::split(services, ' ')) {
    const auto* release = plan::current_release(session.lockfile, service);
    if (release != nullptr) texts.push_back(fmt::format("{}={}", service, release->number));
  }
  return text::join(texts, " ");
}

}  // namespace

Result<int> apply_change(Program& program, Session& session, const Change& change) {
  PAAS_CHECK(session.acquire(change.command));
  if (!change.resume.empty()) session.resume = change.resume;
  const auto* shown = change.shown;
  if (shown != nullptr) {
    PAAS_CHECK(report::check_basis(*shown, session.stack, session.lockfile, session.origin()));
  }
  PAAS_CHECK(session.remove_builders());
  if (change.prepare) PAAS_CHECK(change.prepare(session));
  PAAS_TRY(auto input, input_of(session, change));
  PAAS_TRY(auto plan, plan::make(input));
  if (plan.waits_for_power && shown == nullptr) {
    PAAS_CHECK(power_on(program, session, input, plan));
    PAAS_TRY(input, input_of(session, change));
    PAAS_TRY(plan, plan::make(input));
  }
  if (shown != nullptr) PAAS_CHECK(report::check_same(*shown, input, plan, session.origin()));
  for (const auto& warning : plan.warnings) program.say("warning: " + warning);
  warn_of_other_names(program, plan.losses);
  PAAS_CHECK(
      confirm_losses(program, plan.losses, "", shown == nullptr ? Asking::allowed : Asking::never));
  if (plan.empty()) {
    program.say(report::nothing_to_do(plan));
    // Counts and pins are part of the lockfile although no server has to change for them.
    if (plan.lockfile == session.loaded) return exit_status_of_reach(plan);
  } else {
    say_summary(program, session, input.observed, plan);
  }
  const auto before = session.loaded;
  auto variables = hook_variables(session, change, plan);
  const bool deploys = !variables["PAAS_SERVICES"].empty();
  if (deploys) PAAS_CHECK(run_hook(program, session, "pre-deploy", variables));
  const auto status = carry_out(program, session, change, input, plan);
  if (!status) {
    auto error = take_back(program, session, before, status.error());
    variables["PAAS_ERROR"] = describe(error);
    const auto told = deploys ? run_hook(program, session, "deploy-failed", variables) : Status();
    if (!told) program.say("warning: " + describe(told.error()));
    return fail(std::move(error));
  }
  PAAS_TRY(const int reached, exit_status_of_reach(plan));
  if (deploys) {
    variables["PAAS_RELEASES"] = releases_now(session, variables["PAAS_SERVICES"]);
    const auto told = run_hook(program, session, "post-deploy", variables);
    if (!told) return fail(told.error(), "after the change, which is done");
  }
  return *status == exit_done ? reached : *status;
}

Result<int> exit_status_of_reach(const plan::Plan& plan) {
  if (plan.unreached.empty()) return exit_done;
  return fail(
      ErrorKind::unreachable,
      fmt::format("whether {} {} as the stack says is unknown", fmt::join(plan.unreached, ", "),
                  plan.unreached.size() == 1 ? "is" : "are"),
      "`paasctl up` goes on when they answer; `paasctl server replace NAME` makes others "
      "in their place");
}

}  // namespace paas::cli
