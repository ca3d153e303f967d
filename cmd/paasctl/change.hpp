// The way that every change goes: look, plan, show, carry out, and take back what failed.
#pragma once

#include <functional>
#include <string>

#include "plan/make.hpp"
#include "program.hpp"
#include "report/plan_file.hpp"
#include "session.hpp"

namespace paas::cli {

/// A plan on standard output, as --output says.
void print_plan(Program& program, const plan::Plan& plan);

/// The usual way of a change: guard, look, plan, show, execute. `prepare` may change the lockfile
/// before planning (counts) and the input after looking (restarts).
struct Change {
  std::string command;
  std::function<Status(Session&)> prepare;
  std::function<void(plan::Input&)> adjust;
  /// What to say again after an interruption; `paasctl up` goes on with all that is written down.
  std::string resume = {};
  plan::Rollout rollout = {};
  /// What was shown: nothing else is done, and nobody is asked. Null: what has to be done is.
  const report::PlanFile* shown = nullptr;
};
Result<int> apply_change(Program& program, Session& session, const Change& change);

/// Nobody may take a stack for being as its file says when servers of it did not answer.
Result<int> exit_status_of_reach(const plan::Plan& plan);

}  // namespace paas::cli
