// Output of containers, and commands that run inside them.
#include <algorithm>
#include <chrono>
#include <thread>

#include "docker/call.hpp"
#include "docker/engine.hpp"
#include "docker/streams.hpp"

namespace paas::docker {

Status Engine::logs(const std::string& container, const LogOptions& options,
                    const std::function<Status(LogStream, std::string_view)>& sink) {
  PAAS_TRY(const auto inspected, inspect_container_json(container));
  // A container with a terminal has one stream, which comes without frames.
  const auto& terminal = member(member(inspected, "Config"), "Tty");
  const bool framed = !(terminal.is_boolean() && terminal.get<bool>());
  Demultiplexer frames(sink);
  Call call{.path = "/containers/" + encode_path(container) + "/logs",
            .query = {{"stdout", "1"}, {"stderr", "1"}, {"tail", options.tail}}};
  if (options.follow) call.query.emplace_back("follow", "1");
  if (options.timestamps) call.query.emplace_back("timestamps", "1");
  if (!options.since.empty()) call.query.emplace_back("since", options.since);
  call.on_body = [&](std::string_view part) {
    return framed ? frames.feed(part) : sink(LogStream::output, part);
  };
  call.timeout = unlimited;
  PAAS_TRY([[maybe_unused]] const auto response, send(call));
  return {};
}

Result<ExecResult> Engine::exec(const std::string& container,
                                const std::vector<std::string>& arguments,
                                const ExecOptions& options) {
  const auto deadline = std::chrono::steady_clock::now() + options.timeout;
  PAAS_TRY(const auto made, fetch({.method = "POST",
                                   .path = "/containers/" + encode_path(container) + "/exec",
                                   .json = {{"AttachStdin", !options.input.empty()},
                                            {"AttachStdout", true},
                                            {"AttachStderr", true},
                                            {"Tty", false},
                                            {"Cmd", arguments}}}));
  const auto path = "/exec/" + encode_path(text_of(member(made, "Id")));
  const nlohmann::json start = {{"Detach", false}, {"Tty", false}};
  ExecResult result;
  Demultiplexer frames([&](LogStream stream, std::string_view part) -> Status {
    (stream == LogStream::error ? result.error_output : result.output).append(part);
    return {};
  });
  const auto feed = [&](std::string_view part) { return frames.feed(part); };
  if (options.input.empty()) {
    PAAS_TRY([[maybe_unused]] const auto response, send({.method = "POST",
                                                         .path = path + "/start",
                                                         .json = start,
                                                         .on_body = feed,
                                                         .timeout = options.timeout}));
  } else {
    PAAS_TRY(const auto version, api_version());
    PAAS_TRY(const auto body, dump(start));
    auto ran = options_.hijack(socket_, "/v" + version + path + "/start", body, options, feed);
    if (!ran) return fail(explain(std::move(ran.error())));
  }
  PAAS_TRY(result.exit_code, exit_code_of(path, deadline));
  return result;
}

// The stream may end before the command does: by a moment that the engine takes to learn of the
// end, or by long where the command has closed its outputs.
Result<int> Engine::exit_code_of(const std::string& exec_path,
                                 std::chrono::steady_clock::time_point deadline) {
  auto pause = std::chrono::milliseconds(2);
  for (int ended_without_code = 0; ended_without_code < 50;) {
    PAAS_TRY(const auto value, fetch({.path = exec_path + "/json"}));
    const auto& running = member(value, "Running");
    const auto& code = member(value, "ExitCode");
    if (running == false && code.is_number()) return static_cast<int>(integer_of(code));
    if (running != true) ++ended_without_code;
    if (std::chrono::steady_clock::now() >= deadline) {
      return fail(explain(make_error(ErrorKind::timed_out, "a command does not end")));
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(200));
  }
  return fail(
      explain(make_error(ErrorKind::failed, "a command ended and its exit code is not known")));
}

}  // namespace paas::docker
