// Starts hooks and hands their output on.
#include "hooks.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace paas::cli {

namespace {

constexpr std::uint32_t executable_bits = 0111;

Status check_executable(const FileInfo& info, const std::string& path) {
  if (info.kind != FileKind::regular || (info.mode & executable_bits) != 0) return {};
  return fail(ErrorKind::failed, fmt::format("the hook {} is not executable", path),
              fmt::format("chmod +x {}", path));
}

}  // namespace

Status run_hook(Program& program, const Session& session, const std::string& name,
                const std::map<std::string, std::string>& variables) {
  const auto folder = std::filesystem::absolute(session.folder).lexically_normal().string();
  const auto path = fmt::format("{}/.paas/hooks/{}", folder, name);
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

}  // namespace paas::cli
