// Plans maintenance.
#include "plan/maintenance.hpp"

#include "haproxy/maintenance.hpp"
#include "plan/balancer.hpp"
#include "plan/planner.hpp"

namespace paas::plan {

namespace {

/// What HAProxy has now; nothing when the configuration that it runs has no switch.
std::optional<bool> maintenance_in_haproxy(const observe::Balancer& balancer) {
  const auto backend = balancer.weights.find(std::string(haproxy::maintenance_backend));
  if (backend == balancer.weights.end()) return std::nullopt;
  const auto server = backend->second.find(std::string(haproxy::maintenance_server));
  if (server == backend->second.end()) return std::nullopt;
  return server->second > 0;
}

std::string word_of(bool on) { return on ? "on" : "off"; }

}  // namespace

Result<Plan> maintain(const lockfile::Lockfile& lockfile, Maintenance maintenance) {
  const bool listens =
      lockfile.applied && lockfile.applied->lb && !lockfile.applied->lb->listen.empty();
  if (!listens || !lockfile.lb || balancer_of(lockfile) == nullptr) {
    return fail(ErrorKind::failed, "the stack has no load balancer that is up",
                "declare `lb:` in the stack file and run `paasctl up`");
  }
  Plan plan;
  plan.lockfile = lockfile;
  plan.lockfile.lb->maintenance = maintenance == Maintenance::on;
  Step step;
  step.kind = StepKind::set_maintenance;
  step.id = to_text(step.kind) + "/lb";
  step.service = "lb";
  step.subject = word_of(plan.lockfile.lb->maintenance);
  step.cause = "you asked for it";
  step.reason = Reason::request;
  plan.steps.push_back(std::move(step));
  return plan;
}

/// Of a HAProxy that is not given another configuration anyhow, which has it.
void Planner::plan_maintenance() {
  if (!stack_.lb || balancer() == nullptr) return;
  const auto& name = placed_.at("lb").front().name;
  if (has_step("configure_balancer/" + name)) return;
  const bool wanted = lock_.lb && lock_.lb->maintenance;
  const auto now = maintenance_in_haproxy(*balancer());
  const auto written = haproxy::maintenance_of(balancer()->configuration);
  Cause cause;
  if (now && *now != wanted) {
    cause = drift("it is " + word_of(*now) + " in HAProxy");
  } else if (written && *written != wanted) {
    cause = drift("it is " + word_of(*written) + " in HAProxy's configuration on disk");
  }
  if (cause.empty()) return;
  auto& step = add(StepKind::set_maintenance, "lb", cause, {"power_on_server/" + name});
  step.service = "lb";
  step.subject = word_of(wanted);
}

void Planner::warn_of_maintenance() {
  if (!stack_.lb || !lock_.lb || !lock_.lb->maintenance) return;
  warnings_.emplace_back(
      "maintenance is on, users get a page with status 503: `paasctl lb maintenance off` ends it");
}

}  // namespace paas::plan
