// Plans how servers that have a container change to a new one: in which order, and what has to hold
// before requests go to it.
#include <fmt/format.h>

#include <algorithm>

#include "plan/balancer.hpp"
#include "plan/planner.hpp"
#include "plan/releases.hpp"
#include "plan/wanted.hpp"

namespace paas::plan {

namespace {

/// So that the canaries, of which one that takes its full share has this weight, get the share of
/// all requests, beside those that they are to replace. The arguments are sums of weights.
int weight_of_canaries(int canaries, int servers, int percent) {
  const auto share =
      haproxy::weight_in_rotation * servers * percent / (std::max(1, canaries) * (100 - percent));
  return std::max(1, share);
}

}  // namespace

Step& Planner::step_of(const std::string& id) {
  return *std::find_if(steps_.begin(), steps_.end(),
                       [&](const Step& step) { return step.id == id; });
}

const ImageState* Planner::image_of(const stack::Service& service) const {
  if (const auto held = input_.held.find(service.name); held != input_.held.end()) {
    return &held->second.image;
  }
  const auto image = input_.images.find(service.image);
  return image == input_.images.end() ? nullptr : &image->second;
}

/// Those that run a container of the service and get another one, or have one beside it already
/// that HAProxy does not send all of the server's requests to yet: an earlier run was interrupted.
std::vector<std::string> Planner::changing_servers(const stack::Service& service) const {
  std::vector<std::string> names;
  const auto placed = placed_.find(service.name);
  if (placed == placed_.end()) return names;
  for (const auto& server : placed->second) {
    const auto* inside = machine(server.name);
    if (inside == nullptr) continue;
    const bool runs =
        std::any_of(inside->containers.begin(), inside->containers.end(),
                    [&](const observe::Container& container) {
                      return container.service == service.name && holds_port(container);
                    });
    const bool changes = has_step("start_container/" + server.name) ? runs
                         : has_step("add_to_rotation/" + server.name)
                             ? is_changing_over(service, server.name)
                             : false;
    if (changes) names.push_back(server.name);
  }
  // A drained one proves nothing as a canary.
  std::stable_partition(names.begin(), names.end(), [&](const std::string& name) {
    return weight_of(lock_.servers.at(name)) > 0;
  });
  return names;
}

/// Whether the container of a release before still runs beside the current one.
bool Planner::is_changing_over(const stack::Service& service, const std::string& server) const {
  const auto* inside = machine(server);
  if (inside == nullptr) return false;
  const auto* current = current_container(*inside, lock_.servers.at(server));
  return current != nullptr && std::any_of(inside->containers.begin(), inside->containers.end(),
                                           [&](const observe::Container& container) {
                                             return &container != current &&
                                                    container.service == service.name &&
                                                    holds_port(container);
                                           });
}

std::vector<std::vector<std::string>> Planner::batches_of(std::vector<std::string> servers) const {
  const auto& rollout = input_.rollout;
  const auto count = servers.size();
  std::vector<std::vector<std::string>> batches;
  if (rollout.strategy == Strategy::bluegreen) return {servers};
  auto rest = servers.begin();
  const auto take = [&](std::size_t size) {
    const auto left = static_cast<std::size_t>(servers.end() - rest);
    const auto end = rest + static_cast<std::ptrdiff_t>(std::min(size, left));
    batches.emplace_back(rest, end);
    rest = end;
  };
  if (rollout.strategy == Strategy::canary) {
    take((count * static_cast<std::size_t>(rollout.canary_percent) + 99) / 100);
  }
  const auto size = rollout.max_unavailable > 0 ? static_cast<std::size_t>(rollout.max_unavailable)
                                                : std::max<std::size_t>(1, count / 4);
  while (rest != servers.end()) take(size);
  return batches;
}

/// Without a load balancer in front there is no moment between being there and being used: one
/// batch after the other stops the old container and starts the new one.
void Planner::change_in_place(const std::vector<std::vector<std::string>>& batches) {
  for (std::size_t i = 1; i < batches.size(); ++i) {
    for (const auto& name : batches[i]) {
      auto& after = step_of("start_container/" + name).after;
      for (const auto& before : batches[i - 1]) after.push_back("start_container/" + before);
    }
  }
}

Step& Planner::plan_let_in(const stack::Service& service, const std::string& key,
                           std::vector<std::string> batch, std::vector<std::string> after) {
  const auto& enter = step_of("add_to_rotation/" + batch.front());
  Cause cause{enter.reason, enter.cause};
  auto& step = add(StepKind::let_in, key, std::move(cause), std::move(after));
  step.service = service.name;
  step.batch = std::move(batch);
  return step;
}

/// The step after which the canaries have proven themselves.
std::vector<std::string> Planner::plan_canary(const stack::Service& service,
                                              const std::vector<std::string>& canaries,
                                              std::vector<std::string> after) {
  const auto& rollout = input_.rollout;
  auto& enter = plan_let_in(service, service.name + ".canary", canaries, std::move(after));
  int canary_weights = 0;
  int weights = 0;
  for (const auto& placed : placed_.at(service.name)) {
    const int weight = weight_of(lock_.servers.at(placed.name));
    weights += weight;
    const bool is_canary =
        std::find(canaries.begin(), canaries.end(), placed.name) != canaries.end();
    if (is_canary) canary_weights += weight;
  }
  enter.weight = weight_of_canaries(canary_weights, weights, rollout.canary_percent);
  enter.detail = fmt::format("{}% of the requests of {}", rollout.canary_percent, service.name);
  auto entered = enter.id;
  Cause cause{enter.reason, "it is taken back if it is worse than what was there before"};
  auto& watch = add(StepKind::watch_canary, service.name, std::move(cause), {std::move(entered)});
  watch.service = service.name;
  watch.batch = canaries;
  return {watch.id};
}

/// All new containers are healthy, by their own word and by HAProxy's, before the first of them
/// gets a request: a release that cannot serve is seen by nobody.
void Planner::change_in_rotation(const stack::Service& service,
                                 const std::vector<std::vector<std::string>>& batches) {
  std::vector<std::string> after;
  for (const auto& batch : batches) {
    for (const auto& name : batch) {
      step_of("add_to_rotation/" + name).weight = 0;
      after.push_back("add_to_rotation/" + name);
    }
  }
  if (input_.rollout.strategy == Strategy::canary) {
    for (auto& id : plan_canary(service, batches.front(), after)) after.push_back(std::move(id));
  }
  const auto first = fmt::format("let_in/{}.1", service.name);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const auto& step =
        plan_let_in(service, fmt::format("{}.{}", service.name, i + 1), batches[i], after);
    const auto id = step.id;
    for (const auto& name : batches[i]) step_of("retire_container/" + name).after.push_back(id);
    after.push_back(id);
  }
  wait_for_let_in(service, batches);
  // A server that is new gets no requests earlier than the first of those that were there.
  for (const auto& placed : placed_.at(service.name)) {
    const auto id = "add_to_rotation/" + placed.name;
    if (has_step(id) && !step_of(id).weight) step_of(id).after.push_back(first);
  }
}

