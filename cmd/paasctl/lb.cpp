// `paasctl lb`: what the load balancer does.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "haproxy/runtime.hpp"
#include "lb.hpp"
#include "plan/balancer.hpp"
#include "program.hpp"
#include "report/style.hpp"
#include "session.hpp"

namespace paas::cli {

Result<std::string> balancer_name(const Session& session) {
  const auto* balancer = plan::balancer_of(session.lockfile);
  for (const auto& [name, server] : session.lockfile.servers) {
    if (&server == balancer) return name;
  }
  return fail(ErrorKind::not_found, "the stack has no load balancer that is up",
              "declare `lb:` in the stack file and run `paasctl up`");
}

namespace {

/// Whether it is of a server that was told by hand to take no requests.
bool is_drained(const Session& session, const haproxy::ServerStatistics& statistics) {
  const auto& servers = session.lockfile.servers;
  const auto server = servers.find(statistics.server.substr(0, statistics.server.rfind(".r")));
  return server != servers.end() && server->second.weight == 0;
}

std::string show_text(const Session& session, const std::string& name,
                      const std::vector<haproxy::ServerStatistics>& servers) {
  auto text =
      fmt::format("{} at {}, {} reload{}\n\n", name, session.lockfile.lb->reserved_ip,
                  session.lockfile.lb->reloads, session.lockfile.lb->reloads == 1 ? "" : "s");
  if (session.lockfile.lb->maintenance) {
    text += "Maintenance is on: users get a page with status 503.\n\n";
  }
  std::vector<std::vector<std::string>> rows = {{"SERVICE", "SERVER", "STATUS", "CHECK", "WEIGHT",
                                                 "SESSIONS", "TOTAL", "RATE", "5XX", "ADDRESS"}};
  for (const auto& server : servers) {
    const auto status = server.status + (is_drained(session, server) ? ", drained" : "");
    rows.push_back({server.backend, server.server, status, server.check_status,
                    std::to_string(server.weight), std::to_string(server.current_sessions),
                    std::to_string(server.total_sessions), std::to_string(server.request_rate),
                    std::to_string(server.errors_5xx), server.address});
  }
  return text + report::table(rows);
}

std::string show_json(const Session& session, const std::string& name,
                      const std::vector<haproxy::ServerStatistics>& servers) {
  nlohmann::ordered_json document;
  document["server"] = name;
  document["address"] = session.lockfile.lb->reserved_ip;
  document["reloads"] = session.lockfile.lb->reloads;
  document["maintenance"] = session.lockfile.lb->maintenance;
  document["servers"] = nlohmann::ordered_json::array();
  for (const auto& server : servers) {
    document["servers"].push_back({{"service", server.backend},
                                   {"name", server.server},
                                   {"status", server.status},
                                   {"check", server.check_status},
                                   {"weight", server.weight},
                                   {"drained", is_drained(session, server)},
                                   {"current_sessions", server.current_sessions},
                                   {"total_sessions", server.total_sessions},
                                   {"request_rate", server.request_rate},
                                   {"errors_5xx", server.errors_5xx},
                                   {"address", server.address}});
  }
  return document.dump(2) + "\n";
}

struct ShowOptions {
  bool diff = false;
  bool detailed_exitcode = false;
};

Result<int> show(Program& program, const ShowOptions& options) {
  if (options.diff) {
    return show_difference(program,
                           options.detailed_exitcode ? DetailedExit::yes : DetailedExit::no);
  }
  PAAS_TRY(auto session, Session::open(program, Need::applied));
  PAAS_TRY(const auto name, balancer_name(*session));
  PAAS_TRY(const auto answer,
           session->machines().balancer_command(session->target(name), "show stat"));
  PAAS_TRY(auto servers, haproxy::parse_statistics(answer));
  // Backends of HAProxy's own have a dot in their names, such as where an authority's questions go.
  std::erase_if(servers,
                [](const auto& server) { return server.backend.find('.') != std::string::npos; });
  if (program.wants_document()) {
    program.print_document(show_json(*session, name, servers));
  } else {
    program.print(show_text(*session, name, servers));
  }
  return exit_done;
}

Result<int> authority(Program& program, const NoOptions&) {
  PAAS_TRY(auto session, Session::open(program, Need::applied));
  const auto& made = session->lockfile.authority;
  if (!made) {
    return fail(ErrorKind::not_found, "the stack has no certificate authority of its own",
                "`paasctl up` makes one for a stack with `cloud: local` and hosts under "
                "`lb: {tls: {acme: ...}}`");
  }
  program.print(made->certificate);
  return exit_done;
}

}  // namespace

void register_lb(Program& program) {
  auto& group = *add_group(program, "lb",
                           "The load balancer: what it serves, its rules and its certificates");
  add_command<ShowOptions>(
      program, group, "show", "Show the servers in rotation with their checks, sessions and rates",
      [](CLI::App& command, ShowOptions& options) {
        command.alias("stats");
        auto* diff = command.add_flag(
            "--diff", options.diff,
            "Show how HAProxy's configuration on the load balancer's disk differs from what `up` "
            "would write, and from what HAProxy runs; changes nothing");
        command
            .add_flag("--detailed-exitcode", options.detailed_exitcode,
                      "With --diff: status 2 when something differs")
            ->needs(diff);
      },
      show, "  paasctl lb show\n  paasctl lb show -o json\n  paasctl lb show --diff",
      {"json", "yaml"});
  register_lb_weight(program, group);
  register_lb_maintenance(program, group);
  register_lb_rules(program, group);
  add_command<NoOptions>(
      program, group, "ca",
      "Print the certificate of the stack's own authority, for clients to trust", {}, authority,
      "  paasctl lb ca >ca.pem\n"
      "  curl --cacert ca.pem --resolve shop.test:443:ADDRESS https://shop.test/");
}

}  // namespace paas::cli
