// Finds containers by the lockfile: no request is needed.
#include "containers.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "plan/container.hpp"

namespace paas::cli {

Result<std::vector<RunningContainer>> containers_of(Session& session, const std::string& name) {
  std::vector<RunningContainer> result;
  std::vector<std::string> names;
  for (const auto& service : session.stack.services) names.push_back(service.name);
  for (const auto& [server_name, server] : session.lockfile.servers) {
    names.push_back(server_name);
    const bool meant = server.service == name || server_name == name ||
                       server_name == session.stack.name + "-" + name;
    if (!meant || server.release == 0) continue;
    result.push_back(
        {server_name, plan::container_name(session.stack, server.service, server.release)});
  }
  if (!result.empty()) return result;
  const auto near = text::nearest(name, names);
  return fail(ErrorKind::not_found, fmt::format("no container of {} runs", name),
              near && *near != name ? fmt::format("did you mean {}?", *near)
                                    : "`paasctl status` shows what runs");
}

Result<int> attach(Program& program, Session& session, const std::string& server,
                   const std::vector<std::string>& command) {
  const auto target = session.target(server);
  const auto tty = program.is_interactive() ? ssh::Tty::when_terminal : ssh::Tty::never;
  PAAS_TRY(auto arguments, session.connections().interactive(
                               {target.name, target.address, target.host_key}, command, tty));
  return program.ports.processes.run_attached(arguments);
}

}  // namespace paas::cli
