// Steps of a password's rotation. Each state is flushed before what it allows begins, and each
// program may be run again, so that an interruption at any point is resumed.
#include <fmt/format.h>

#include "base/text.hpp"
#include "lockfile/passwords.hpp"
#include "plan/container.hpp"
#include "reconcile/run.hpp"

namespace paas::reconcile {

/// Runs a program in the service's container, with the new password on standard input.
Status Run::tell_password(const plan::Step& step, const std::vector<std::string>& program,
                          const std::string& key) {
  const auto rotation = state_.read().services.at(step.service).rotation;
  if (!rotation) return fail(ErrorKind::failed, "no password is being rotated");
  const auto container = plan::container_name(stack_, step.service, server(step.server).release);
  observe::RemoteCommand command;
  command.arguments = {"docker", "exec", "-i"};
  const auto user =
      rotation->user.empty() ? service(step.service).credentials->user : rotation->user;
  if (!user.empty()) {
    command.arguments.insert(command.arguments.end(), {"-e", "PAASCTL_USER=" + user});
  }
  command.arguments.push_back(container);
  command.arguments.insert(command.arguments.end(), program.begin(), program.end());
  command.input = rotation->password.reveal();
  PAAS_TRY(const auto result, tools_.machines.run(target(step.server), command));
  if (result.exit_status == 0) return {};
  // What it printed may have the password in it.
  return fail(
      ErrorKind::failed,
      fmt::format("{} in {} ended with status {}", program.front(), container, result.exit_status),
      fmt::format("credentials.{} of {} reads the new password from standard input; see "
                  "`paasctl logs {}`",
                  key, step.service, step.service));
}

Status Run::reach_rotation_state(const std::string& service, lockfile::RotationState state) {
  return state_.change([&](auto& next) {
    auto& rotation = next.services.at(service).rotation;
    if (rotation && rotation->state < state) rotation->state = state;
  });
}

Status Run::set_password(const plan::Step& step) {
  PAAS_CHECK(tell_password(step, service(step.service).credentials->set, "set"));
  stage(step, "password set");
  return reach_rotation_state(step.service, lockfile::RotationState::set);
}

Status Run::retire_password(const plan::Step& step) {
  PAAS_CHECK(reach_rotation_state(step.service, lockfile::RotationState::pushed));
  const auto& program = service(step.service).credentials->retire;
  if (program.empty()) {
    stage(step, "there is no credentials.retire");
  } else {
    PAAS_CHECK(tell_password(step, program, "retire"));
    stage(step, "old password retired");
  }
  return state_.change([&](auto& next) {
    lockfile::finish_rotation(next.services.at(step.service), text::timestamp(tools_.clock.now()));
  });
}

}  // namespace paas::reconcile
