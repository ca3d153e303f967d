// Implementation of what is done over a connection: commands, files, forwarded sockets, sessions.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "ssh/connection_state.hpp"
#include "ssh/failure.hpp"
#include "ssh/quote.hpp"

namespace paas::ssh {
namespace {

/// The client's own failures have this status, and a remote command may have it too.
constexpr int client_failed = 255;
/// What the remote shell says last when it was the command that ended with 255.
constexpr std::string_view own_255_mark = "paas: this 255 is the command's own\n";

/// Ends like the command, and says so where the status could also be the client's.
std::string remote_text(const std::vector<std::string>& arguments) {
  return fmt::format("{}; s=$?; [ $s -ne {} ] || printf %s {} >&2; exit $s", quote_all(arguments),
                     client_failed, quote(own_255_mark));
}

/// The client says so, and connects by itself, when a killed master left its socket behind or dies
/// while it is spoken to.
bool remove_dead_master_lines(std::string& error_output) {
  constexpr std::array<std::string_view, 3> starts{"Control socket connect(",
                                                   "muxclient: ", "mux_client_"};
  bool has_removed = false;
  while (std::any_of(starts.begin(), starts.end(), [&error_output](std::string_view start) {
    return error_output.starts_with(start);
  })) {
    const auto end = error_output.find('\n');
    error_output.erase(0, end == std::string::npos ? end : end + 1);
    has_removed = true;
  }
  return has_removed;
}

}  // namespace

Result<ProcessResult> Connections::run(const Host& host, const Command& command) {
  const auto connection = connection_to(host);
  PAAS_TRY(const Route way, route(*connection, host));
  const Session session(*connection);
  ProcessRequest request;
  request.arguments = options(way, Role::guest);
  bool over_master = session.shared();
  if (!over_master) {
    // The first value of an option counts, so this one has to come before the others.
    request.arguments.insert(request.arguments.begin() + 1, {"-o", "ControlPath=none"});
  }
  request.arguments.insert(request.arguments.end(), {"-o", "ClearAllForwardings=yes", "--",
                                                     host.address, remote_text(command.arguments)});
  request.input = command.input;
  request.environment = {"LC_ALL=C.UTF-8", "LANG=C.UTF-8"};
  request.timeout = command.timeout;
  request.on_output = command.on_output;
  request.on_error_output = command.on_error_output;
  request.on_stop = command.on_stop;
  // The end decides about a 255, so it is kept also when the caller takes the error output.
  std::string tail;
  if (command.on_error_output) {
    request.on_error_output = [&tail, &command](std::string_view part) {
      tail.append(part);
      if (tail.size() > 65536) tail.erase(0, tail.size() - 32768);
      command.on_error_output(part);
    };
  }
  auto result = processes_.run(request);
  if (!result) return fail(std::move(result.error()), "running a command on " + host.name);

  auto& error_output = command.on_error_output ? tail : result->error_output;
  if (remove_dead_master_lines(error_output)) {
    over_master = false;
    const std::scoped_lock lock(connection->mutex);
    if (connection->route && connection->route->control_socket == way.control_socket) {
      close(*connection);
    }
  }
  if (result->exit_status != client_failed) return result;
  if (error_output.ends_with(own_255_mark)) {
    error_output.erase(error_output.size() - own_255_mark.size());
    return result;
  }
  {
    const std::scoped_lock lock(connection->mutex);
    connection->checked_at.reset();
  }
  // Over the master no key is looked at any more: such words are the command's own.
  return fail(over_master ? cut_off(host, error_output) : connecting_failure(host, error_output));
}

Result<std::string> Connections::run_or_fail(const Host& host, const Command& command) {
  PAAS_TRY(ProcessResult result, run(host, command));
  if (result.exit_status == 0) return std::move(result.output);
  const auto& said = text::trim(result.error_output).empty() ? result.output : result.error_output;
  auto last = text::lines(text::trim(said));
  if (last.size() > 5) last.erase(last.begin(), last.end() - 5);
  const auto program = command.arguments.empty() ? std::string() : command.arguments.front();
  return fail(ErrorKind::failed,
              fmt::format("{} on {} ended with status {}: {}", program, host.name,
                          result.exit_status, text::join(last, "\n")));
}

Status Connections::write_file(const Host& host, const std::string& path, std::string_view content,
                               std::uint32_t mode) {
  if (!path.starts_with('/') || path.ends_with('/')) {
    return fail(ErrorKind::invalid, fmt::format("{} is not the whole path of a file", path));
  }
  // A connection that is cut ends `cat` early: the size tells that from the whole content.
  constexpr std::string_view script = R"(set -e
umask 077
temporary=$(mktemp "${1%/*}/.${1##*/}.XXXXXX")
trap 'rm -f "$temporary"' EXIT
trap 'exit 1' HUP INT TERM
cat > "$temporary"
size=$(wc -c < "$temporary")
if [ "$size" -ne "$3" ]; then
  echo "only $size of $3 bytes arrived" >&2
  exit 1
fi
chmod "$2" "$temporary"
sync "$temporary"
mv -fT "$temporary" "$1"
)";
  Command command;
  command.arguments = {"sh",
                       "-c",
                       std::string(script),
                       "write",
                       path,
                       fmt::format("{:04o}", mode),
                       std::to_string(content.size())};
  command.input = std::string(content);
  if (const auto result = run_or_fail(host, command); !result) {
    return fail(result.error(), "writing " + path);
  }
  return {};
}

Result<std::string> Connections::forward_socket(const Host& host,
                                                const std::string& remote_socket) {
  const auto connection = connection_to(host);
  PAAS_TRY(const Route way, route(*connection, host));
  const std::scoped_lock lock(connection->mutex);
  if (const auto found = connection->forwards.find(remote_socket);
      found != connection->forwards.end()) {
    return found->second;
  }
  const auto local = fmt::format("{}{}", way.control_socket, connection->forwards.size());
  PAAS_TRY(const ProcessResult result,
           control(way, {"-O", "forward", "-L", fmt::format("{}:{}", local, remote_socket)},
                   OnStop::end));
  if (result.exit_status != 0) {
    connection->checked_at.reset();
    return fail(cut_off(host, result.error_output), "forwarding " + remote_socket);
  }
  connection->forwards.emplace(remote_socket, local);
  return local;
}

Result<std::vector<std::string>> Connections::interactive(const Host& host,
                                                          const std::vector<std::string>& command,
                                                          Tty tty) {
  const auto connection = connection_to(host);
  PAAS_TRY(const Route way, route(*connection, host));
  auto arguments = options(way, Role::guest);
  if (tty == Tty::when_terminal) arguments[1] = "-t";
  arguments.insert(arguments.end(), {"-o", "ClearAllForwardings=yes", "--", host.address});
  if (!command.empty()) arguments.push_back(quote_all(command));
  return arguments;
}

}  // namespace paas::ssh
