// Steps of a plan on the load balancer, carried out on plain values.
#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

#include "haproxy/certificates.hpp"
#include "haproxy/configuration.hpp"
#include "haproxy/maintenance.hpp"
#include "lockfile/names.hpp"
#include "plan/balancer.hpp"
#include "plan/support/balancer_certificates.hpp"
#include "plan/support/world.hpp"

namespace paas::plan::testing {

void World::leave_rotation(const std::function<bool(const std::string&)>& leaves) {
  const auto lb_name = lockfile::server_name(input.stack.name, "lb", balancer_of(lock())->number);
  if (!server(lb_name).machine) return;
  auto& haproxy = *machine(lb_name).balancer;
  for (auto* backends : {&haproxy.known, &haproxy.in_rotation}) {
    for (auto& [backend, names] : *backends) {
      std::erase_if(names, leaves);
    }
  }
  edit_configuration(haproxy, [&](haproxy::Backend& backend) {
    std::erase_if(backend.servers, [&](const auto& line) { return leaves(line.name); });
  });
}

bool World::is_in_rotation(const std::string& server_name) const {
  for (const auto& [name, entry] : input.observed.servers) {
    if (!entry.machine || !entry.machine->balancer) continue;
    for (const auto& [backend, names] : entry.machine->balancer->in_rotation) {
      for (const auto& other : names) {
        if (other.starts_with(server_name + ".r")) return true;
      }
    }
  }
  return false;
}

void World::edit_configuration(observe::Balancer& haproxy,
                               const std::function<void(haproxy::Backend&)>& change) {
  for (auto& backend : haproxy::servers_of(haproxy.configuration)) {
    change(backend);
    haproxy.configuration =
        haproxy::with_servers(haproxy.configuration, backend.name, backend.servers);
  }
}

/// The configuration that the stack wants, with the servers that are written now.
std::string World::wanted_configuration(const observe::Balancer& haproxy) const {
  auto setup = balancer_setup(input.stack, input.lockfile);
  for (auto& backend : setup.backends) {
    for (const auto& old : haproxy::servers_of(haproxy.configuration)) {
      if (old.name == backend.name) backend.servers = old.servers;
    }
  }
  const auto text = haproxy::render(setup);
  REQUIRE(text);
  return *text;
}

/// Requests that a rule led somewhere are not led to where nobody answers, and what a container was
/// told is there until it is gone.
void World::check_change(const observe::Balancer& before, const Step& step) {
  if (!before.running) return;
  const auto& after = machine(step.server).balancer->configuration;
  const auto old_targets = haproxy::rule_targets_of(before.configuration);
  for (const auto& target : haproxy::rule_targets_of(after)) {
    need(old_targets.contains(target) || answers(step.server, target), step,
         "add_to_rotation of " + target);
  }
  for (const auto& backend : haproxy::servers_of(before.configuration)) {
    const auto kept = haproxy::servers_of(after);
    const bool stays = std::any_of(kept.begin(), kept.end(), [&](const auto& other) {
      return other.internal_port == backend.internal_port;
    });
    if (!stays) check_unused(backend.internal_port, step);
  }
}

/// Whether it is the current entry of a server that was told by hand to take no requests.
bool World::is_drained(const std::string& rotation_entry) {
  for (const auto& [name, entry] : lock().servers) {
    if (rotation_name(name, entry.release) == rotation_entry) return entry.weight == 0;
  }
  return false;
}

/// A reload forgets what is not in the file; the executor writes those in rotation into it.
void World::configure_balancer(const Step& step) {
  auto& haproxy = *machine(step.server).balancer;
  const auto before = haproxy;
  const auto in_rotation = std::exchange(haproxy.in_rotation, {});
  const auto wanted = wanted_configuration(haproxy);
  haproxy.configuration = step.kind == StepKind::prepare_balancer
                              ? haproxy::transition(haproxy.configuration, wanted)
                              : wanted;
  edit_configuration(haproxy, [&](haproxy::Backend& backend) {
    const auto names = in_rotation.find(backend.name);
    if (haproxy.running) {
      std::erase_if(backend.servers, [&](const auto& line) {
        const auto& known = haproxy.known[backend.name];
        return (names == in_rotation.end() || !names->second.contains(line.name)) &&
               !(known.contains(line.name) && is_drained(line.name));
      });
    }
    for (auto& line : backend.servers) {
      const auto entry = lock().servers.find(line.name.substr(0, line.name.rfind(".r")));
      if (entry != lock().servers.end()) line.weight = weight_of(entry->second);
    }
  });
  haproxy.known.clear();
  haproxy.weights.clear();
  if (const auto on = haproxy::maintenance_of(haproxy.configuration)) {
    haproxy.weights[std::string(haproxy::maintenance_backend)]
                   [std::string(haproxy::maintenance_server)] = *on ? 1 : 0;
  }
  for (const auto& backend : haproxy::servers_of(haproxy.configuration)) {
    for (const auto& line : backend.servers) {
      haproxy.known[backend.name].insert(line.name);
      haproxy.weights[backend.name][line.name] = line.weight;
      if (line.weight > 0) haproxy.in_rotation[backend.name].insert(line.name);
    }
  }
  haproxy.running = true;
  haproxy.mark = haproxy::mark_of(haproxy.configuration);
  if (haproxy.configuration.find(haproxy::certificate_list) != std::string::npos) {
    need(!haproxy.listed_certificates.empty(), step, "put_certificates/" + step.server);
  }
  read_certificates(haproxy);
  check_change(before, step);
}

/// No request is sent to what is not healthy everywhere, and at each moment somebody serves.
void World::let_in(const Step& step, observe::Balancer& haproxy) {
  auto& rotation = haproxy.in_rotation[step.service];
  for (const auto& [name, entry] : lock().servers) {
    if (entry.service != step.service || entry.leaving) continue;
    const auto current = rotation_name(name, entry.release);
    const bool changes = std::find(step.batch.begin(), step.batch.end(), name) != step.batch.end();
    need(!changes || haproxy.known[step.service].contains(current), step,
         "add_to_rotation/" + name);
    if (!changes) continue;
    haproxy.weights[step.service][current] = step.weight.value_or(weight_of(entry));
    if (weight_of(entry) > 0) rotation.insert(current);
    if (step.weight) continue;
    std::erase_if(rotation, [&](const std::string& other) {
      return other.starts_with(name + ".r") && other != current;
    });
  }
}

void World::perform_on_balancer(const Step& step) {
  if (step.kind == StepKind::remove_from_rotation) {
    return leave_rotation([&](const std::string& entry) {
      return step.subject.empty() ? entry.starts_with(step.server + ".r") : entry == step.subject;
    });
  }
  if (step.kind == StepKind::prepare_balancer || step.kind == StepKind::configure_balancer) {
    if (prepared(step) != nullptr) configure_balancer(step);
    return;
  }
  const auto lb_name = lockfile::server_name(input.stack.name, "lb", balancer_of(lock())->number);
  const auto seen = input.observed.servers.find(lb_name);
  const bool ready = seen != input.observed.servers.end() && seen->second.machine &&
                     seen->second.machine->balancer->running;
  need(ready, step, "configure_balancer/" + lb_name);
  if (!ready || step.kind == StepKind::watch_canary) return;
  if (step.kind == StepKind::let_in) return let_in(step, *machine(lb_name).balancer);
  if (step.kind == StepKind::set_maintenance) {
    auto& turned = *machine(lb_name).balancer;
    const bool on = lock().lb->maintenance;
    turned.configuration = haproxy::with_maintenance(turned.configuration, on);
    turned.weights[std::string(haproxy::maintenance_backend)]
                  [std::string(haproxy::maintenance_server)] = on ? 1 : 0;
    return;
  }
  const auto& entry = lock().servers.at(step.server);
  need(entry.release > 0 && prepared(step) != nullptr, step, "start_container/" + step.server);
  auto& haproxy = *machine(lb_name).balancer;
  const auto name = rotation_name(step.server, entry.release);
  need(step.kind != StepKind::set_weight || haproxy.known[step.service].contains(name), step,
       "add_to_rotation/" + step.server);
  const bool is_new = haproxy.known[step.service].insert(name).second;
  // One that is only to be checked and takes requests already goes on.
  if (is_new || step.weight != 0) {
    const int weight = step.weight.value_or(weight_of(entry));
    haproxy.weights[step.service][name] = weight;
    haproxy.in_rotation[step.service].erase(name);
    if (weight > 0) haproxy.in_rotation[step.service].insert(name);
  }
  edit_configuration(haproxy, [&](haproxy::Backend& backend) {
    if (backend.name != step.service) return;
    std::erase_if(backend.servers, [&](const auto& line) { return line.name == name; });
    backend.servers.push_back(balancer_server(lock(), step.server, entry));
  });
}

}  // namespace paas::plan::testing
