// Starts hooks and hands their output on.
#include "hooks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.hpp"

namespace paas::cli {

namespace {

constexpr std::uint32_t executable_bits = 0111;

Status check_executable(const FileInfo& info, const std::string& path) {
  if (info.kind != FileKind::regular || (info.mode & executable_bits) != 0) return {};
  return fail(ErrorKind::failed, fmt::format("the hook {} is not executable", path),
              fmt::format("chmod +x {}", path));
}

std::string folder_of_hooks(const Session& session) {
  const auto folder = std::filesystem::absolute(session.folder) / ".paas/hooks";
  return folder.lexically_normal().string();
}

/// A hook that would never run is not passed over: somebody counts on it.
Status check_named(const Session& session, const std::string& name, const std::string& path) {
  if (!session.declared || session.declared->contains(name)) return {};
  const auto near = text::nearest(name, {session.declared->begin(), session.declared->end()});
  return fail(ErrorKind::failed, fmt::format("the hook {} names no service of the stack", path),
              near ? fmt::format("did you mean pre-release.{}?", *near)
                   : "it is named pre-release.SERVICE");
}

Status check_type(const stack::Service& service, const std::string& path) {
  if (service.type == stack::ServiceType::web || service.type == stack::ServiceType::worker) {
    return {};
  }
  return fail(ErrorKind::failed,
              fmt::format("the hook {} is never run: {} is of type {}", path, service.name,
                          stack::to_text(service.type)),
              "name it after the web or worker service whose image it needs");
}

}  // namespace

Status run_hook(Program& program, const Session& session, const std::string& name,
                const std::map<std::string, std::string>& variables) {
  const auto folder = std::filesystem::absolute(session.folder).lexically_normal().string();
  const auto path = fmt::format("{}/{}", folder_of_hooks(session), name);
  PAAS_TRY(const auto info, program.ports.files.info(path));
  if (!info) return {};
  PAAS_CHECK(check_executable(*info, path));
  program.say(fmt::format("hook {}", name));
  ProcessRequest request;
  request.arguments = {"env", "-C", folder, "./.paas/hooks/" + name};
  for (const auto& [variable, value] : variables) {
    request.environment.push_back(variable + "=" + value);
  }
  const auto show = [&](std::string_view text) { program.ports.terminal.write_error(text); };
  request.on_output = show;
  request.on_error_output = show;
  auto result = program.ports.processes.run(request);
  if (!result) return fail(result.error(), "running the hook " + name);
  if (result->exit_status == 0) return {};
  return fail(ErrorKind::failed,
              fmt::format("the hook {} ended with status {}", name, result->exit_status));
}

Result<std::map<std::string, std::string>> read_pre_release_hooks(Program& program,
                                                                  const Session& session,
                                                                  const plan::Wanted& wanted) {
  constexpr std::string_view stem = "pre-release";
  std::map<std::string, std::string> hooks;
  const auto folder = folder_of_hooks(session);
  PAAS_TRY(const auto there, program.ports.files.info(folder));
  if (!there) return hooks;
  PAAS_TRY(const auto names, program.ports.files.list(folder));
  for (const auto& name : names) {
    if (name != stem && !name.starts_with(std::string(stem) + ".")) continue;
    const auto service = name.substr(std::min(name.size(), stem.size() + 1));
    const auto path = folder + "/" + name;
    PAAS_CHECK(check_named(session, service, path));
    const auto* declared = stack::find_service(wanted.stack, service);
    if (declared == nullptr || wanted.held.contains(service)) continue;
    PAAS_CHECK(check_type(*declared, path));
    PAAS_TRY(const auto info, program.ports.files.info(path));
    if (info) PAAS_CHECK(check_executable(*info, path));
    PAAS_TRY(hooks[service], program.ports.files.read(path));
  }
  return hooks;
}

}  // namespace paas::cli
