// Plans the load balancer: its configuration, who is in rotation, and where containers find it.
#include <fmt/format.h>

#include <algorithm>

#include "haproxy/configuration.hpp"
#include "lockfile/names.hpp"
#include "plan/balancer.hpp"
#include "plan/planner.hpp"
#include "plan/releases.hpp"

namespace paas::plan {

namespace {

bool has(const std::map<std::string, std::set<std::string>>& backends, const std::string& backend,
         const std::string& name) {
  const auto found = backends.find(backend);
  return found != backends.end() && found->second.contains(name);
}

/// Names in HAProxy and in its configuration on disk, which it reads when it starts again.
std::map<std::string, std::set<std::string>> all_names(const observe::Balancer& balancer) {
  auto names = balancer.known;
  for (const auto& backend : haproxy::servers_of(balancer.configuration)) {
    for (const auto& server : backend.servers) names[backend.name].insert(server.name);
  }
  return names;
}

/// With whatever weight.
bool is_on_disk(const observe::Balancer& balancer, const std::string& name,
                const haproxy::Server& server) {
  for (const auto& backend : haproxy::servers_of(balancer.configuration)) {
    if (backend.name != name) continue;
    const auto& servers = backend.servers;
    return std::any_of(servers.begin(), servers.end(), [&](const haproxy::Server& entry) {
      return entry.name == server.name && entry.address == server.address &&
             entry.port == server.port;
    });
  }
  return false;
}

}  // namespace

const observe::Balancer* Planner::balancer() const {
  const auto placed = placed_.find("lb");
  if (placed == placed_.end() || placed->second.empty()) return nullptr;
  const auto* inside = machine(placed->second.front().name);
  return inside != nullptr && inside->balancer ? &*inside->balancer : nullptr;
}

/// Whether HAProxy's configuration is what the stack said when it was applied.
bool Planner::is_balancer_as_applied() const {
  const auto& before = input_.lockfile;
  if (!before.applied || !before.applied->lb) return false;
  const auto meant = haproxy::render(balancer_setup(*before.applied, before));
  return meant &&
         haproxy::without_servers(*meant) == haproxy::without_servers(balancer()->configuration);
}

Cause Planner::reason_to_configure(const Placed& placed) const {
  if (placed.created) return {placed.reason, "it is new"};
  const auto* seen_balancer = balancer();
  if (seen_balancer == nullptr) return {};
  const auto wanted = haproxy::render(balancer_setup(stack_, lock_));
  if (!seen_balancer->running) return drift("HAProxy does not run");
  if (!wanted) return {};
  if (haproxy::without_servers(*wanted) != haproxy::without_servers(seen_balancer->configuration)) {
    return {is_balancer_as_applied() ? Reason::change : Reason::drift,
            "its ports, rules or services differ from what the stack says"};
  }
  if (haproxy::mark_of(*wanted) != seen_balancer->mark) {
    return drift("HAProxy runs with an older configuration than the one on disk");
  }
  return {};
}

void Planner::plan_balancer() {
  if (!stack_.lb) return;
  const auto& placed = placed_["lb"].front();
  const auto cause = reason_to_configure(placed);
  if (cause.empty()) return;
  std::vector<std::string> after = {
      "prepare_server/" + placed.name, "power_on_server/" + placed.name, "create_firewall/lb",
      "put_certificates/" + placed.name, "move_certificates/" + placed.name};
  if (const auto gradual = gradual_change()) {
    first_ = services_before_rules();
    const auto mark = haproxy::mark_of(*gradual);
    if (mark != haproxy::mark_of(balancer()->configuration) || mark != balancer()->mark) {
      auto& prepare = add(
          StepKind::prepare_balancer, placed.name,
          Cause{cause.reason, "requests go on as before until the new rules can be served"}, after);
      prepare.service = "lb";
      prepare.server = placed.name;
      after.push_back(prepare.id);
    }
  }
  auto& step = add(StepKind::configure_balancer, placed.name, cause, after);
  step.service = "lb";
  step.server = placed.name;
}

/// What HAProxy shall serve until the new rules can be; nothing when it can change at once.
std::optional<std::string> Planner::gradual_change() const {
  const auto* seen_balancer = balancer();
  if (seen_balancer == nullptr || !seen_balancer->running) return std::nullopt;
  // One that takes another's place serves nobody yet.
  if (!steps_of_old_balancer().empty()) return std::nullopt;
  const auto& current = seen_balancer->configuration;
  const auto wanted = haproxy::render(balancer_setup(stack_, lock_));
  // What somebody edited is not served any longer than it has to be.
  if (!wanted || !haproxy::is_intact(current)) return std::nullopt;
  const auto& listen = stack_.lb->listen;
  const bool listens = std::any_of(listen.begin(), listen.end(), [&](int port) {
    return current.find(fmt::format("    bind *:{}\n", port)) != std::string::npos;
  });
  if (!listens || services_before_rules().empty()) return std::nullopt;
  return haproxy::transition(current, *wanted);
}

/// Services that servers, those that leave among them, have been linked to this one for.
std::set<std::string> Planner::clients_of(const std::string& service) const {
  const auto tag = lockfile::client_tag(stack_.name, service);
  std::set<std::string> clients;
  for (const auto& [name, server] : lock_.servers) {
    const auto* found = seen(name);
    if (found == nullptr) continue;
    const auto& tags = found->droplet.tags;
    if (std::find(tags.begin(), tags.end(), tag) != tags.end()) clients.insert(server.service);
  }
  return clients;
}

/// Services that the rules newly lead to and nobody serves yet.
std::set<std::string> Planner::new_targets() const {
  const auto wanted = haproxy::render(balancer_setup(stack_, lock_));
  const auto served = haproxy::rule_targets_of(balancer()->configuration);
  const auto& in_rotation = balancer()->in_rotation;
  std::set<std::string> result;
  for (const auto& target : haproxy::rule_targets_of(*wanted)) {
    const auto names = in_rotation.find(target);
    const bool has_servers =
        is_drained(target) || (names != in_rotation.end() && !names->second.empty());
    if (!served.contains(target) && !has_servers) result.insert(target);
  }
  return result;
}

/// Services that have to be as the stack says before the rules are: the new targets, those with
/// containers that still use a service which goes, and what all of these wait for.
std::set<std::string> Planner::services_before_rules() const {
  const auto& current = balancer()->configuration;
  auto first = new_targets();
  for (const auto& backend : haproxy::servers_of(current)) {
    const auto* service = stack::find_service(stack_, backend.name);
    if (service != nullptr && service->type == stack::ServiceType::web) continue;
    first.merge(clients_of(backend.name));
  }
  auto result = first;
  for (const auto& service : stack_.services) {
    const bool is_waited_for = std::any_of(
        first.begin(), first.end(), [&](const auto& name) { return reaches(name, service.name); });
    if (is_waited_for) result.insert(service.name);
  }
  return result;
}

/// The new rules come after all that puts these services' servers into rotation and takes them out.
/// What does so for other services comes after the rules, never beside a reload.
Status Planner::finish_gradual_change() {
  if (first_.empty()) return {};
  for (const auto& target : new_targets()) {
    const auto& servers = placed_.at(target);
    const bool can_serve = std::any_of(servers.begin(), servers.end(), [&](const Placed& server) {
      return has_step("add_to_rotation/" + server.name);
    });
    if (can_serve) continue;
    const auto off = std::find_if(servers.begin(), servers.end(), [&](const Placed& server) {
      return has_step("power_on_server/" + server.name);
    });
    if (off != servers.end()) {
      waits_for_power_ = true;
      warnings_.push_back(
          fmt::format("the new rules lead to {}, and {} is off: all else follows when it is on",
                      target, off->name));
      return {};
    }
    const auto& name = servers.front().name;
    return fail(
        ErrorKind::unreachable,
        fmt::format("the new rules lead to {}, and none of its servers can be looked at: "
                    "{}: {}",
                    target, name, seen(name)->unreachable),
        fmt::format("nothing was changed; `paasctl server replace {}` makes another one", name));
  }
  std::vector<std::string> before;
  for (const auto& step : steps_) {
    const bool counts = step.kind == StepKind::add_to_rotation || step.kind == StepKind::let_in ||
                        step.kind == StepKind::retire_container ||
                        step.kind == StepKind::set_weight ||
                        step.kind == StepKind::remove_from_rotation;
    if (counts && first_.contains(step.service)) before.push_back(step.id);
  }
  for (auto& step : steps_) {
    if (step.kind != StepKind::configure_balancer) continue;
    step.after.insert(step.after.end(), before.begin(), before.end());
  }
  return {};
}

/// Whether HAProxy knows the service when it shall be put into rotation. One that is off learns of
/// new services when it is on and was looked at.
bool Planner::has_backend(const std::string& service) const {
  if (!has_step("power_on_server/" + placed_.at("lb").front().name)) return true;
  const auto& applied = input_.lockfile.applied;
  return applied && stack::find_service(*applied, service) != nullptr;
}

/// After these HAProxy knows the service's backend, and no reload is under way beside it.
std::vector<std::string> Planner::steps_before_rotation(const std::string& service) const {
  const auto& name = placed_.at("lb").front().name;
  return {(first_.contains(service) ? "prepare_balancer/" : "configure_balancer/") + name,
          "power_on_server/" + name};
}

void Planner::plan_rotation(const stack::Service& service) {
  if (service.type != stack::ServiceType::web || !stack_.lb) return;
  const auto& lb = placed_["lb"].front();
  const auto* seen_balancer = balancer();
  for (const auto& placed : placed_[service.name]) {
    if (has_step("add_to_rotation/" + placed.name)) continue;
    Cause cause;
    const auto wanted = balancer_server(lock_, placed.name, lock_.servers.at(placed.name));
    // What was off and never had a container gets one when it is on.
    const bool reachable = placed.looked_at || (has_step("power_on_server/" + placed.name) &&
                                                lock_.servers.at(placed.name).release > 0);
    if (lb.created) {
      cause = {lb.reason, "the load balancer is new"};
    } else if (seen_balancer != nullptr && reachable) {
      if (!has(seen_balancer->known, service.name, wanted.name)) {
        cause = drift("HAProxy does not know it");
      } else if (wanted.weight > 0 && !has(seen_balancer->in_rotation, service.name, wanted.name)) {
        cause = drift("HAProxy sends it no requests");
      } else if (!is_on_disk(*seen_balancer, service.name, wanted)) {
        cause = drift("HAProxy's configuration on disk lacks it");
      } else if (is_changing_over(service, placed.name) && serves_older(service, placed.name)) {
        // Both get requests, as beside a canary.
        cause = unfinished("an earlier run did not change it over to its new container");
      }
    }
    if (cause.empty()) continue;
    auto after = steps_before_rotation(service.name);
    for (const auto& id : {"power_on_server/" + placed.name, "create_firewall/" + service.name,
                           "update_firewall/" + service.name}) {
      after.push_back(id);
    }
    auto& step = add(StepKind::add_to_rotation, placed.name, cause, after);
    step.service = service.name;
    step.server = placed.name;
  }
}

/// Whether HAProxy sends requests to a container of a release before the server's current one.
bool Planner::serves_older(const stack::Service& service, const std::string& server) const {
  const auto& in_rotation = balancer()->in_rotation;
  const auto names = in_rotation.find(service.name);
  if (names == in_rotation.end()) return false;
  const auto current = rotation_name(server, lock_.servers.at(server).release);
  return std::any_of(names->second.begin(), names->second.end(), [&](const std::string& name) {
    return name != current && name.substr(0, name.rfind(".r")) == server;
  });
}

/// Entries of servers that leave, that are unknown or of releases that nothing is left of.
void Planner::plan_stale_rotation() {
  if (!stack_.lb || placed_.at("lb").front().created) return;
  const auto* seen_balancer = balancer();
  if (seen_balancer == nullptr) {
    // Whether HAProxy sends it requests is unknown, so it is not destroyed before it was asked to
    // stop.
    for (const auto& [name, cause] : departures_) {
      const auto& service = lock_.servers.at(name).service;
      // Only web services have slots, also those that left the stack.
      if (lock_.services[service].slots.empty() || seen(name) == nullptr) continue;
      if (lock_.servers.at(name).warm) continue;
      plan_leave_of_rotation(name, name, service, cause);
    }
    return;
  }
  for (const auto& [backend, names] : all_names(*seen_balancer)) {
    if (stack::find_service(stack_, backend) == nullptr) continue;
    for (const auto& name : names) plan_stale_name(backend, name);
  }
}

void Planner::plan_stale_name(const std::string& backend, const std::string& name) {
  const auto server = name.substr(0, name.rfind(".r"));
  const auto entry = lock_.servers.find(server);
  if (entry == lock_.servers.end()) {
    plan_leave_of_rotation(server, server, backend, drift("no server of that name is known"));
    return;
  }
  if (const auto leaving = departures_.find(server); leaving != departures_.end()) {
    plan_leave_of_rotation(server, server, backend, leaving->second);
    return;
  }
  // Those of older releases go with the container they belong to.
  const auto* inside = machine(server);
  if (inside == nullptr || name == rotation_name(server, entry->second.release) ||
      has_step("retire_container/" + server)) {
    return;
  }
  const bool has_container =
      std::any_of(inside->containers.begin(), inside->containers.end(), [&](const auto& container) {
        return holds_port(container) && rotation_name(server, container.release) == name;
      });
  if (has_container) return;
  auto* step = plan_leave_of_rotation(name, server, backend, drift("its container is gone"));
  if (step != nullptr) step->subject = name;
}

/// The step, if it was not there yet.
Step* Planner::plan_leave_of_rotation(const std::string& key, const std::string& server,
                                      const std::string& service, const Cause& cause) {
  if (has_step("remove_from_rotation/" + key)) return nullptr;
  auto after = steps_before_rotation(service);
  // A server whose droplet is gone only costs failed connections: it leaves at once.
  if (seen(server) != nullptr) {
    for (const auto& placed : placed_[service]) after.push_back("add_to_rotation/" + placed.name);
  }
  auto& step = add(StepKind::remove_from_rotation, key, cause, after);
  step.service = service;
  step.server = server;
  return &step;
}

/// Whether a load balancer that leaves still serves.
bool Planner::has_old_balancer() const {
  return std::any_of(departures_.begin(), departures_.end(), [&](const auto& departure) {
    const auto* found = seen(departure.first);
    return found != nullptr && found->droplet.status == "active" &&
           lock_.servers.at(departure.first).service == "lb";
  });
}

/// What has to be done before a load balancer that takes another one's place can be relied on.
/// While the old one serves there is time: the new one first knows every server. Otherwise it is
/// enough that it knows those that are there, and servers that are made in the same run are not
/// waited for.
std::vector<std::string> Planner::steps_of_new_balancer() const {
  const auto& balancer_name = placed_.at("lb").front().name;
  const bool has_time = has_old_balancer();
  std::vector<std::string> steps = {"create_server/" + balancer_name,
                                    "configure_balancer/" + balancer_name};
  for (const auto& [service, placed_servers] : placed_) {
    for (const auto& placed : placed_servers) {
      if (has_time || !has_step("start_container/" + placed.name)) {
        steps.push_back("add_to_rotation/" + placed.name);
      }
    }
  }
  return steps;
}

/// A load balancer that is replaced knows nothing of this run's servers and sends its requests to
/// what was there before: that stays until it is gone itself.
std::vector<std::string> Planner::steps_of_old_balancer() const {
  std::vector<std::string> steps;
  for (const auto& [name, cause] : departures_) {
    if (lock_.servers.at(name).service == "lb") steps.push_back("delete_server/" + name);
  }
  return steps;
}

void Planner::plan_hosts() {
  for (const auto& [service, placed_servers] : placed_) {
    if (service == "lb") continue;
    for (const auto& placed : placed_servers) {
      const auto* inside = machine(placed.name);
      if (inside == nullptr || has_step("start_container/" + placed.name)) continue;
      const bool balancer_changes = stack_.lb && placed_.at("lb").front().created;
      if (!balancer_changes && inside->hosts == hosts_file(lock_)) continue;
      // What is as the lockfile says now was not edited: the lockfile is about to change.
      const auto reason =
          inside->hosts == hosts_file(input_.lockfile) ? Reason::change : Reason::drift;
      std::vector<std::string> after;
      if (stack_.lb) after = steps_of_new_balancer();
      auto& step = add(StepKind::write_hosts, placed.name,
                       Cause{balancer_changes ? placed_.at("lb").front().reason : reason,
                             "the load balancer's address changed"},
                       after);
      step.service = service;
      step.server = placed.name;
    }
  }
}

}  // namespace paas::plan