/// What needs the service waits until its new containers serve, unless they need each other.
void Planner::wait_for_let_in(const stack::Service& service,
                              const std::vector<std::vector<std::string>>& batches) {
  for (auto& step : steps_) {
    const bool is_user =
        step.kind == StepKind::start_container || step.kind == StepKind::run_pre_release;
    if (!is_user || step.service == service.name) continue;
    for (std::size_t i = 0; i < batches.size(); ++i) {
      const auto waits =
          std::any_of(batches[i].begin(), batches[i].end(), [&](const std::string& name) {
            return std::find(step.after.begin(), step.after.end(), "add_to_rotation/" + name) !=
                   step.after.end();
          });
      if (waits) step.after.push_back(fmt::format("let_in/{}.{}", service.name, i + 1));
    }
  }
}

void Planner::plan_rollout(const stack::Service& service) {
  if (input_.rollout.strategy == Strategy::immediate) return;
  const auto servers = changing_servers(service);
  if (servers.empty()) return;
  const bool in_rotation =
      std::all_of(servers.begin(), servers.end(), [&](const std::string& name) {
        return has_step("add_to_rotation/" + name) && has_step("retire_container/" + name);
      });
  if (!in_rotation) {
    change_in_place(batches_of(servers));
  } else if (placed_.at("lb").front().created) {
    enter_new_balancer(servers);
  } else {
    change_in_rotation(service, batches_of(servers));
  }
}

/// A new load balancer has none of the old containers, and takes all new ones at the same time.
void Planner::enter_new_balancer(const std::vector<std::string>& servers) {
  for (const auto& name : servers) {
    auto& after = step_of("add_to_rotation/" + name).after;
    for (const auto& other : servers) after.push_back("start_container/" + other);
  }
}

/// A release is image, environment and rules: where only the rules are different, there is a new
/// one whose containers are those of the one before.
void Planner::note_changed_rules() {
  for (const auto& service : stack_.services) {
    if (service.type != stack::ServiceType::web || input_.held.contains(service.name)) continue;
    const auto* current = current_release(lock_, service.name);
    if (current == nullptr || !current->definition) continue;
    const auto is_started = [&](const Placed& placed) {
      return has_step("start_container/" + placed.name);
    };
    const auto& placed = placed_.at(service.name);
    if (std::any_of(placed.begin(), placed.end(), is_started)) continue;
    auto definition = stack::definition_of(stack_, service);
    const auto same_rule = [](const stack::PlacedRule& left, const stack::PlacedRule& right) {
      return left.rule == right.rule;
    };
    const auto& before = current->definition->rules;
    if (std::equal(before.begin(), before.end(), definition.rules.begin(), definition.rules.end(),
                   same_rule)) {
      continue;
    }
    auto next = *current;
    next.containers_of = containers_of(*current);
    auto& entry = lock_.services.at(service.name);
    next.number = entry.releases.back().number + 1;
    next.definition = std::move(definition);
    next.cause = "its rules change";
    next.created.clear();
    next.by.clear();
    add_release(entry, std::move(next));
  }
}

}  // namespace paas::plan
