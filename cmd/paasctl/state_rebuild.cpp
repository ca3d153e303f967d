// `paasctl state rebuild`: a lockfile from what exists, when the one that was there is lost.
#include <fmt/format.h>

#include <mutex>

#include "base/parallel.hpp"
#include "lockfile/names.hpp"
#include "observe/server_scripts.hpp"
#include "plan/rebuild.hpp"
#include "report/state.hpp"
#include "session.hpp"
#include "ssh/host_key.hpp"
#include "ssh/keys.hpp"
#include "state.hpp"

namespace paas::cli {

namespace {

struct Options {
  bool trust_host_keys = false;
  bool force = false;
};

/// A lockfile that is there knows more than what can be found out.
Status check_lost(Program& program) {
  auto store = store_of(program);
  const auto there = store.load_any();
  if (store.exists() && there) {
    return fail(ErrorKind::invalid, fmt::format("{} is there and can be read", store.location()),
                "nothing was changed: `paasctl state verify` compares it with what exists; "
                "--force puts another one in its place and keeps it beside");
  }
  if (!there && there.error().kind == ErrorKind::unauthorised) {
    return fail(there.error(), fmt::format("{} only lacks its key", store.location()));
  }
  auto& ports = program.ports;
  const auto backup_path = store.location() + ".backup";
  lockfile::FileStore backup(ports.files, ports.environment, ports.random, ports.clock,
                             backup_path);
  if (!backup.exists() || !backup.load_any()) return {};
  return fail(ErrorKind::invalid,
              fmt::format("{} is lost, but {} can be read", store.location(), backup_path),
              fmt::format("nothing was changed: `cp {} {}`, then `paasctl state accept`, loses "
                          "less; --force makes one from what exists",
                          backup_path, store.location()));
}

/// The inside of one server; its host key is taken as it is shown.
struct Look {
  std::string name;
  observe::Target target;
  bool is_balancer = false;
  Result<observe::Machine> machine;
};

void look_inside(Program& program, Session& session, Look& look) {
  auto& ports = program.ports;
  auto key = ssh::shown_host_key(ports.processes, ports.files, session.scratch,
                                 {look.name, look.target.address, ""});
  if (!key) {
    look.machine = fail(key.error());
    return;
  }
  look.target.host_key = *key;
  look.machine = session.machines().look(look.target, session.stack.name, look.is_balancer);
}

/// Looks at all servers that are on, side by side, and adds what was found.
Status look_at_servers(Program& program, Session& session, plan::Remains& remains) {
  PAAS_TRY(const auto skeleton, plan::rebuild(session.lockfile, remains));
  std::vector<Look> looks;
  for (const auto& [name, server] : skeleton.lockfile.servers) {
    const auto seen = remains.observed.servers.find(name);
    if (seen == remains.observed.servers.end() || seen->second.droplet.status != "active") continue;
    looks.push_back({name, observe::target_of(name, server), server.service == "lb", {}});
  }
  session.machines();
  run_side_by_side(looks.size(), observe::looks_side_by_side,
                   [&](std::size_t index) { look_inside(program, session, looks[index]); });
  for (auto& look : looks) {
    if (!look.machine) {
      program.say(
          fmt::format("{} cannot be looked at: {}", look.name, describe(look.machine.error())));
      continue;
    }
    program.say(fmt::format("{} shows host key {}, which is trusted from now on", look.name,
                            ssh::fingerprint_sha256(look.target.host_key)));
    remains.host_keys[look.name] = look.target.host_key;
    remains.observed.servers.at(look.name).machine = std::move(*look.machine);
  }
  return {};
}

/// The old key's private half is lost. Servers that the user's own keys open are told the new one.
Status make_key(Program& program, Session& session) {
  const auto name = lockfile::ssh_key_name(session.stack.name);
  PAAS_TRY(auto pair,
           ssh::generate_key(program.ports.processes, program.ports.files, session.scratch, name));
  session.lockfile.ssh_key = {{name, ""}, std::move(pair.private_key), std::move(pair.public_key)};
  return {};
}

void authorize(Program& program, Session& session) {
  for (const auto& [name, server] : session.lockfile.servers) {
    if (!server.prepared) continue;
    observe::RemoteCommand command;
    command.arguments = {"sh", "-euc", observe::authorize_key_script};
    command.input = session.lockfile.ssh_key->public_key;
    const auto told = session.machines().run(session.target(name), command);
    if (told && told->exit_status == 0) continue;
    program.say(fmt::format(
        "warning: {} was not told the stack's new SSH key ({}): only your own key opens it; "
        "`paasctl server replace {}` makes another one in its place",
        name, told ? told->error_output : describe(told.error()), name));
  }
}

Result<int> run(Program& program, const Options& options) {
  PAAS_TRY(auto session, Session::open(program, Need::text));
  if (!options.force) PAAS_CHECK(check_lost(program));
  PAAS_CHECK(session->start_anew("paasctl state rebuild"));
  plan::Remains remains;
  remains.stack = session->stack;
  PAAS_TRY(remains.observed, session->observe(observe::Depth::cloud));
  PAAS_TRY(auto* api, session->client());
  PAAS_TRY(remains.vpcs, api->vpcs());
  PAAS_TRY(remains.ssh_keys, api->ssh_keys());
  if (options.trust_host_keys) {
    PAAS_CHECK(look_at_servers(program, *session, remains));
  } else {
    program.say(
        "Servers are not looked at: their host keys were lost with the lockfile. Where your own "
        "SSH key opens them, --trust-host-keys keeps them.");
  }
  PAAS_TRY(auto rebuilt, plan::rebuild(session->lockfile, remains));
  for (const auto& note : rebuilt.notes) program.say("note: " + note);
  PAAS_CHECK(confirm(
      program,
      fmt::format("Write a lockfile that knows {} server{} and {} volume{}?",
                  rebuilt.lockfile.servers.size(), rebuilt.lockfile.servers.size() == 1 ? "" : "s",
                  rebuilt.lockfile.volumes.size(),
                  rebuilt.lockfile.volumes.size() == 1 ? "" : "s")));
  session->lockfile = std::move(rebuilt.lockfile);
  PAAS_CHECK(make_key(program, *session));
  PAAS_CHECK(session->save());
  authorize(program, *session);
  if (!session->replaced_path().empty()) {
    program.say(fmt::format("What was there is kept as {}.", session->replaced_path()));
  }
  program.say("`paasctl plan` shows what is to be done with it, `paasctl up` does it.");
  if (program.wants_document()) {
    program.print_document(report::state_json(session->lockfile));
  } else {
    program.print(report::state_text(session->lockfile, program.output_color()));
  }
  return exit_done;
}

}  // namespace

void register_state_rebuild(Program& program, CLI::App& group) {
  add_command<Options>(
      program, group, "rebuild",
      "Make a lockfile from what is in the cloud and on the servers, when it was lost",
      [](CLI::App& command, Options& options) {
        command.add_flag("--trust-host-keys", options.trust_host_keys,
                         "Take the host keys that servers show now, and look at the servers with "
                         "your own SSH keys");
        command.add_flag("--force", options.force,
                         "Replace a lockfile that is there; it is kept beside");
      },
      run,
      "  paasctl state rebuild\n"
      "  paasctl state rebuild --trust-host-keys --yes && paasctl plan",
      {"json", "yaml"});
}

}  // namespace paas::cli
