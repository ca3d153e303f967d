// `paasctl lb maintenance`: a page for users while their services are worked on.
#include "plan/maintenance.hpp"
#include "program.hpp"
#include "session.hpp"

namespace paas::cli {

namespace {

struct MaintenanceOptions {
  std::string state;
};

Result<int> maintenance(Program& program, const MaintenanceOptions& options) {
  PAAS_TRY(auto session, Session::open(program, Need::applied));
  PAAS_CHECK(session->acquire("paasctl lb maintenance"));
  const bool on = options.state == "on";
  PAAS_TRY(const auto plan,
           plan::maintain(session->lockfile, on ? plan::Maintenance::on : plan::Maintenance::off));
  plan::Input input;
  input.stack = session->stack;
  PAAS_TRY(const int status, session->execute(plan, input));
  program.say(on ? "Maintenance is on: users get a page with status 503."
                 : "Maintenance is off: the services answer.");
  return status;
}

}  // namespace

void register_lb_maintenance(Program& program, CLI::App& group) {
  auto* command = add_command<MaintenanceOptions>(
      program, group, "maintenance", "Answer all users with a page that says to come back soon",
      [](CLI::App& declared, MaintenanceOptions& options) {
        declared.add_option("STATE", options.state, "on or off")
            ->required()
            ->check(CLI::IsMember({"on", "off"}));
      },
      maintenance, "  paasctl lb maintenance on\n  paasctl lb maintenance off");
  auto& manual = program.manuals[command];
  manual.title = "What goes on";
  manual.introduction = {
      "The page has status 503 and Retry-After. The health endpoint of `lb.health`, the redirect "
      "to "
      "https and the challenges of a certificate authority are answered as before, and so is what "
      "services ask each other inside. It holds until it is said otherwise: `up`, `deploy`, "
      "`scale` "
      "and a restart of HAProxy keep it. HAProxy is not reloaded, and nothing else that the stack "
      "file says by now is applied."};
}

}  // namespace paas::cli
