// Runs a service's hook before its new release starts anywhere, in a container of that release.
#include "plan/pre_release.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "docker/sha256.hpp"
#include "plan/releases.hpp"
#include "reconcile/run.hpp"

namespace paas::reconcile {

using namespace std::chrono_literals;

namespace {

/// How long a server waits by itself for the end of a hook.
constexpr std::chrono::milliseconds end_wait = 30s;

bool is_same_hook(const docker::ContainerInfo& container, const docker::ContainerSpec& spec) {
  const auto is_same = [&](const std::string& label) {
    const auto found = container.labels.find(label);
    return found != container.labels.end() && found->second == spec.labels.at(label);
  };
  return is_same("paas.release") && is_same("paas.image") && is_same("paas.hook");
}

/// Whether the container goes on without this run, or nobody can tell.
bool is_left(const Error& error) {
  return error.kind == ErrorKind::interrupted || error.kind == ErrorKind::unreachable;
}

Error left_behind(Error error) {
  if (error.hint.empty()) error.hint = "the hook may go on; the next run waits for it";
  return error;
}

}  // namespace

bool is_undecided(const Failure& failure) {
  return failure.step.kind == plan::StepKind::run_pre_release && is_left(failure.error);
}

/// A release that a server has begun had its hook run: the image that was built is the one of
/// before, or an earlier run came so far.
Status Run::run_pre_release(const plan::Step& step) {
  PAAS_TRY(const auto made, make_release(step, service(step.service)));
  if (plan::is_begun(state_.read(), step.service, made.container.release)) {
    stage(step, "unchanged");
    return note_hook(step, "");
  }
  auto spec = plan::pre_release_container(stack_, service(step.service), step.server,
                                          made.container, made.environment,
                                          docker::sha256(options_.pre_release.at(step.service)));
  spec.environment.push_back("PAAS_BY=" + options_.who);
  PAAS_TRY(const bool is_there, has_earlier_pre_release(step, spec));
  auto ended = is_there ? Status() : start_pre_release(step, spec);
  if (ended) ended = await_pre_release(step, spec.name);
  if (!ended && is_left(ended.error())) return fail(left_behind(ended.error()));
  if (!ended) ended = fail(with_last_lines(ended.error(), step, spec.name));
  remove_pre_release(step, spec.name);
  PAAS_CHECK(note_hook(step, ""));
  return ended;
}

Status Run::note_hook(const plan::Step& step, const std::string& server) {
  if (state_.read().services.at(step.service).hook_server == server) return {};
  return state_.change([&](lockfile::Lockfile& lockfile) {
    lockfile.services.at(step.service).hook_server = server;
  });
}

/// Whether an interrupted run's hook of this release runs or has ended well. Any other makes room,
/// once it has ended: it may be in the middle of a change.
Result<bool> Run::has_earlier_pre_release(const plan::Step& step,
                                          const docker::ContainerSpec& spec) {
  PAAS_TRY(const auto earlier, tools_.machines.container(target(step.server), spec.name));
  if (!earlier) return false;
  const bool is_running = earlier->state == "running";
  const bool has_ended = earlier->state == "exited" && earlier->exit_code == 0;
  if (is_same_hook(*earlier, spec) && (has_ended || is_running)) {
    stage(step, "begun by an earlier run");
    return true;
  }
  if (is_running) {
    stage(step, "waiting for " + spec.name + " of an earlier run");
    const auto ended = await_pre_release(step, spec.name);
    if (!ended && is_left(ended.error())) return fail(left_behind(ended.error()));
  }
  PAAS_CHECK(tools_.machines.remove_container(target(step.server), spec.name));
  stage(step, "removed " + spec.name + " of an earlier run");
  return false;
}

Status Run::start_pre_release(const plan::Step& step, const docker::ContainerSpec& spec) {
  if (!server(step.server).firewalled) PAAS_CHECK(await_firewall(step));
  PAAS_CHECK(write_hosts(step));
  PAAS_CHECK(note_hook(step, step.server));
  PAAS_CHECK(tools_.machines.write_file(target(step.server), plan::pre_release_file(step.service),
                                        options_.pre_release.at(step.service), 0755));
  PAAS_CHECK(tools_.machines.start_container(target(step.server), spec));
  stage(step, "container");
  return {};
}

/// A connection that breaks meanwhile is no failure of the hook: the server is asked again for as
/// long as one that boots.
Status Run::await_pre_release(const plan::Step& step, const std::string& container) {
  const auto timeout = std::chrono::milliseconds(stack_.pre_release_timeout_ms);
  auto answered = tools_.clock.monotonic();
  const auto deadline = answered + timeout;
  return poll(timeout, "the hook", [&]() -> Result<bool> {
    const auto left = deadline - tools_.clock.monotonic();
    const auto end = tools_.machines.await_end(
        target(step.server), container, std::clamp<std::chrono::milliseconds>(left, 1s, end_wait));
    const auto now = tools_.clock.monotonic();
    if (!end && end.error().kind == ErrorKind::unreachable &&
        now - answered < options_.timeouts.ssh) {
      return false;
    }
    if (!end) return fail(end.error());
    answered = now;
    if (end->state == "running") return false;
    if (end->state.empty()) return fail(ErrorKind::failed, "the hook's container is gone");
    if (end->state == "exited" && end->exit_code == 0) return true;
    return fail(ErrorKind::failed, fmt::format("the hook ended with status {}", end->exit_code));
  });
}

/// What is left behind does no harm: the next hook makes room for itself.
void Run::remove_pre_release(const plan::Step& step, const std::string& container) {
  auto removed = tools_.machines.remove_container(target(step.server), container);
  if (removed) {
    observe::RemoteCommand command;
    command.arguments = {"rm", "-f", plan::pre_release_file(step.service)};
    removed = tools_.machines.run(target(step.server), command).map([](const ProcessResult&) {});
  }
  if (!removed) stage(step, "left " + container + " behind: " + describe(removed.error()));
}

}  // namespace paas::reconcile
