// `paasctl lb show --diff`: what should be, what is on the load balancer's disk, and what runs.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "base/unified_diff.hpp"
#include "haproxy/configuration.hpp"
#include "haproxy/running.hpp"
#include "lb.hpp"
#include "plan/balancer.hpp"
#include "plan/wanted.hpp"

namespace paas::cli {

namespace {

constexpr auto* file_path = "/etc/haproxy/haproxy.cfg";

/// What was found out.
struct Difference {
  std::string wanted;       ///< Between the file and what would be generated now.
  std::string running;      ///< Between the file and what HAProxy has.
  bool other_runs = false;  ///< HAProxy did not take the file over.
  bool is_none() const { return wanted.empty() && running.empty() && !other_runs; }
};

Result<std::string> wanted_configuration(const Session& session) {
  PAAS_TRY(const auto wanted, plan::wanted(session.stack, session.lockfile, session.kept));
  return haproxy::render(plan::serving_setup(wanted.stack, session.lockfile));
}

Result<std::string> configuration_on_disk(Session& session, const observe::Target& balancer) {
  observe::RemoteCommand read;
  read.arguments = {"cat", file_path};
  PAAS_TRY(auto file, session.machines().run(balancer, read));
  if (file.exit_status == 0) return std::move(file.output);
  return fail(ErrorKind::failed, fmt::format("HAProxy's configuration cannot be read: {}",
                                             text::trim(file.error_output)));
}

Result<Difference> difference_of(Session& session, const observe::Target& balancer) {
  PAAS_TRY(const auto wanted, wanted_configuration(session));
  PAAS_TRY(const auto file, configuration_on_disk(session, balancer));
  auto& machines = session.machines();
  PAAS_TRY(const auto answer, machines.balancer_command(balancer, "show stat"));
  PAAS_TRY(const auto statistics, haproxy::parse_statistics(answer));
  PAAS_TRY(const auto info, machines.balancer_command(balancer, "show info"));
  const auto on_disk = fmt::format("{}:{}", balancer.name, file_path);
  Difference difference;
  difference.wanted = text::unified_diff(file, wanted, {on_disk, "as `paasctl up` would write it"});
  difference.running = text::unified_diff(file, haproxy::as_running(file, statistics),
                                          {on_disk, "as HAProxy has it"});
  difference.other_runs = haproxy::mark_in_info(info) != haproxy::mark_of(file);
  return difference;
}

std::string document_of(const Difference& difference) {
  const nlohmann::ordered_json document = {{"wanted", difference.wanted},
                                           {"running", difference.running},
                                           {"other_configuration_runs", difference.other_runs}};
  return document.dump(2) + "\n";
}

}  // namespace

Result<int> show_difference(Program& program, DetailedExit detailed) {
  PAAS_TRY(auto session, Session::open(program, Need::stack));
  PAAS_TRY(const auto name, balancer_name(*session));
  PAAS_TRY(const auto difference, difference_of(*session, session->target(name)));
  if (program.wants_document()) {
    program.print_document(document_of(difference));
  } else {
    program.print(difference.wanted + difference.running);
    if (difference.other_runs) {
      program.say(
          "HAProxy runs another configuration than the one on its disk: `paasctl up` "
          "reloads it.");
    }
    if (difference.is_none()) {
      program.say(
          "No difference: HAProxy runs what is on its disk, and `paasctl up` would write "
          "the same.");
    }
  }
  const bool tells = detailed == DetailedExit::yes && !difference.is_none();
  return tells ? exit_changes_pending : exit_done;
}

}  // namespace paas::cli
