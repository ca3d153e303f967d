// Steps on the load balancer: configuration, and who is in rotation.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "haproxy/canary.hpp"
#include "haproxy/configuration.hpp"
#include "haproxy/server_options.hpp"
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

/// A run that was killed after it put a server into rotation has not written it to the file.
void add_unwritten(haproxy::Setup& setup, const lockfile::Lockfile& lockfile,
                   const observe::Balancer& balancer) {
  for (const auto& [name, entry] : lockfile.servers) {
    auto* backend = backend_of(setup, entry.service);
    const auto names = balancer.in_rotation.find(entry.service);
    if (backend == nullptr || names == balancer.in_rotation.end()) continue;
    const auto server = plan::balancer_server(lockfile, name, entry);
    if (names->second.contains(server.name)) put(backend->servers, server);
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
Status Run::keep_paths(haproxy::Backend& backend, const haproxy::Backend& current) {
  for (const auto& entry : current.servers) {
    const auto name = server_of(entry.name);
    const auto release = text::to_integer(entry.name.substr(entry.name.rfind(".r") + 2));
    if (!release || !state_.read().servers.contains(name)) continue;
    const auto number = static_cast<int>(*release);
    const auto older = current.older_paths.find(number);
    const auto& path = older == current.older_paths.end() ? current.health_path : older->second;
    if (path == backend.health_path || path.empty()) continue;
    if (retiring_.contains(name)) {
      backend.older_paths[number] = path;
    } else {
      PAAS_CHECK(check_answers(name, number));
    }
  }
  return {};
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
      const auto in_rotation = machine.balancer->in_rotation.find(old.name);
      for (const auto& entry : old.servers) {
        // What HAProxy lost by dying is taken from the file; what was drained or is dead is not.
        const bool keep =
            !machine.balancer->running || (in_rotation != machine.balancer->in_rotation.end() &&
                                           in_rotation->second.contains(entry.name));
        if (keep) backend->servers.push_back(entry);
      }
      if (machine.balancer->running) {
        auto kept = old;
        kept.servers = backend->servers;
        PAAS_CHECK(keep_paths(*backend, kept));
      }
    }
    add_unwritten(setup, lockfile, *machine.balancer);
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
  std::vector<std::string> enter;
  std::vector<std::string> leave;
  for (const auto& name : step.batch) {
    const auto current = plan::rotation_name(name, server(name).release);
    enter.push_back(current);
    if (step.weight) continue;
    for (const auto& entry : known) {
      if (entry.backend != step.service || server_of(entry.server) != name) continue;
      if (entry.server != current) leave.push_back(entry.server);
    }
  }
  PAAS_CHECK(runtime().change_over(step.service, enter,
                                   step.weight.value_or(haproxy::weight_in_rotation), leave));
  stage(step, "in rotation");
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

/// The current one serves, and is what the file has of the server from now on.
Status Run::leave_to_current(const plan::Step& step) {
  const auto leaves = all_but_current(step.server);
  PAAS_CHECK(leave_haproxy(leaves));
  const auto lockfile = state_.read();
  const auto current =
      plan::balancer_server(lockfile, step.server, lockfile.servers.at(step.server));
  return edit_configuration([&](haproxy::Backend& edited) {
    std::erase_if(edited.servers, [&](const auto& line) { return leaves(line.name); });
    if (edited.name == step.service) put(edited.servers, current);
  });
}

Status Run::remove_from_rotation(const plan::Step& step) {
  PAAS_CHECK(leave_rotation([&](const std::string& entry) {
    return step.subject.empty() ? server_of(entry) == step.server : entry == step.subject;
  }));
  stage(step, "out of rotation");
  return {};
}

}  // namespace paas::reconcile
