// Adds and removes servers in a running HAProxy.
#include "haproxy/runtime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "haproxy/server_options.hpp"
#include "haproxy/values.hpp"

namespace paas::haproxy {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds poll_interval{50};
/// How long a server of the same name with another address may finish its sessions.
constexpr milliseconds stale_drain_time{5000};
/// How long HAProxy may take to let go of a server whose sessions were ended.
constexpr milliseconds deletion_time{2000};

/// A refusal in HAProxy's own words.
Error refusal(const std::string& command, std::string_view answer) {
  const auto words = text::trim(answer);
  auto kind = ErrorKind::failed;
  if (words.starts_with("No such server") || words.starts_with("No such backend")) {
    kind = ErrorKind::not_found;
  } else if (words.starts_with("Already exists")) {
    kind = ErrorKind::exists;
  } else if (words.starts_with("Permission denied")) {
    kind = ErrorKind::unauthorised;
  }
  constexpr std::size_t shown = 200;
  return make_error(kind, fmt::format("HAProxy answered '{}' with '{}'", command,
                                      words.empty() ? "nothing" : words.substr(0, shown)));
}

std::optional<ServerStatistics> find(const std::vector<ServerStatistics>& all,
                                     const std::string& backend, const std::string& server) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const ServerStatistics& each) {
    return each.backend == backend && each.server == server;
  });
  if (found == all.end()) return std::nullopt;
  return *found;
}

/// Checks run and their last result is of now: not in maintenance, where an old result stays, nor
/// without checks.
bool is_checked(const ServerStatistics& server) {
  return server.status.starts_with("UP") || server.status.starts_with("DOWN") ||
         server.status.starts_with("DRAIN");
}

bool has_passed(const ServerStatistics& server) {
  return server.status.starts_with("UP") && server.check_status == "L7OK";
}

/// What to say of a server whose check did not pass: "DOWN, check L4CON".
std::string describe(const ServerStatistics& server) {
  return fmt::format("{}, check {}", server.status,
                     server.check_status.empty() ? "not run yet" : server.check_status);
}

}  // namespace

bool takes_requests(const ServerStatistics& server) {
  return is_checked(server) && !server.status.starts_with("DRAIN") && server.weight > 0;
}

Runtime::Runtime(Send send, Clock& clock) : send_(std::move(send)), clock_(clock) {}

Result<std::string> Runtime::command(const std::string& text) {
  auto answer = send_(text);
  if (!answer) return fail(std::move(answer.error()), "asking HAProxy through its admin socket");
  return answer;
}

Status Runtime::order(const std::string& text) {
  PAAS_TRY(const auto answer, command(text));
  if (!text::trim(answer).empty()) return fail(refusal(text, answer));
  // What was done is answered with an empty line; one that hangs or ends says nothing at all.
  if (answer.empty()) {
    return fail(ErrorKind::unreachable, fmt::format("HAProxy said nothing to '{}'", text));
  }
  return {};
}

Result<std::vector<ServerStatistics>> Runtime::statistics() {
  PAAS_TRY(const auto answer, command(std::string(statistics_command)));
  return parse_statistics(answer);
}

Status Runtime::wait_for_check(const std::string& backend, const std::string& server,
                               milliseconds timeout) {
  const auto deadline = clock_.monotonic() + timeout;
  while (true) {
    PAAS_TRY(const auto all, statistics());
    const auto found = find(all, backend, server);
    if (!found) {
      return fail(ErrorKind::not_found,
                  fmt::format("HAProxy no longer has the server '{}/{}'", backend, server),
                  "it was reloaded or restarted meanwhile; run the command again");
    }
    if (has_passed(*found)) return {};
    if (clock_.monotonic() >= deadline) {
      return fail(ErrorKind::timed_out,
                  fmt::format("the health check of '{}/{}' did not pass within {} ({})", backend,
                              server, text::duration(timeout), describe(*found)));
    }
    PAAS_CHECK(clock_.wait(poll_interval));
  }
}

Status Runtime::delete_server(const std::string& target, milliseconds timeout) {
  const auto deadline = clock_.monotonic() + timeout;
  const auto deletion = fmt::format("del server {}", target);
  while (true) {
    PAAS_TRY(const auto answer, command(deletion));
    if (answer.starts_with("Server deleted")) return {};
    const auto error = refusal(deletion, answer);
    if (error.kind == ErrorKind::not_found) return {};
    const bool may_pass = answer.starts_with("Server still has connections");
    if (!may_pass || clock_.monotonic() >= deadline) return fail(error);
    PAAS_CHECK(clock_.wait(poll_interval));
  }
}

/// Adds a server and enables it with one line: the way to HAProxy may be long.
Status Runtime::register_server(const std::string& addition, const std::string& target) {
  constexpr std::string_view registered = "New server registered.";
  const auto line = fmt::format("{0}; enable health {1}; enable server {1}", addition, target);
  PAAS_TRY(const auto answer, command(line));
  if (!answer.starts_with(registered)) return fail(refusal(addition, answer));
  // What was done is answered with an empty line.
  if (text::trim(answer.substr(registered.size())).empty()) return {};
  return fail(refusal(line, answer.substr(registered.size())));
}

