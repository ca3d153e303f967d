// `paasctl run`: a one-off task in a container of its own.
#include <fmt/format.h>

#include "containers.hpp"
#include "program.hpp"

namespace paas::cli {

namespace {

struct Options {
  std::string name;
  std::vector<std::string> command;
};

/// Eight hexadecimal digits.
std::string random_suffix(Random& random) {
  std::string text;
  for (const unsigned char byte : random.bytes(4)) text += fmt::format("{:02x}", byte);
  return text;
}

/// The image and the environment of a container that runs, with another command. Without the label
/// by which paasctl knows its containers, which the image brings along, so that no other run takes
/// it for one of a release.
docker::ContainerSpec task_like(const docker::ContainerInfo& running, const std::string& name,
                                const std::vector<std::string>& command) {
  docker::ContainerSpec task;
  task.name = name;
  task.image = running.image_id;
  task.command = command;
  task.environment = running.environment;
  task.labels = {{"paas.task", running.name}, {"paas.stack", ""}};
  task.mounts = {{"/etc/paas/hosts", "/etc/hosts", true}};
  task.restart_policy = "no";
  task.auto_remove = true;
  task.open_input = true;
  return task;
}

Result<int> run(Program& program, const Options& options) {
  PAAS_TRY(auto session, Session::open(program, Need::applied));
  PAAS_TRY(const auto containers, containers_of(*session, options.name));
  const auto& chosen = containers.front();
  const auto target = session->target(chosen.server);
  PAAS_TRY(auto engine, session->machines().engine(target));
  PAAS_TRY(const auto running, engine.inspect_container(chosen.container));
  const auto name = chosen.container + "-task-" + random_suffix(program.ports.random);
  auto task = task_like(running, name, options.command);
  task.terminal = program.is_interactive();
  const auto created = engine.create_container(task);
  if (!created) return fail(created.error(), fmt::format("making a task on {}", chosen.server));
  if (program.globals.verbose) program.say(fmt::format("{} on {}", name, chosen.server));
  const std::vector<std::string> remote = {"docker", "start", "--attach", "--interactive", name};
  return attach(program, *session, chosen.server, remote);
}

}  // namespace

void register_run(Program& program) {
  add_command<Options>(
      program, program.app, "run",
      "Run a one-off task: a command in a new container with a service's image and environment",
      [&program](CLI::App& command, Options& options) {
        command
            .add_option("NAME", options.name,
                        "Service (on its first server) or server; the container gets no requests "
                        "and no volume, and is gone when the command ends, which goes on when the "
                        "connection is lost")
            ->required();
        add_verbatim(program, command, "COMMAND", options.command,
                     "Command with its arguments, after --")
            ->required();
      },
      run,
      "  paasctl run web -- ./manage.py migrate\n"
      "  paasctl run web -- env\n"
      "  paasctl run worker-2 -- python3");
}

}  // namespace paas::cli
