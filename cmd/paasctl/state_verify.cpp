// `paasctl state verify`: the lockfile, the cloud and the servers, compared.
#include <fmt/format.h>

#include "losses.hpp"
#include "plan/verify.hpp"
#include "report/state.hpp"
#include "session.hpp"
#include "ssh/keys.hpp"
#include "state.hpp"

namespace paas::cli {

namespace {

struct Options {
  std::string refresh = "all";
  bool remove_orphans = false;
};

/// Absent where the stack has no key.
Result<std::optional<bool>> key_found(Session& session) {
  const auto& key = session.lockfile.ssh_key;
  if (!key || key->key.id.empty()) return std::nullopt;
  PAAS_TRY(auto* api, session.client());
  PAAS_TRY(const auto found, api->find_ssh_key(ssh::fingerprint_md5(key->public_key)));
  return std::optional<bool>(found.has_value());
}

Result<plan::Verification> verified(Session& session, observe::Depth depth) {
  PAAS_TRY(const auto observed, session.observe(depth));
  PAAS_TRY(const auto found, key_found(session));
  return plan::verify(session.lockfile, observed, found);
}

void print(Program& program, const Session& session, const plan::Verification& verification) {
  if (program.wants_document()) {
    program.print_document(report::verification_json(session.stack.name, verification));
  } else {
    program.print(report::verification_text(verification));
  }
}

/// Whether anything was removed.
Result<bool> remove_orphans(Program& program, Session& session,
                            const plan::Verification& verification) {
  const auto plan = plan::make_removal(session.lockfile, verification.orphans);
  if (plan.empty()) {
    program.say("There is nothing that could be removed.");
    return false;
  }
  std::vector<std::string> steps;
  for (const auto& step : plan.steps) steps.push_back(plan::describe(step));
  PAAS_CHECK(agree(
      program, fmt::format("Remove what the lockfile does not know ({})?", fmt::join(steps, ", ")),
      plan.losses));
  session.resume = "paasctl up";
  PAAS_CHECK(session.execute(plan, {}));
  return true;
}

Result<int> run(Program& program, const Options& options) {
  PAAS_TRY(auto session, Session::open(program, Need::applied));
  if (options.remove_orphans) PAAS_CHECK(session->acquire("paasctl state verify"));
  const auto depth = options.refresh == "cloud" ? observe::Depth::cloud : observe::Depth::machines;
  PAAS_TRY(auto verification, verified(*session, depth));
  print(program, *session, verification);
  if (options.remove_orphans) {
    PAAS_TRY(const bool removed, remove_orphans(program, *session, verification));
    if (removed) {
      PAAS_TRY(verification, verified(*session, depth));
    }
  }
  return verification.holds() ? exit_done : exit_failed;
}

}  // namespace

void register_state_verify(Program& program, CLI::App& group) {
  add_command<Options>(
      program, group, "verify",
      "Compare the lockfile with the cloud and the servers; exit with 1 where they differ",
      [&program](CLI::App& command, Options& options) {
        add_confirm_option(program, command);
        command
            .add_option("--refresh", options.refresh,
                        "How far to look: all, or cloud for the provider's lists only")
            ->check(CLI::IsMember({"all", "cloud"}))
            ->capture_default_str();
        command.add_flag("--remove-orphans", options.remove_orphans,
                         "Destroy droplets and firewalls of this stack that the lockfile does not "
                         "know; never volumes");
      },
      run,
      "  paasctl state verify\n"
      "  paasctl state verify -o json | jq '.orphans[].name'\n"
      "  paasctl state verify --remove-orphans --yes",
      {"json", "yaml"});
}

}  // namespace paas::cli
