// `paasctl state import`: a droplet that was made by hand becomes a server of a service.
#include <fmt/format.h>

#include <set>

#include "base/text.hpp"
#include "observe/server_scripts.hpp"
#include "plan/adopt.hpp"
#include "session.hpp"
#include "ssh/host_key.hpp"
#include "ssh/keys.hpp"
#include "ssh/user_data.hpp"
#include "state.hpp"

namespace paas::cli {

namespace {

/// Installing packages takes its time.
constexpr std::chrono::minutes preparation_limit{15};

struct Options {
  std::string droplet;
  std::string service;
  bool trust_host_keys = false;
};

/// By its identifier, or by its name if only one has it.
Result<digitalocean::Droplet> find_droplet(digitalocean::Client& api, const std::string& text) {
  if (const auto id = text::to_integer(text)) return api.droplet(*id);
  PAAS_TRY(auto found, api.droplets_by_name(text));
  if (found.size() == 1) return std::move(found.front());
  if (found.empty()) {
    return fail(ErrorKind::not_found, fmt::format("there is no droplet {}", text),
                "give its name or its number");
  }
  std::vector<std::string> ids;
  for (const auto& droplet : found) ids.push_back(std::to_string(droplet.id));
  return fail(ErrorKind::usage, fmt::format("{} droplets are called {}", found.size(), text),
              fmt::format("give the number of one: {}", fmt::join(ids, ", ")));
}

/// The host key, when the user has said that it is to be trusted.
Result<std::string> trusted_key(Program& program, Session& session, const Options& options,
                                const observe::Target& target) {
  auto& ports = program.ports;
  PAAS_TRY(auto key, ssh::shown_host_key(ports.processes, ports.files, session.scratch,
                                         {target.name, target.address, ""}));
  const auto fingerprint = ssh::fingerprint_sha256(key);
  if (!options.trust_host_keys) {
    return fail(ErrorKind::usage,
                fmt::format("{} shows host key {}, which nobody has vouched for", options.droplet,
                            fingerprint),
                "compare it with what its console shows (ssh-keygen -lf "
                "/etc/ssh/ssh_host_ed25519_key.pub), then add --trust-host-keys");
  }
  program.say(fmt::format("{} shows host key {}, which is trusted from now on", options.droplet,
                          fingerprint));
  return key;
}

Status run_there(Session& session, const observe::Target& target, const std::string& what,
                 observe::RemoteCommand command) {
  PAAS_TRY(const auto result, session.machines().run(target, command));
  if (result.exit_status == 0) return {};
  return fail(
      ErrorKind::failed,
      fmt::format("{} failed on {}: {}", what, target.address, text::trim(result.error_output)),
      "nothing was adopted; the command can be given again");
}

/// Installs what servers have, and lets the stack's key in. Both may be done again.
Status prepare(Program& program, Session& session, const observe::Target& target) {
  observe::RemoteCommand authorize;
  authorize.arguments = {"sh", "-euc", observe::authorize_key_script};
  authorize.input = session.lockfile.ssh_key->public_key;
  PAAS_CHECK(run_there(session, target, "adding the stack's SSH key", authorize));
  program.say("Installing what a server needs; this takes a while.");
  observe::RemoteCommand install;
  install.arguments = {"sh"};
  install.input = ssh::preparation_script({});
  install.timeout = preparation_limit;
  return run_there(session, target, "preparing the droplet", install);
}

std::set<std::string> services_on(const observe::Machine& inside) {
  std::set<std::string> services;
  for (const auto& container : inside.containers) services.insert(container.service);
  return services;
}

/// Nothing when it is no server yet. The name is the last that an import changes: one that was cut
/// short there is finished by giving it again.
Result<std::optional<std::string>> finish_earlier(Session& session, digitalocean::Client& api,
                                                  const digitalocean::Droplet& droplet) {
  for (const auto& [name, server] : session.lockfile.servers) {
    if (server.droplet.id != std::to_string(droplet.id) || droplet.name == name) continue;
    PAAS_CHECK(api.rename_droplet(droplet.id, name));
    return std::optional(name);
  }
  return std::nullopt;
}

Result<int> run(Program& program, const Options& options) {
  PAAS_TRY(auto session, Session::open(program, Need::stack));
  PAAS_CHECK(session->acquire("paasctl state import"));
  PAAS_TRY(const auto* service, session->find_service(options.service));
  PAAS_TRY(auto* api, session->client());
  PAAS_TRY(const auto droplet, find_droplet(*api, options.droplet));
  PAAS_TRY(const auto earlier, finish_earlier(*session, *api, droplet));
  if (earlier) {
    program.print(*earlier + "\n");
    return exit_done;
  }
  auto adopted = session->lockfile;
  PAAS_TRY(const auto name, plan::adopt(adopted, session->stack, *service, droplet));
  if (!session->lockfile.ssh_key) {
    return fail(ErrorKind::invalid, "the stack has no SSH key yet", "run `paasctl up` first");
  }
  observe::Target target{name, droplet.public_address, ""};
  session->machines();  // Makes the private folder that the next line needs.
  PAAS_TRY(target.host_key, trusted_key(program, *session, options, target));
  PAAS_CHECK(prepare(program, *session, target));
  adopted.servers.at(name).host_key = target.host_key;
  PAAS_TRY(const auto inside, session->machines().look(target, session->stack.name, false));
  plan::take_inside(adopted, session->stack, name, inside);
  session->lockfile = std::move(adopted);
  PAAS_CHECK(session->save());
  if (droplet.name != name) PAAS_CHECK(api->rename_droplet(droplet.id, name));
  program.print(name + "\n");
  program.say(session->lockfile.servers.at(name).prepared
                  ? fmt::format("A container of {} is on it: `paasctl plan` shows what is to be "
                                "done with it.",
                                fmt::join(services_on(inside), ", "))
                  : fmt::format("`paasctl up` puts a container of {} on it.", service->name));
  return exit_done;
}

}  // namespace

void register_state_import(Program& program, CLI::App& group) {
  add_command<Options>(
      program, group, "import", "Make a droplet that was made by hand a server of a service",
      [](CLI::App& command, Options& options) {
        command.add_option("DROPLET", options.droplet, "Its name or its number at the provider")
            ->required();
        command.add_option("--as", options.service, "Service that it becomes a server of")
            ->type_name("SERVICE")
            ->required();
        command.add_flag("--trust-host-keys", options.trust_host_keys,
                         "Take the host key that it shows now");
      },
      run,
      "  paasctl state import 3164494 --as web\n"
      "  paasctl state import handmade --as web --trust-host-keys && paasctl up");
}

}  // namespace paas::cli
