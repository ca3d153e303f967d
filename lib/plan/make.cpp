// plan::make: the order in which the parts of a stack are compared.
#include "plan/make.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lockfile/names.hpp"
#include "lockfile/ownership.hpp"
#include "plan/losses.hpp"
#include "plan/numbers.hpp"
#include "plan/planner.hpp"
#include "plan/releases.hpp"

namespace paas::plan {

namespace {

/// "2 droplets (shop-web-1, shop-web-2)"; of many only the first are named.
std::string counted(const std::string& noun, std::vector<std::string> names) {
  constexpr std::size_t named_max = 3;
  const auto count = names.size();
  if (count > named_max) {
    names.resize(named_max);
    names.emplace_back("...");
  }
  return fmt::format("{} {}{} ({})", count, noun, count == 1 ? "" : "s", fmt::join(names, ", "));
}

/// What carries the stack's tag, in words; empty when nothing does.
std::string text_of_tagged(const std::string& stack, const observe::Observed& observed) {
  const auto is_tagged = [&](const std::vector<std::string>& tags) {
    return lockfile::belongs(tags, stack, lockfile::Intent::none);
  };
  std::vector<std::string> droplets;
  for (const auto& [name, server] : observed.servers) {
    // A builder may show up after it was given up; it is no sign of another lockfile.
    if (is_tagged(server.droplet.tags) && !lockfile::is_builder_name(name)) {
      droplets.push_back(name);
    }
  }
  std::vector<std::string> firewalls;
  for (const auto& [name, firewall] : observed.firewalls) {
    if (is_tagged(firewall.spec.tags)) firewalls.push_back(name);
  }
  std::vector<std::string> volumes;
  for (const auto& [name, volume] : observed.volumes) {
    if (is_tagged(volume.tags)) volumes.push_back(name);
  }
  std::vector<std::string> parts;
  if (!droplets.empty()) parts.push_back(counted("droplet", std::move(droplets)));
  if (!firewalls.empty()) parts.push_back(counted("firewall", std::move(firewalls)));
  if (!volumes.empty()) parts.push_back(counted("volume", std::move(volumes)));
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

Planner::Planner(const Input& input) : input_(input), stack_(input.stack), lock_(input.lockfile) {}

Step& Planner::add(StepKind kind, const std::string& key, Cause cause,
                   std::vector<std::string> after) {
  Step step;
  step.kind = kind;
  step.id = to_text(kind) + "/" + key;
  step.cause = std::move(cause.text);
  step.reason = cause.reason;
  step.after = std::move(after);
  ids_.insert(step.id);
  steps_.push_back(std::move(step));
  return steps_.back();
}

const observe::Server* Planner::seen(const std::string& server) const {
  const auto found = input_.observed.servers.find(server);
  return found == input_.observed.servers.end() ? nullptr : &found->second;
}

const observe::Machine* Planner::machine(const std::string& server) const {
  const auto* found = seen(server);
  return found != nullptr && found->machine ? &*found->machine : nullptr;
}

Status check_found(const lockfile::Lockfile& lockfile, const observe::Observed& observed) {
  std::size_t known = 0;
  for (const auto& [name, server] : lockfile.servers) {
    if (server.leaving || server.droplet.id.empty()) continue;
    if (observed.servers.contains(name)) return {};
    ++known;
  }
  if (known == 0) return {};
  // A lone droplet may have been deleted by hand; what else is found says that the look is right.
  const bool sees_others = observed.vpc || !observed.firewalls.empty() || !observed.volumes.empty();
  if (known == 1 && sees_others) return {};
  return fail(ErrorKind::invalid,
              known == 1
                  ? "the droplet that the lockfile knows is not found, and nothing else of "
                    "the stack"
                  : fmt::format("none of the {} droplets that the lockfile knows is found", known),
              "nothing was changed: see whether the token is the right one; if all of them were "
              "deleted, `paasctl up --accept-loss` makes new ones and `down --accept-loss` forgets "
              "them");
}

Status check_owner(const std::string& stack, const lockfile::Lockfile& lockfile,
                   const observe::Observed& observed) {
  // A run writes down what it is about to make, so one that was killed knows some of them. A
  // registered key is no sign: `image save --snapshot` makes one before the first `up`.
  if (!lockfile.servers.empty() || !lockfile.firewalls.empty() || !lockfile.volumes.empty()) {
    PAAS_CHECK(check_numbers(stack, lockfile, observed));
    return check_releases(lockfile, observed);
  }
  const auto found = text_of_tagged(stack, observed);
  if (found.empty()) return {};
  return fail(
      ErrorKind::invalid,
      fmt::format("there are things of stack {} that this lockfile did not make: {}", stack, found),
      "nothing was changed: use the lockfile that made them, or rename the stack; if that "
      "lockfile is lost, `paasctl state rebuild` makes one from what is there");
}

/// The rest is planned once the servers are on: what has to be done there before the rules may be
/// is unknown, and whoever serves by the rules of now stays until then. The lockfile is as it was,
/// so that nothing counts as begun or confirmed.
Plan Planner::only_power_on() {
  Plan plan;
  plan.waits_for_power = true;
  std::copy_if(steps_.begin(), steps_.end(), std::back_inserter(plan.steps),
               [](const Step& step) { return step.kind == StepKind::power_on_server; });
  plan.lockfile = input_.lockfile;
  plan.held = input_.held;
  plan.warnings = std::move(warnings_);
  plan.unreached = std::move(unreached_);
  return plan;
}

Result<Plan> Planner::make() {
  PAAS_CHECK(check_owner(stack_.name, lock_, input_.observed));
  if (!input_.accept_loss) PAAS_CHECK(check_found(lock_, input_.observed));
  PAAS_CHECK(check_region());
  PAAS_CHECK(allocate());
  PAAS_CHECK(begin_password_rotations());
  warn_of_kept_releases();
  plan_key();
  plan_vpc();
  std::vector<std::string> roles;
  if (stack_.lb) roles.emplace_back("lb");
  for (const auto& service : stack_.services) roles.push_back(service.name);
  for (const auto& role : roles) PAAS_CHECK(plan_firewall(role));
  plan_images();
  for (const auto& service : stack_.services) PAAS_CHECK(plan_volume(service));
  for (const auto& role : roles) plan_servers(role);
  plan_departures();
  plan_certificates();
  plan_moved_certificates();
  plan_balancer();
  plan_new_passwords();
  for (const auto& service : stack_.services) plan_containers(service);
  for (const auto& service : stack_.services) plan_pre_release(service);
  for (const auto& service : stack_.services) plan_warm(service);
  for (const auto& service : stack_.services) plan_rotation(service);
  for (const auto& service : stack_.services) plan_rollout(service);
  for (const auto& service : stack_.services) plan_weights(service);
  plan_maintenance();
  plan_address();
  plan_issue();
  plan_stale_certificates();
  plan_stale_rotation();
  plan_hosts();
  plan_old_passwords();
  plan_leftover_firewalls();
  PAAS_CHECK(finish_gradual_change());
  if (waits_for_power_) return only_power_on();
  plan_closing();
  wait_for_resumed();
  note_changed_rules();
  warn_of_drained();
  warn_of_maintenance();
  const auto count = steps_.size();
  Plan plan;
  plan.steps = ordered(std::move(steps_));
  if (plan.steps.size() != count) {
    return fail(ErrorKind::failed, "steps of the plan wait for each other in a circle",
                "this is a fault of paasctl; nothing was changed");
  }
  plan.losses = data_losses(plan.steps, input_.lockfile);
  const auto serving = serving_losses(plan.steps, input_.lockfile);
  plan.losses.insert(plan.losses.end(), serving.begin(), serving.end());
  plan.lockfile = std::move(lock_);
  plan.held = input_.held;
  plan.warnings = std::move(warnings_);
  plan.unreached = std::move(unreached_);
  return plan;
}

/// Who reads the stack file only would not know.
void Planner::warn_of_kept_releases() {
  for (const auto& [name, service] : lock_.services) {
    if (stack::find_service(stack_, name) == nullptr) continue;
    constexpr std::string_view way_on =
        "`paasctl deploy {0}` or `paasctl up --unpin` goes on with the stack file";
    if (service.pinned != 0) {
      warnings_.push_back(fmt::format("{0} is kept at release {1} by a rollback: {2}", name,
                                      service.pinned, fmt::format(fmt::runtime(way_on), name)));
    } else if (!service.image.empty()) {
      warnings_.push_back(
          fmt::format("{0} runs {1}, which was deployed in place of the stack "
                      "file's image: {2}",
                      name, service.image, fmt::format(fmt::runtime(way_on), name)));
    }
  }
}

Result<Plan> make(const Input& input) { return Planner(input).make(); }

std::vector<Step> ordered(std::vector<Step> steps) {
  std::set<std::string> ids;
  for (const auto& step : steps) ids.insert(step.id);
  for (auto& step : steps) {
    std::erase_if(step.after, [&](const std::string& id) { return !ids.contains(id); });
    std::sort(step.after.begin(), step.after.end());
    step.after.erase(std::unique(step.after.begin(), step.after.end()), step.after.end());
  }
  std::vector<Step> result;
  std::set<std::string> done;
  std::vector<bool> taken(steps.size(), false);
  bool progress = true;
  while (progress) {
    progress = false;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (taken[i]) continue;
      const bool ready = std::all_of(steps[i].after.begin(), steps[i].after.end(),
                                     [&](const std::string& id) { return done.contains(id); });
      if (!ready) continue;
      taken[i] = true;
      done.insert(steps[i].id);
      result.push_back(std::move(steps[i]));
      progress = true;
    }
  }
  return result;
}

std::string volume_device(const std::string& volume) {
  return "/dev/disk/by-id/scsi-0DO_Volume_" + volume;
}

std::string volume_folder(const std::string& volume) { return "/mnt/" + volume; }

}  // namespace paas::plan
