// `paasctl lb drain`, `lb enable` and `lb weight`: what single servers get of the requests.
#include <fmt/format.h>

#include "base/text.hpp"
#include "haproxy/runtime.hpp"
#include "lb.hpp"
#include "plan/balancer.hpp"
#include "plan/weights.hpp"
#include "program.hpp"
#include "session.hpp"
#include "stack/values.hpp"

namespace paas::cli {

namespace {

constexpr std::string_view until_when =
    "It holds until it is said otherwise: `up`, `deploy`, `scale` and a restart of HAProxy keep "
    "it, "
    "a new release on the server begins with it, and a server that replaces this one does not have "
    "it. HAProxy is not reloaded, and nothing else that the stack file says by now is applied.";

struct WeightOptions {
  std::string server;
  int weight = haproxy::weight_in_rotation;
  bool force = false;
};

/// The server's full name.
Result<std::string> weigh(Program& program, Session& session, const std::string& command,
                          const WeightOptions& options) {
  PAAS_TRY(const auto name, session.find_server(options.server));
  PAAS_CHECK(session.acquire(command));
  PAAS_TRY(const auto plan,
           plan::weigh(session.lockfile, name, options.weight,
                       options.force ? plan::Emptying::allow : plan::Emptying::refuse));
  plan::Input input;
  input.stack = session.stack;
  PAAS_TRY(const int status, session.execute(plan, input));
  (void)status;
  program.say(fmt::format("{} takes {}.", name,
                          options.weight == 0
                              ? std::string("no new requests")
                              : fmt::format("requests with weight {}", options.weight)));
  return name;
}

Result<int> set_weight(Program& program, const WeightOptions& options) {
  PAAS_TRY(auto session, Session::open(program, Need::applied));
  PAAS_CHECK(weigh(program, *session, "paasctl lb weight", options));
  return exit_done;
}

Result<int> enable(Program& program, const WeightOptions& options) {
  PAAS_TRY(auto session, Session::open(program, Need::applied));
  PAAS_CHECK(weigh(program, *session, "paasctl lb enable", options));
  return exit_done;
}

struct DrainOptions {
  std::string server;
  std::string timeout = "30s";
  bool force = false;
};

/// Error (timed_out): sessions are left.
Status await_drained(Program& program, Session& session, const std::string& name,
                     std::chrono::milliseconds timeout) {
  PAAS_TRY(const auto balancer, balancer_name(session));
  haproxy::Runtime runtime(
      [&](const std::string& command) {
        return session.machines().balancer_command(session.target(balancer), command);
      },
      program.ports.clock);
  const auto& server = session.lockfile.servers.at(name);
  // A container of before may still serve beside the current one.
  std::vector<std::string> entries;
  PAAS_TRY(const auto known, runtime.statistics());
  for (const auto& entry : known) {
    if (entry.server.substr(0, entry.server.rfind(".r")) == name) entries.push_back(entry.server);
  }
  PAAS_TRY(const auto left, runtime.await_drained(server.service, entries, timeout));
  if (left > 0) {
    return fail(ErrorKind::timed_out,
                fmt::format("{} has {} session{} left after {}", name, left, left == 1 ? "" : "s",
                            text::duration(timeout)),
                "it takes no new requests; the same command waits on");
  }
  program.say(fmt::format("{} has no sessions left.", name));
  return {};
}

Result<int> drain(Program& program, const DrainOptions& options) {
  const auto timeout = stack::parse_duration(options.timeout);
  if (!timeout) {
    return fail(ErrorKind::usage, "--timeout: " + timeout.error().message, timeout.error().hint);
  }
  PAAS_TRY(auto session, Session::open(program, Need::applied));
  PAAS_TRY(const auto name,
           weigh(program, *session, "paasctl lb drain", {options.server, 0, options.force}));
  PAAS_CHECK(await_drained(program, *session, name, *timeout));
  return exit_done;
}

}  // namespace

void register_lb_weight(Program& program, CLI::App& group) {
  constexpr auto* force_text =
      "Also the last server of its service that takes requests: users see 503";
  constexpr auto* server_text = "Server of a web service, with or without the stack's name";
  auto* draining = add_command<DrainOptions>(
      program, group, "drain", "Let a server finish what it has and give it no new requests",
      [&](CLI::App& command, DrainOptions& options) {
        command.add_option("SERVER", options.server, server_text)->required();
        command
            .add_option("--timeout", options.timeout,
                        "How long its sessions are waited for; with 0s they are only counted. With "
                        "some left the exit status is 1, and it stays drained")
            ->type_name("TIME")
            ->capture_default_str();
        command.add_flag("--force", options.force, force_text);
      },
      drain, "  paasctl lb drain web-2\n  paasctl lb drain web-2 --timeout 5m");
  auto* enabling = add_command<WeightOptions>(
      program, group, "enable", "Let a server take requests again, as many as others do",
      [&](CLI::App& command, WeightOptions& options) {
        command.add_option("SERVER", options.server, server_text)->required();
      },
      enable, "  paasctl lb enable web-2");
  auto* weighing = add_command<WeightOptions>(
      program, group, "weight", "Give a server more or fewer requests than others have",
      [&](CLI::App& command, WeightOptions& options) {
        command.add_option("SERVER", options.server, server_text)->required();
        command
            .add_option(
                "WEIGHT", options.weight,
                fmt::format("From 1 to {}, where others have {}: with 5 it gets half as many "
                            "requests; 0 is the same as drain",
                            haproxy::weight_max, haproxy::weight_in_rotation))
            ->required()
            ->check(CLI::Range(0, haproxy::weight_max));
        command.add_flag("--force", options.force, force_text);
      },
      set_weight, "  paasctl lb weight web-1 5\n  paasctl lb weight web-1 20");
  for (auto* command : {draining, enabling, weighing}) {
    auto& manual = program.manuals[command];
    manual.title = "How long it holds";
    manual.introduction = {std::string(until_when)};
  }
}

}  // namespace paas::cli