Status Runtime::add_server(const Backend& backend, const Server& server, milliseconds timeout,
                           Entry entry) {
  if (!is_backend_name(backend.name)) {
    return fail(ErrorKind::invalid, "the load balancer's backend has a name that is not allowed");
  }
  PAAS_CHECK(check(server));
  const auto target = fmt::format("{}/{}", backend.name, server.name);
  const auto address = endpoint(server.address, server.port);
  PAAS_TRY(const auto all, statistics());

  auto found = find(all, backend.name, server.name);
  if (found && (found->address != address || !is_checked(*found))) {
    // In maintenance the last result of a check stays and would pass for a new one, so that starts
    // afresh too.
    PAAS_CHECK(remove_server(backend.name, server.name, stale_drain_time));
    found.reset();
  }
  if (!found) {
    PAAS_CHECK(register_server(
        fmt::format("add server {} {} {} weight 0", target, address, server_options(backend)),
        target));
  } else if (found->status.starts_with("DRAIN")) {
    // A removal that was interrupted.
    PAAS_CHECK(order(fmt::format("set server {} state ready", target)));
  }

  if (auto passed = wait_for_check(backend.name, server.name, timeout); !passed) {
    // One that took requests before stays: HAProxy's own checks keep them from it.
    const bool leave =
        (found && takes_requests(*found)) || passed.error().kind != ErrorKind::timed_out;
    if (!leave) std::ignore = remove_server(backend.name, server.name, milliseconds{0});
    return passed;
  }
  if (entry == Entry::checked_only) return {};
  return order(fmt::format("set server {} weight {}", target, weight_in_rotation));
}

Status Runtime::change_over(const std::string& backend, const std::vector<std::string>& enter,
                            int weight, const std::vector<std::string>& leave) {
  bool fits = is_backend_name(backend);
  std::vector<std::string> commands;
  const auto add = [&](const std::string& server, const std::string& what) {
    fits = fits && is_server_name(server);
    commands.push_back(fmt::format("set server {}/{} {}", backend, server, what));
  };
  for (const auto& server : enter) add(server, fmt::format("weight {}", weight));
  for (const auto& server : leave) add(server, "state drain");
  if (!fits) {
    return fail(ErrorKind::invalid, "the load balancer's server has a name that is not allowed");
  }
  // HAProxy does all commands of a line before it serves anybody else, and takes lines of up to
  // 16 KiB (its tune.bufsize).
  constexpr std::size_t line_bytes_max = 8192;
  std::string line;
  for (const auto& each : commands) {
    if (line.size() + each.size() > line_bytes_max) {
      PAAS_CHECK(order(line));
      line.clear();
    }
    line += (line.empty() ? "" : "; ") + each;
  }
  return line.empty() ? Status() : order(line);
}

Result<bool> Runtime::await_drained(const std::string& backend,
                                    const std::vector<std::string>& servers, milliseconds timeout) {
  const auto deadline = clock_.monotonic() + timeout;
  while (!servers.empty()) {
    PAAS_TRY(const auto all, statistics());
    const bool is_busy = std::any_of(servers.begin(), servers.end(), [&](const auto& server) {
      const auto found = find(all, backend, server);
      return found && found->current_sessions + found->queue > 0;
    });
    if (!is_busy) return true;
    if (clock_.monotonic() >= deadline) return false;
    PAAS_CHECK(clock_.wait(poll_interval));
  }
  return true;
}

Result<bool> Runtime::delete_drained(const ServerStatistics& server) {
  const bool is_idle = server.current_sessions + server.queue == 0;
  const bool is_named = is_backend_name(server.backend) && is_server_name(server.server);
  if (!server.status.starts_with("DRAIN") || !is_idle || !is_named) return false;
  const auto target = fmt::format("{}/{}", server.backend, server.server);
  PAAS_TRY(const auto answer,
           command(fmt::format("set server {0} state maint; del server {0}", target)));
  return answer.find("Server deleted") != std::string::npos;
}

Status Runtime::remove_server(const std::string& backend, const std::string& server,
                              milliseconds drain_timeout) {
  if (!is_backend_name(backend) || !is_server_name(server)) {
    return fail(ErrorKind::invalid, "the load balancer's server has a name that is not allowed");
  }
  const auto target = fmt::format("{}/{}", backend, server);
  const auto deadline = clock_.monotonic() + drain_timeout;
  // Whether it is there at all is HAProxy's to say here: statistics that were cut short would not
  // show it.
  if (auto drained = order(fmt::format("set server {} state drain", target)); !drained) {
    if (drained.error().kind == ErrorKind::not_found) return {};
    return drained;
  }
  PAAS_TRY(const bool is_drained, await_drained(backend, {server}, drain_timeout));
  PAAS_CHECK(order(fmt::format("set server {} state maint", target)));
  if (!is_drained) PAAS_CHECK(order(fmt::format("shutdown sessions server {}", target)));
  return delete_server(target, std::max(deletion_time, deadline - clock_.monotonic()));
}

}  // namespace paas::haproxy
