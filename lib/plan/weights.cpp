// Plans the weights of servers in rotation.
#include "plan/weights.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "haproxy/configuration.hpp"
#include "plan/balancer.hpp"
#include "plan/planner.hpp"

namespace paas::plan {

namespace {

/// What the file on the load balancer's disk says; nothing when the server is not in it.
std::optional<int> weight_on_disk(const observe::Balancer& balancer, const std::string& service,
                                  const std::string& name) {
  for (const auto& backend : haproxy::servers_of(balancer.configuration)) {
    for (const auto& entry : backend.servers) {
      if (backend.name == service && entry.name == name) return entry.weight;
    }
  }
  return std::nullopt;
}

std::optional<int> weight_in_haproxy(const observe::Balancer& balancer, const std::string& service,
                                     const std::string& name) {
  const auto backend = balancer.weights.find(service);
  if (backend == balancer.weights.end()) return std::nullopt;
  const auto weight = backend->second.find(name);
  return weight == backend->second.end() ? std::nullopt : std::optional(weight->second);
}

bool takes_requests(const lockfile::Server& server) {
  return !server.leaving && server.release > 0 && server.weight != 0;
}

Status check_weighable(const lockfile::Lockfile& lockfile, const std::string& name) {
  const auto& server = lockfile.servers.at(name);
  const auto* service =
      lockfile.applied ? stack::find_service(*lockfile.applied, server.service) : nullptr;
  if (service == nullptr || service->type != stack::ServiceType::web) {
    return fail(ErrorKind::usage, fmt::format("{} is no server of a web service", name),
                "the load balancer sends requests to those only");
  }
  if (!lockfile.applied->lb || balancer_of(lockfile) == nullptr) {
    return fail(ErrorKind::failed, "the stack has no load balancer that is up",
                "declare `lb:` in the stack file and run `paasctl up`");
  }
  if (server.leaving) return fail(ErrorKind::failed, fmt::format("{} is being removed", name));
  if (server.warm) {
    return fail(ErrorKind::failed, fmt::format("{} is kept warm and takes no requests", name),
                fmt::format("`paasctl server up {}` lets it serve", server.service));
  }
  if (server.release == 0) {
    return fail(ErrorKind::failed, fmt::format("{} has no container yet", name),
                "`paasctl up` goes on with it");
  }
  return {};
}

/// Its clients would be told that nobody can answer.
Status check_rest(const lockfile::Lockfile& lockfile, const std::string& name) {
  const auto& service = lockfile.servers.at(name).service;
  const bool others_answer =
      std::any_of(lockfile.servers.begin(), lockfile.servers.end(), [&](const auto& entry) {
        return entry.second.service == service && entry.first != name &&
               takes_requests(entry.second);
      });
  if (others_answer) return {};
  return fail(
      ErrorKind::failed,
      fmt::format("{} is the last server of {} that takes requests: users would see 503", name,
                  service),
      "`paasctl lb enable` lets another one in first; --force drains this one all the same");
}

}  // namespace

std::string describe_weight(int weight) {
  return weight == 0 ? "drained" : fmt::format("weight {}", weight);
}

Result<Plan> weigh(const lockfile::Lockfile& lockfile, const std::string& server, int weight,
                   Emptying emptying) {
  if (weight < 0 || weight > haproxy::weight_max) {
    return fail(ErrorKind::usage, fmt::format("{} is no weight", weight),
                fmt::format("it is from 0, which is drained, to {}; servers have {} else",
                            haproxy::weight_max, haproxy::weight_in_rotation));
  }
  PAAS_CHECK(check_weighable(lockfile, server));
  if (weight == 0 && emptying == Emptying::refuse) PAAS_CHECK(check_rest(lockfile, server));
  Plan plan;
  plan.lockfile = lockfile;
  auto& entry = plan.lockfile.servers.at(server);
  entry.weight.reset();
  if (weight != haproxy::weight_in_rotation) entry.weight = weight;
  Step step;
  step.kind = StepKind::set_weight;
  step.id = to_text(step.kind) + "/" + server;
  step.service = entry.service;
  step.server = server;
  step.detail = describe_weight(weight);
  step.cause = "you asked for it";
  step.reason = Reason::request;
  plan.steps.push_back(std::move(step));
  return plan;
}

/// Why HAProxy, or the file that it starts from, has to be told the weight of one that it knows.
Cause Planner::reason_to_weigh(const std::string& service, const haproxy::Server& wanted) const {
  const auto now = weight_in_haproxy(*balancer(), service, wanted.name);
  // A canary whose run was interrupted has another one as well.
  if (now && *now != wanted.weight) {
    return drift(fmt::format("HAProxy has it as {}", describe_weight(*now)));
  }
  const auto written = weight_on_disk(*balancer(), service, wanted.name);
  if (written && *written != wanted.weight) {
    return drift(
        fmt::format("HAProxy's configuration on disk has it as {}", describe_weight(*written)));
  }
  return {};
}

/// Of servers that nothing else puts into rotation, which would give them their weight.
void Planner::plan_weights(const stack::Service& service) {
  if (service.type != stack::ServiceType::web || !stack_.lb || balancer() == nullptr) return;
  for (const auto& placed : placed_[service.name]) {
    if (has_step("add_to_rotation/" + placed.name)) continue;
    const auto wanted = balancer_server(lock_, placed.name, lock_.servers.at(placed.name));
    const auto cause = reason_to_weigh(service.name, wanted);
    if (cause.empty()) continue;
    auto& step = add(StepKind::set_weight, placed.name, cause, steps_before_rotation(service.name));
    step.service = service.name;
    step.server = placed.name;
    step.detail = describe_weight(wanted.weight);
    const auto retire = "retire_container/" + placed.name;
    const auto id = step.id;
    if (has_step(retire)) step_of(retire).after.push_back(id);
  }
}

/// Whether somebody told all of its servers to take no requests.
bool Planner::is_drained(const std::string& service) const {
  const auto placed = placed_.find(service);
  if (placed == placed_.end() || placed->second.empty()) return false;
  return std::all_of(placed->second.begin(), placed->second.end(), [&](const Placed& server) {
    return lock_.servers.at(server.name).weight == 0;
  });
}

void Planner::warn_of_drained() {
  for (const auto& service : stack_.services) {
    if (!is_drained(service.name)) continue;
    warnings_.push_back(
        fmt::format("all servers of {0} are drained, its users see 503: `paasctl lb enable {1}` "
                    "lets one take requests",
                    service.name, placed_.at(service.name).front().name));
  }
}

}  // namespace paas::plan
