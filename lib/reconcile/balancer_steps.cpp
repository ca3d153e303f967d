// Steps on the load balancer: configuration, and who is in rotation.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "haproxy/canary.hpp"
#include "haproxy/configuration.hpp"
#include "haproxy/maintenance.hpp"
#include "lockfile/names.hpp"
#include "plan/balancer.hpp"
#include "plan/container.hpp"
#include "reconcile/run.hpp"

namespace paas::reconcile {

namespace {

haproxy::Backend* backend_of(haproxy::Setup& setup, const std::string& name) {
  for (auto& backend : setup.backends) {
    if (backend.name == name) return &backend;
  }
  return nullptr;
}

/// "zipkick-web-1" of "zipkick-web-1.r2".
std::string server_of(const std::string& rotation_name) {
  return rotation_name.substr(0, rotation_name.rfind(".r"));
}

void put(std::vector<haproxy::Server>& servers, const haproxy::Server& server) {
  std::erase_if(servers, [&](const auto& entry) { return entry.name == server.name; });
  servers.push_back(server);
  std::sort(servers.begin(), servers.end(),
            [](const auto& left, const auto& right) { return left.name < right.name; });
}

/// Whether it is the current entry of a server that takes no requests because it was told so.
bool is_drained(const lockfile::Lockfile& lockfile, const std::string& rotation_name) {
  const auto server = lockfile.servers.find(server_of(rotation_name));
  return server != lockfile.servers.end() && server->second.weight == 0 &&
         plan::rotation_name(server->first, server->second.release) == rotation_name;
}

bool is_known(const observe::Balancer& balancer, const std::string& backend,
              const std::string& name) {
  const auto names = balancer.known.find(backend);
  return names != balancer.known.end() && names->second.contains(name);
}

/// Whether HAProxy sends it requests, or would if it had not been told otherwise by hand.
bool is_in_rotation(const lockfile::Lockfile& lockfile, const observe::Balancer& balancer,
                    const std::string& backend, const std::string& name) {
  const auto names = balancer.in_rotation.find(backend);
  return (names != balancer.in_rotation.end() && names->second.contains(name)) ||
         (is_drained(lockfile, name) && is_known(balancer, backend, name));
}

/// What each server was told by hand, and nothing else, stands in the file.
void weigh(std::vector<haproxy::Server>& servers, const lockfile::Lockfile& lockfile) {
  for (auto& entry : servers) {
    const auto server = lockfile.servers.find(server_of(entry.name));
    if (server == lockfile.servers.end()) continue;
    entry.weight = plan::weight_of(server->second);
  }
}

/// A canary's share of what the server was told by hand.
int share_of(const lockfile::Server& server, std::optional<int> share) {
  const int weight = plan::weight_of(server);
  if (!share || weight == 0) return weight;
  return std::clamp(weight * *share / haproxy::weight_in_rotation, 1, haproxy::weight_max);
}

/// A run that was killed after it put a server into rotation has not written it to the file.
void add_unwritten(haproxy::Setup& setup, const lockfile::Lockfile& lockfile,
                   const observe::Balancer& balancer) {
  for (const auto& [name, entry] : lockfile.servers) {
    auto* backend = backend_of(setup, entry.service);
    if (backend == nullptr) continue;
    const auto server = plan::balancer_server(lockfile, name, entry);
    if (is_in_rotation(lockfile, balancer, entry.service, server.name)) {
      put(backend->servers, server);
    }
  }
}

}  // namespace

observe::Target Run::balancer() const {
  const auto lockfile = state_.read();
  const auto* found = plan::balancer_of(lockfile);
  const auto named = std::find_if(lockfile.servers.begin(), lockfile.servers.end(),
                                  [&](const auto& server) { return &server.second == found; });
  return target(named == lockfile.servers.end() ? "" : named->first);
}

haproxy::Runtime Run::runtime() {
  const auto where = balancer();
  auto& machines = tools_.machines;
  return haproxy::Runtime(
      [where, &machines, this](const std::string& command) {
        return command == haproxy::statistics_command ? statistics_.get()
                                                      : machines.balancer_command(where, command);
      },
      tools_.clock);
}

/// Where the path of a health check changes, containers that are about to be replaced are asked for
/// the one that they are asked for now. Those that stay are asked for the new one at once, so they
/// have to answer it: a load balancer that finds none of them healthy serves nobody.
Status Run::keep_paths(haproxy::Setup& setup, const std::vector<haproxy::Backend>& current) {
  for (const auto& before : current) {
    auto* backend = backend_of(setup, before.name);
    if (backend == nullptr || before.health_path.empty()) continue;
    for (const auto& entry : backend->servers) PAAS_CHECK(keep_path(*backend, before, entry.name));
  }
  return {};
}

Status Run::keep_path(haproxy::Backend& backend, const haproxy::Backend& before,
                      const std::string& entry) {
  const auto name = server_of(entry);
  const auto release = text::to_integer(entry.substr(entry.rfind(".r") + 2));
  const auto lockfile = state_.read();
  const auto server = lockfile.servers.find(name);
  if (!release || server == lockfile.servers.end()) return {};
  const auto number = static_cast<int>(*release);
  const auto older = before.older_paths.find(number);
  const auto& path = older == before.older_paths.end() ? before.health_path : older->second;
  if (path == backend.health_path) return {};
  const bool stays =
      number == server->second.release && !starting_.contains(name) && !server->second.leaving;
  if (!stays) {
    backend.older_paths[number] = path;
    return {};
  }
  PAAS_TRY(const auto known, runtime().statistics());
  // One that is dead serves nobody, whatever it is asked for.
  const bool is_down = std::any_of(known.begin(), known.end(), [&](const auto& seen) {
    return seen.backend == before.name && seen.server == entry && seen.status.starts_with("DOWN");
  });
  return is_down ? Status() : check_answers(name, number);
}

Status Run::check_answers(const std::string& name, int release) {
  const auto& declared = service(server(name).service);
  const auto container = plan::container_name(stack_, declared.name, release);
  PAAS_TRY(const bool answers,
           tools_.machines.healthy(target(name), container, declared.port.value_or(0),
                                   declared.health.path, declared.health.timeout_ms));
  if (answers) return {};
  return fail(
      ErrorKind::failed,
      fmt::format("{} does not answer {} as a health check wants it", name, declared.health.path),
      "HAProxy was left as it is: with this health.path it would take the server out of "
      "rotation");
}

/// Servers that are in rotation stay so: they are written into the new configuration.
Result<std::string> Run::configuration_for(const observe::Machine& machine) {
  const auto lockfile = state_.read();
  auto setup = plan::balancer_setup(stack_, lockfile);
  if (machine.balancer) {
    for (const auto& old : haproxy::servers_of(machine.balancer->configuration)) {
      auto* backend = backend_of(setup, old.name);
      if (backend == nullptr) continue;
      auto servers = old.servers;
      weigh(servers, lockfile);
      for (const auto& entry : servers) {
        // What HAProxy lost by dying is taken from the file; what leaves or is dead is not.
        const bool keep = !machine.balancer->running ||
                          is_in_rotation(lockfile, *machine.balancer, old.name, entry.name);
        if (keep) backend->servers.push_back(entry);
      }
    }
    add_unwritten(setup, lockfile, *machine.balancer);
    if (machine.balancer->running) {
      PAAS_CHECK(keep_paths(setup, haproxy::servers_of(machine.balancer->configuration)));
    }
  }
  return haproxy::render(setup);
}

Status Run::configure_balancer(const plan::Step& step) {
  const std::scoped_lock lock(balancer_mutex_);
  PAAS_TRY(const auto machine, tools_.machines.look(target(step.server), stack_.name, true));
  PAAS_TRY(auto text, configuration_for(machine));
  if (step.kind == plan::StepKind::prepare_balancer && machine.balancer) {
    text = haproxy::transition(machine.balancer->configuration, text);
  }
  on_disk_.reset();
  PAAS_CHECK(
      tools_.machines.install_balancer(target(step.server), text, observe::Machines::Reload::yes));
  stage(step, "reloaded");
  return state_.change([&](auto& next) { ++next.lb->reloads; });
}

Status Run::edit_configuration(const std::function<void(haproxy::Backend&)>& change) {
  Edit own{change, std::nullopt};
  {
    const std::scoped_lock lock(edits_mutex_);
    edits_.push_back(&own);
  }
  const std::scoped_lock lock(balancer_mutex_);
  if (own.result) return *own.result;
  std::vector<Edit*> all;
  {
    const std::scoped_lock edits_lock(edits_mutex_);
    all = std::exchange(edits_, {});
  }
  const auto result = edit_configuration(all);
  for (auto* edit : all) edit->result = result;
  return result;
}

/// Those that came while another one was under way are done together. What is on the disk is known
/// from the edit before; where somebody else changed it since, it is read again.
Status Run::edit_configuration(const std::vector<Edit*>& edits) {
  const auto where = balancer();
  constexpr int attempts = 5;
  for (int i = 0; i < attempts; ++i) {
    if (!on_disk_) {
      PAAS_TRY(on_disk_, configuration_on(where));
    }
    auto next = *on_disk_;
    for (auto& backend : haproxy::servers_of(*on_disk_)) {
      for (const auto* edit : edits) edit->change(backend);
      next = haproxy::with_servers(next, backend.name, backend.servers);
    }
    const auto lockfile = state_.read();
    next = haproxy::with_maintenance(next, lockfile.lb && lockfile.lb->maintenance);
    if (next == *on_disk_) return {};
    const auto before = std::exchange(on_disk_, std::nullopt);
    PAAS_TRY(const bool is_done, tools_.machines.edit_balancer(where, *before, next));
    if (!is_done) continue;
    on_disk_ = std::move(next);
    return {};
  }
  return fail(ErrorKind::failed, "HAProxy's configuration changes all the time",
              fmt::format("somebody else edits /etc/haproxy/haproxy.cfg on {}", where.name));
}

Result<std::string> Run::configuration_on(const observe::Target& balancer) {
  observe::RemoteCommand read;
  read.arguments = {"cat", "/etc/haproxy/haproxy.cfg"};
  PAAS_TRY(auto current, tools_.machines.run(balancer, read));
  if (current.exit_status == 0) return std::move(current.output);
  return fail(ErrorKind::failed, fmt::format("HAProxy's configuration cannot be read: {}",
                                             text::trim(current.error_output)));
}

Status Run::set_maintenance(const plan::Step& step) {
  const auto lockfile = state_.read();
  auto turned = runtime().set_maintenance(lockfile.lb && lockfile.lb->maintenance);
  if (!turned && turned.error().kind == ErrorKind::not_found) {
    turned.error().hint = "`paasctl up` gives HAProxy a configuration that knows maintenance";
  }
  PAAS_CHECK(turned);
  // Each edit writes it.
  PAAS_CHECK(edit_configuration([](haproxy::Backend&) {}));
  stage(step, step.subject);
  return {};
}

Status Run::add_to_rotation(const plan::Step& step) {
  const auto lockfile = state_.read();
  const auto added = plan::balancer_server(lockfile, step.server, lockfile.servers.at(step.server));
  auto setup = plan::balancer_setup(stack_, lockfile);
  const auto* backend = backend_of(setup, step.service);
  if (backend == nullptr) {
    return fail(ErrorKind::failed, fmt::format("no backend for {}", step.service));
  }
  const auto entry = step.weight == 0 ? haproxy::Entry::checked_only : haproxy::Entry::in_rotation;
  PAAS_CHECK(runtime().add_server(*backend, added, options_.timeouts.rotation, entry));
  if (entry == haproxy::Entry::checked_only) {
    // A HAProxy that starts again must not send requests to it: it is written down when it serves.
    stage(step, "checked");
    return {};
  }
  PAAS_CHECK(edit_configuration([&](haproxy::Backend& edited) {
    if (edited.name == step.service) put(edited.servers, added);
  }));
  stage(step, "in rotation");
  return {};
}

/// The servers' new containers get requests; unless it is a canary, their old ones get no more and
/// finish what they have, for which there is time until they are retired.
Status Run::let_in(const plan::Step& step) {
  auto haproxy_runtime = runtime();
  // Entries come and go by steps of this run, which have all looked at them.
  if (const auto seen = statistics_.latest(); seen && *seen) {
    PAAS_TRY(const auto known, haproxy::parse_statistics(**seen));
    const auto changed = change_over(step, known);
    if (changed || changed.error().kind != ErrorKind::not_found) return changed;
  }
  PAAS_TRY(const auto known, haproxy_runtime.statistics());
  return change_over(step, known);
}

Status Run::change_over(const plan::Step& step,
                        const std::vector<haproxy::ServerStatistics>& known) {
  std::map<std::string, int> enter;
  std::vector<std::string> leave;
  for (const auto& name : step.batch) {
    const auto current = plan::rotation_name(name, server(name).release);
    enter[current] = share_of(server(name), step.weight);
    if (step.weight) continue;
    for (const auto& entry : known) {
      if (entry.backend != step.service || server_of(entry.server) != name) continue;
      if (entry.server != current) leave.push_back(entry.server);
    }
  }
  PAAS_CHECK(runtime().change_over(step.service, enter, leave));
  stage(step, "in rotation");
  return {};
}

/// Also of one that HAProxy forgot or has in maintenance, which is put into rotation. One that is
/// drained gets no more requests on any container; while a container of before serves because the
/// current one was not let in yet, it is that one that gets more or less.
Status Run::set_weight(const plan::Step& step) {
  const auto lockfile = state_.read();
  const auto wanted =
      plan::balancer_server(lockfile, step.server, lockfile.servers.at(step.server));
  PAAS_TRY(const auto known, runtime().statistics());
  std::map<std::string, int> current;
  std::map<std::string, int> others;
  for (const auto& entry : known) {
    if (entry.backend != step.service || server_of(entry.server) != step.server) continue;
    const bool is_out = entry.status.starts_with("MAINT") || entry.status.starts_with("DRAIN");
    if (is_out && wanted.weight != 0) continue;
    (entry.server == wanted.name ? current : others)[entry.server] = wanted.weight;
  }
  auto weights = others;
  if (others.empty() || wanted.weight == 0) weights.insert(current.begin(), current.end());
  PAAS_CHECK(runtime().change_over(step.service, weights, {}));
  PAAS_CHECK(edit_configuration([&](haproxy::Backend& edited) {
    weigh(edited.servers, lockfile);
    if (edited.name == step.service && !current.empty() && others.empty()) {
      put(edited.servers, wanted);
    }
  }));
  if (current.empty() && others.empty()) return add_to_rotation(step);
  stage(step, step.detail);
  return {};
}

/// Compares what HAProxy counts of the new containers with what it counts of the others of the
/// service in the same time. Error (failed): the new ones are worse.
Status Run::watch_canary(const plan::Step& step) {
  std::set<std::string> canaries;
  for (const auto& name : step.batch) {
    canaries.insert(plan::rotation_name(name, server(name).release));
  }
  auto haproxy_runtime = runtime();
  PAAS_TRY(const auto before, haproxy_runtime.statistics());
  const haproxy::Canary canary(step.service, canaries, before);
  const auto deadline = tools_.clock.monotonic() + options_.timeouts.canary;
  while (true) {
    PAAS_TRY(const auto now, haproxy_runtime.statistics());
    PAAS_TRY(const auto seen, canary.judge(now));
    if (tools_.clock.monotonic() >= deadline) {
      stage(step, seen);
      return {};
    }
    if (options_.interrupted && options_.interrupted()) {
      return fail(ErrorKind::interrupted, "the canary was not watched to the end");
    }
    PAAS_CHECK(tools_.clock.wait(std::chrono::seconds(1)));
  }
}

Status Run::leave_rotation(const Leaves& leaves) {
  PAAS_CHECK(leave_haproxy(leaves));
  // A run that was killed in between has taken it out of HAProxy, but not out of the file.
  return edit_configuration([&](haproxy::Backend& edited) {
    std::erase_if(edited.servers, [&](const auto& line) { return leaves(line.name); });
  });
}

Status Run::leave_haproxy(const Leaves& leaves) {
  auto haproxy_runtime = runtime();
  PAAS_TRY(const auto known, haproxy_runtime.statistics());
  for (const auto& entry : known) {
    if (!leaves(entry.server)) continue;
    PAAS_TRY(const bool is_gone, haproxy_runtime.delete_drained(entry));
    if (is_gone) continue;
    PAAS_CHECK(haproxy_runtime.remove_server(entry.backend, entry.server, options_.timeouts.drain));
  }
  return {};
}

Run::Leaves Run::all_but_current(const std::string& name) const {
  const auto current = plan::rotation_name(name, server(name).release);
  return [name, current](const std::string& entry) {
    return server_of(entry) == name && entry != current;
  };
}

/// The current one serves, and is what the file has of the server from now on. A HAProxy that
/// started again since it was let in knows the one before only, which stays until the current one
/// is back.
Status Run::leave_to_current(const plan::Step& step) {
  const auto lockfile = state_.read();
  const auto current =
      plan::balancer_server(lockfile, step.server, lockfile.servers.at(step.server));
  PAAS_TRY(const auto known, runtime().statistics());
  const bool is_let_in = std::any_of(known.begin(), known.end(), [&](const auto& entry) {
    return entry.backend == step.service && entry.server == current.name &&
           (current.weight == 0 || haproxy::takes_requests(entry));
  });
  if (!is_let_in) PAAS_CHECK(add_to_rotation(step));
  const auto leaves = all_but_current(step.server);
  PAAS_CHECK(edit_configuration([&](haproxy::Backend& edited) {
    std::erase_if(edited.servers, [&](const auto& line) { return leaves(line.name); });
    if (edited.name == step.service) put(edited.servers, current);
  }));
  return leave_haproxy(leaves);
}

/// What the load balancers send requests to: while one takes another's place, the one that leaves
/// has the address. One that leaves may be gone.
Result<std::set<std::string>> Run::names_that_serve() {
  std::set<std::string> names;
  for (const auto& [name, server] : state_.read().servers) {
    if (server.service != "lb" || server.public_address.empty()) continue;
    auto answer =
        tools_.machines.balancer_command(target(name), std::string(haproxy::statistics_command));
    if (!answer && server.leaving) continue;
    PAAS_TRY(const auto text, std::move(answer));
    PAAS_TRY(const auto known, haproxy::parse_statistics(text));
    for (const auto& entry : known) {
      if (haproxy::takes_requests(entry)) names.insert(entry.server);
    }
  }
  return names;
}

Status Run::remove_from_rotation(const plan::Step& step) {
  PAAS_CHECK(leave_rotation([&](const std::string& entry) {
    return step.subject.empty() ? server_of(entry) == step.server : entry == step.subject;
  }));
  stage(step, "out of rotation");
  return {};
}

}  // namespace paas::reconcile
