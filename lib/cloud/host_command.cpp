// Runs a program and turns its failure into an Error.
#include "cloud/host_command.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace paas::cloud {

Result<std::string> run_on_host(Processes& processes, std::vector<std::string> arguments) {
  const std::string command = text::join(arguments, " ");
  ProcessRequest request;
  request.arguments = std::move(arguments);
  request.on_stop = OnStop::finish;
  auto result = processes.run(request);
  if (!result) return fail(result.error(), command);
  if (result->exit_status == 0) return std::move(result->output);
  return fail(ErrorKind::failed,
              fmt::format("{}: {} (status {})", command, text::trim(result->error_output),
                          result->exit_status));
}

}  // namespace paas::cloud
