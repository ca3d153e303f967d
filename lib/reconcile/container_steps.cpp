// Steps on containers: environment, starting, health, and making room for the new one.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "lockfile/names.hpp"
#include "plan/balancer.hpp"
#include "plan/container.hpp"
#include "plan/environment.hpp"
#include "plan/planner.hpp"
#include "plan/releases.hpp"
#include "plan/wanted.hpp"
#include "reconcile/run.hpp"

namespace paas::reconcile {

using namespace std::chrono_literals;

namespace {

/// How long a server goes on asking a container by itself, before it is heard of what happened
/// elsewhere.
constexpr auto health_wait = 1s;

/// One NAME=value a line, as `docker run --env-file` reads it.
std::string environment_file(const std::vector<std::string>& variables) {
  std::string text;
  for (const auto& variable : variables) {
    text += text::replace_all(variable, "\n", "\\n") + "\n";
  }
  return text;
}

std::vector<observe::Container> of_service(const std::vector<observe::Container>& containers,
                                           const std::string& service) {
  std::vector<observe::Container> result;
  for (const auto& container : containers) {
    if (container.service == service) result.push_back(container);
  }
  return result;
}

/// A container that is what would be made now.
bool is_as_specified(const observe::Container& container, const docker::ContainerSpec& spec,
                     const std::map<std::string, std::string>& environment) {
  return container.name == spec.name && container.image_digest == spec.labels.at("paas.image") &&
         container.shape == spec.labels.at("paas.shape") && container.environment == environment;
}

/// Whether a container that stopped can be started again: where others run beside it, its port has
/// to be free.
bool can_start_again(const stack::Service& service, const observe::Container& container,
                     const std::vector<observe::Container>& all) {
  if (container.state != "exited") return false;
  if (service.type != stack::ServiceType::web) return true;
  return std::none_of(all.begin(), all.end(), [&](const observe::Container& other) {
    return plan::holds_port(other) && other.slot == container.slot && other.name != container.name;
  });
}

bool is_held(const std::vector<observe::Container>& containers, int slot) {
  return std::any_of(containers.begin(), containers.end(),
                     [&](const auto& container) { return container.slot == slot; });
}

}  // namespace

/// The release whose containers have this image and environment: the one that the service is kept
/// at, or the newest; null when neither is.
const lockfile::Release* Run::release_like(const lockfile::Service& service,
                                           const std::string& name, const std::string& digest,
                                           const std::string& environment_digest) const {
  const auto held = held_.find(name);
  const auto& releases = service.releases;
  for (auto release = releases.rbegin(); release != releases.rend(); ++release) {
    const bool is_candidate = held != held_.end() && release->number == held->second.release;
    if (!is_candidate && (release != releases.rbegin() || release->failed)) continue;
    if (release->image_digest == digest && release->environment_digest == environment_digest) {
      return &*release;
    }
  }
  return nullptr;
}

/// The number that containers with this image and environment have; a new release's when there is
/// none, as where a service that is kept at a release has other connection details than it had.
Result<int> Run::release_for(const plan::Step& step, const stack::Service& declared,
                             const plan::ImageState& image, const std::string& environment_digest) {
  const std::scoped_lock lock(releases_mutex_);
  const bool forced = restart_.contains(declared.name);
  if (const auto made = releases_.find(declared.name); made != releases_.end()) return made->second;
  const auto entry = state_.read().services.at(declared.name);
  const auto* like =
      forced ? nullptr
             : release_like(entry, declared.name, image.digest.value_or(""), environment_digest);
  if (like != nullptr) {
    releases_[declared.name] = plan::containers_of(*like);
    return releases_[declared.name];
  }
  lockfile::Release release;
  release.number = entry.releases.empty() ? 1 : entry.releases.back().number + 1;
  release.image_name = image.reference;
  release.image_digest = image.digest.value_or("");
  release.environment_digest = environment_digest;
  release.created = text::timestamp(tools_.clock.now());
  release.definition = stack::definition_of(stack_, declared);
  release.by = options_.who;
  release.cause = step.cause;
  const auto held = held_.find(declared.name);
  const int again = held == held_.end() ? 0 : held->second.release;
  if (again != 0) release.cause = fmt::format("release {} again: {}", again, step.cause);
  PAAS_CHECK(state_.change([&](auto& next) {
    auto& service = next.services.at(declared.name);
    // What a rollback keeps the service at is the same, with details of now.
    if (again != 0 && service.pinned == again) service.pinned = release.number;
    plan::add_release(service, release);
  }));
  releases_[declared.name] = release.number;
  return release.number;
}

/// Of a service that changes from one release to another: a server on which the new one fails ends
/// the wait of all others, because the release will be taken back everywhere.
Status Run::start_container(const plan::Step& step) {
  if (is_given_up(step.service)) return given_up(step.service);
  auto started = start_release(step);
  const auto type = service(step.service).type;
  const bool is_replaceable = type == stack::ServiceType::web || type == stack::ServiceType::worker;
  if (!started && is_replaceable && retiring_.contains(step.server) &&
      started.error().kind != ErrorKind::interrupted) {
    const std::scoped_lock lock(releases_mutex_);
    given_up_.emplace(step.service, started.error().kind);
  }
  return started;
}

bool Run::is_given_up(const std::string& service) {
  const std::scoped_lock lock(releases_mutex_);
  return given_up_.contains(service);
}

tl::unexpected<Error> Run::given_up(const std::string& service) {
  const std::scoped_lock lock(releases_mutex_);
  return fail(given_up_.at(service),
              "given up: the new release of " + service + " failed elsewhere");
}

Result<Run::Made> Run::make_release(const plan::Step& step, const stack::Service& declared) {
  const auto lockfile = state_.read();
  auto variables = plan::environment_of(stack_, lockfile, declared);
  if (!variables.unknown.empty()) {
    return fail(ErrorKind::failed,
                fmt::format("{} not known yet", fmt::join(variables.unknown, ", ")));
  }
  PAAS_TRY(auto image, image_of(declared));
  if (!image.digest) {
    return fail(ErrorKind::failed, fmt::format("image {} has no digest", declared.image));
  }
  // Port, volume and command make another release as well: a container's name tells all of it.
  auto identity = variables.values;
  identity[""] = plan::container_shape(stack_, lockfile, declared);
  plan::ContainerPlan container;
  PAAS_TRY(container.release,
           release_for(step, declared, image, plan::environment_digest(identity)));
  // Its tag may lead to another image by now.
  container.image = held_.contains(declared.name) ? *image.digest : image.reference;
  container.image_digest = *image.digest;
  return Made{std::move(container), std::move(variables.values)};
}

Status Run::start_release(const plan::Step& step) {
  const auto& declared = service(step.service);
  PAAS_TRY(auto made, make_release(step, declared));
  auto& container = made.container;
  const auto lockfile = state_.read();
  if (plan::stores_in_container(declared)) {
    PAAS_CHECK(state_.change([&](auto& next) { next.servers.at(step.server).holds_data = true; }));
  }
  PAAS_TRY(const auto machine, tools_.machines.look(target(step.server), stack_.name, false));
  const auto old = of_service(machine.containers, declared.name);
  auto spec =
      plan::container_of(stack_, lockfile, declared, step.server, container, made.environment);
  const auto same = std::find_if(old.begin(), old.end(), [&](const observe::Container& candidate) {
    return is_as_specified(candidate, spec, made.environment);
  });
  const bool runs = same != old.end() && same->state == "running";
  if (runs) {
    stage(step, "unchanged");
    container.slot = same->slot;
    // An earlier run may have been interrupted while it waited for this one.
    PAAS_TRY(const auto info, tools_.machines.container(target(step.server), spec.name));
    PAAS_CHECK(await_healthy(step, declared, spec.name, info ? info->restart_count : 0));
    stage(step, "healthy");
  } else {
    const auto& entry = lockfile.servers.at(step.server);
    if (entry.holds_data) PAAS_CHECK(check_known(step, old));
    const bool is_kept =
        same != old.end() && !entry.holds_data && can_start_again(declared, *same, old);
    if (declared.type == stack::ServiceType::web) {
      PAAS_TRY(container.slot, is_kept ? Result<int>(same->slot) : take_slot(step, spec.name, old));
      spec =
          plan::container_of(stack_, lockfile, declared, step.server, container, made.environment);
    }
    if (!entry.firewalled) PAAS_CHECK(await_firewall(step));
    PAAS_CHECK(write_environment(step, spec, machine.hosts));
    const auto kept = is_kept ? Kept::yes : Kept::no;
    PAAS_CHECK(declared.type == stack::ServiceType::web
                   ? run_container(step, declared, spec, kept)
                   : replace_in_place(step, declared, spec, old, kept));
  }
  return state_.change([&](auto& next) {
    auto& entry = next.servers.at(step.server);
    entry.previous = plan::kept_beside(next, entry, container.release, old);
    entry.release = container.release;
    entry.slot = container.slot;
  });
}

/// What the container will read: its variables, and where it finds the load balancer.
Status Run::write_environment(const plan::Step& step, const docker::ContainerSpec& spec,
                              const std::string& hosts) {
  PAAS_CHECK(tools_.machines.write_file(target(step.server),
                                        fmt::format("/etc/paas/{}.env", step.service),
                                        environment_file(spec.environment), 0600));
  return hosts == plan::hosts_file(state_.read()) ? Status() : write_hosts(step);
}

/// A slot for a new container beside the one that serves. When both are held, an earlier run was
/// cut short: the one that does not serve makes room.
Result<int> Run::take_slot(const plan::Step& step, const std::string& name,
                           std::vector<observe::Container> containers) {
  // One of the new one's own name is removed before it starts.
  std::erase_if(containers,
                [&](const auto& other) { return !plan::holds_port(other) || other.name == name; });
  if (is_held(containers, 0) && is_held(containers, 1)) {
    PAAS_TRY(const auto serving, serving_of(step, containers));
    const auto& stays = serving.container;
    // First of all: whatever interrupts what follows, it is what the next run finds.
    PAAS_CHECK(state_.change([&](auto& next) {
      auto& entry = next.servers.at(step.server);
      entry.release = stays.release;
      entry.slot = stays.slot;
      if (entry.previous == stays.release) entry.previous = 0;
    }));
    if (stack_.lb) {
      PAAS_CHECK(serving.is_known ? leave_to_current(step)
                                  : leave_rotation(all_but_current(step.server)));
    }
    for (const auto& left : containers) {
      if (left.name == stays.name) continue;
      PAAS_CHECK(tools_.machines.stop_container(target(step.server), left.name));
      PAAS_CHECK(tools_.machines.remove_container(target(step.server), left.name));
      stage(step, "removed " + left.name);
    }
    containers = {stays};
  }
  return is_held(containers, 0) ? 1 : 0;
}

/// Of containers side by side the one that a load balancer gives requests to. The lockfile alone
/// does not tell: it names the newest that was healthy, which may not have been let in yet. So
/// where none is known to serve it is the one of before; where several are, as beside a canary, the
/// lockfile's.
Result<Run::Serving> Run::serving_of(const plan::Step& step,
                                     const std::vector<observe::Container>& containers) {
  std::set<std::string> names;
  if (stack_.lb) {
    PAAS_TRY(names, names_that_serve());
  }
  const auto serves = [&](const observe::Container& container) {
    return names.contains(plan::rotation_name(step.server, container.release));
  };
  const auto count = std::count_if(containers.begin(), containers.end(), serves);
  if (count == 1) return Serving{*std::find_if(containers.begin(), containers.end(), serves), true};
  const auto is_older = [](const auto& left, const auto& right) {
    return left.release < right.release;
  };
  if (count == 0) return Serving{*std::min_element(containers.begin(), containers.end(), is_older)};
  const int current = server(step.server).release;
  const auto found = std::find_if(containers.begin(), containers.end(), [&](const auto& container) {
    return container.release == current;
  });
  return Serving{found == containers.end() ? containers.front() : *found, true};
}

/// Starts a container and waits until it is healthy; otherwise it is removed again and the error
/// tells its last lines.
Status Run::run_container(const plan::Step& step, const stack::Service& declared,
                          const docker::ContainerSpec& spec, Kept kept) {
  if (kept == Kept::no) {
    // One of the same name that does not run is a leftover of this very release.
    PAAS_CHECK(tools_.machines.remove_container(target(step.server), spec.name));
  }
  auto started = kept == Kept::yes
                     ? tools_.machines.resume_container(target(step.server), spec.name)
                     : tools_.machines.start_container(target(step.server), spec);
  if (started) {
    stage(step, kept == Kept::yes ? "started again" : "container");
    started = await_healthy(step, declared, spec.name, 0);
  }
  if (started) {
    stage(step, "healthy");
    return {};
  }
  if (started.error().kind == ErrorKind::interrupted) return started;
  // What it printed tells why it failed, but not of one that only was not waited for.
  auto error = is_given_up(step.service) ? started.error()
                                         : with_last_lines(started.error(), step, spec.name);
  (void)tools_.machines.remove_container(target(step.server), spec.name);
  return fail(std::move(error), fmt::format("starting {} on {}", spec.name, step.server));
}

Error Run::with_last_lines(Error error, const plan::Step& step, const std::string& container) {
  if (auto lines = tools_.machines.recent_logs(target(step.server), container, 15);
      lines && !lines->empty()) {
    error.message += fmt::format("; its last lines:\n{}", text::trim(*lines));
  }
  return error;
}

/// The container that is there, and no other: one that is made again begins without its data.
Status Run::resume_container(const plan::Step& step) {
  PAAS_TRY(const auto machine, tools_.machines.look(target(step.server), stack_.name, false));
  const auto* own = plan::current_container(machine, server(step.server));
  if (own == nullptr) {
    return fail(ErrorKind::failed, fmt::format("the container on {} is gone", step.server),
                "`paasctl plan` shows what has to be done now");
  }
  if (own->state != "running") {
    PAAS_CHECK(await_firewall(step));
    PAAS_CHECK(write_hosts(step));
    // Another one that an interrupted run started has its port; its own start may fail and fail.
    for (const auto& container : of_service(machine.containers, step.service)) {
      if (!plan::holds_port(container)) continue;
      PAAS_CHECK(tools_.machines.stop_container(target(step.server), container.name));
      stage(step, "stopped " + container.name);
    }
    PAAS_CHECK(tools_.machines.resume_container(target(step.server), own->name));
    stage(step, "started " + own->name + " again");
  }
  PAAS_CHECK(await_again(step, own->name));
  return state_.change([&](auto& next) {
    auto& entry = next.servers.at(step.server);
    entry.release = own->release;
    entry.slot = own->slot;
  });
}

/// Health of a container that was there before; unlike a new one it stays whatever comes.
Status Run::await_again(const plan::Step& step, const std::string& container) {
  PAAS_TRY(const auto info, tools_.machines.container(target(step.server), container));
  auto healthy =
      await_healthy(step, service(step.service), container, info ? info->restart_count : 0);
  if (healthy) stage(step, "healthy");
  if (healthy || healthy.error().kind == ErrorKind::interrupted) return healthy;
  return fail(with_last_lines(healthy.error(), step, container),
              fmt::format("starting {} on {} again", container, step.server));
}

/// Where data may be, a container of the new one's name is no leftover to be removed: an earlier
/// run made it of this very release and did not see it become healthy.
Status Run::run_or_resume(const plan::Step& step, const stack::Service& declared,
                          const docker::ContainerSpec& spec,
                          const std::vector<observe::Container>& old, Kept kept) {
  const auto earlier = std::find_if(
      old.begin(), old.end(), [&](const auto& container) { return container.name == spec.name; });
  if (earlier == old.end() || !server(step.server).holds_data) {
    return run_container(step, declared, spec, kept);
  }
  if (earlier->image_digest != spec.labels.at("paas.image") ||
      earlier->shape != spec.labels.at("paas.shape")) {
    return fail(ErrorKind::exists,
                fmt::format("{} is on {} already, made of something else, and may hold data",
                            spec.name, step.server),
                "nothing was removed: rename it or remove it there by hand");
  }
  PAAS_CHECK(tools_.machines.resume_container(target(step.server), spec.name));
  stage(step, "started " + spec.name + " again");
  return await_again(step, spec.name);
}

/// Where data may be, nothing is done to containers that the plan did not know of: nobody agreed.
Status Run::check_known(const plan::Step& step,
                        const std::vector<observe::Container>& there) const {
  if (there.empty() || retiring_.contains(step.server)) return {};
  return fail(ErrorKind::failed,
              fmt::format("there is a container of {} on {} that was not looked at before",
                          step.service, step.server),
              "it was left as it is: `paasctl plan` shows what has to be done now");
}

/// db, cache and worker: the old container stops before the new one starts, and comes back if that
/// fails.
Status Run::replace_in_place(const plan::Step& step, const stack::Service& declared,
                             const docker::ContainerSpec& spec,
                             const std::vector<observe::Container>& old, Kept kept) {
  std::vector<std::string> stopped;
  for (const auto& container : old) {
    if (!plan::holds_port(container)) continue;
    PAAS_CHECK(tools_.machines.stop_container(target(step.server), container.name));
    if (container.name != spec.name) stopped.push_back(container.name);
    stage(step, "stopped " + container.name);
  }
  auto started = run_or_resume(step, declared, spec, old, kept);
  if (started) return {};
  // One that was not removed may run, and has the port.
  if (!stopped.empty()) (void)tools_.machines.stop_container(target(step.server), spec.name);
  for (const auto& name : stopped) {
    auto resumed = tools_.machines.resume_container(target(step.server), name);
    stage(step, resumed ? "started " + name + " again" : "could not start " + name + " again");
  }
  return started;
}

/// `restarts` is how often the engine had started it again before; once more means that it ended.
Status Run::await_healthy(const plan::Step& step, const stack::Service& declared,
                          const std::string& name, int restarts) {
  const auto began = tools_.clock.monotonic();
  const auto where = target(step.server);
  const bool may_be_given_up = retiring_.contains(step.server);
  const observe::HealthQuestion question{name, declared.port, declared.health.path,
                                         declared.health.timeout_ms, restarts};
  return poll(std::chrono::seconds(declared.health.start_timeout_seconds), options_.timeouts.health,
              "waiting for " + name + " to become healthy", [&]() -> Result<bool> {
                if (may_be_given_up && is_given_up(step.service)) return given_up(step.service);
                PAAS_TRY(const auto health,
                         tools_.machines.await_health(where, question, health_wait));
                if (health.state.empty()) return fail(ErrorKind::failed, "the container is gone");
                if (health.state != "running" || health.restarts > restarts) {
                  return fail(ErrorKind::failed,
                              fmt::format("the container ended with status {}", health.exit_code));
                }
                // Without a port all there is to see is that it keeps running.
                return declared.port ? health.answers : tools_.clock.monotonic() - began > 3s;
              });
}

Status Run::retire_container(const plan::Step& step) {
  const auto entry = server(step.server);
  if (stack_.lb && service(step.service).type == stack::ServiceType::web) {
    PAAS_CHECK(leave_to_current(step));
  }
  PAAS_TRY(const auto machine, tools_.machines.look(target(step.server), stack_.name, false));
  const auto* current = plan::current_container(machine, entry);
  for (const auto& container : machine.containers) {
    if (&container == current) continue;
    PAAS_CHECK(tools_.machines.stop_container(target(step.server), container.name));
    if (plan::is_kept(service(step.service), entry, container)) {
      stage(step, "stopped " + container.name + ", kept for a rollback");
      continue;
    }
    PAAS_CHECK(tools_.machines.remove_container(target(step.server), container.name));
    stage(step, "removed " + container.name);
  }
  // What is left is the container of now.
  return state_.change([&](auto& next) {
    next.servers.at(step.server).holds_data = plan::stores_in_container(service(step.service));
  });
}

/// Stops what runs and takes the volume's file system off, so that another server can have it.
Status Run::stop_container(const plan::Step& step) {
  PAAS_TRY(auto machine, tools_.machines.look(target(step.server), stack_.name, false));
  for (const auto& container : of_service(machine.containers, step.service)) {
    if (!plan::holds_port(container)) continue;
    PAAS_CHECK(tools_.machines.stop_container(target(step.server), container.name));
    stage(step, "stopped " + container.name);
  }
  for (const auto& volume : machine.mounted_volumes) {
    PAAS_CHECK(tools_.machines.unmount_volume(
        target(step.server), {plan::volume_device(volume), plan::volume_folder(volume)}));
    stage(step, "unmounted " + volume);
  }
  return {};
}

Status Run::write_hosts(const plan::Step& step) {
  return tools_.machines.rewrite_in_place(target(step.server), "/etc/paas/hosts",
                                          plan::hosts_file(state_.read()));
}

}  // namespace paas::reconcile
