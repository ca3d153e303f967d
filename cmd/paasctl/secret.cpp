// `paasctl secret`: passwords of services.
#include "change.hpp"
#include "losses.hpp"
#include "plan/passwords.hpp"
#include "program.hpp"
#include "session.hpp"

namespace paas::cli {

namespace {

struct Options {
  std::vector<std::string> services;
};

Result<int> rotate(Program& program, const Options& options) {
  PAAS_TRY(auto session, Session::open(program, Need::stack));
  std::map<std::string, std::string> rotations;
  for (const auto& name : options.services) {
    PAAS_TRY(const auto* service, session->find_service(name));
    rotations[service->name] = "its password is rotated";
  }
  Change change;
  change.command = "paasctl secret rotate";
  // Before the provider and the servers are asked anything.
  change.prepare = [&](Session& opened) -> Status {
    for (const auto& [name, cause] : rotations) {
      PAAS_CHECK(plan::check_rotatable(opened.stack, opened.lockfile, name));
    }
    return {};
  };
  change.adjust = [&](plan::Input& input) { input.rotate = rotations; };
  return apply_change(program, *session, change);
}

}  // namespace

void register_secret(Program& program) {
  auto& group = *add_group(program, "secret", "Passwords of services");
  add_command<Options>(
      program, group, "rotate",
      "Give services a new password: they take it beside the old one, then what links to them is "
      "given it, then the old one fails",
      [&program](CLI::App& command, Options& options) {
        add_confirm_option(program, command);
        command
            .add_option("SERVICE", options.services,
                        "Services of type db or cache; a rotation that was interrupted is finished")
            ->required();
      },
      rotate, "  paasctl secret rotate db\n  paasctl secret rotate db cache");
}

}  // namespace paas::cli
