// Makes, lists and removes the machine images of a stack's services.
#include "machine_images.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/text.hpp"
#include "lockfile/names.hpp"
#include "plan/machine_image.hpp"
#include "reconcile/snapshot.hpp"
#include "report/progress.hpp"
#include "report/style.hpp"

namespace paas::cli {

namespace {

using digitalocean::Snapshot;

/// A builder droplet that is left costs money: after an interruption it is destroyed all the same,
/// and where that fails the error says what does it.
Error without_builder(Program& program, Session& session, Error error) {
  if (!session.reload() || session.lockfile.temporary.empty()) return error;
  const auto name = session.lockfile.temporary.begin()->first;
  if (program.ports.stop.stop_requested()) {
    program.say(fmt::format("Destroying the builder droplet {} ...", name));
    if (session.remove_builders_in_spite_of_stop()) {
      error.message += ", the builder droplet is destroyed";
      return error;
    }
  }
  error.hint = fmt::format(
      "the builder droplet {} may still run: the next `paasctl up`, `paasctl down` or `paasctl "
      "image save --snapshot` destroys it",
      name);
  return error;
}

/// Those of the stack, newest first.
Result<std::vector<Snapshot>> machine_images(Session& session) {
  PAAS_TRY(auto* api, session.client());
  PAAS_TRY(auto found, api->droplet_snapshots());
  std::erase_if(found, [&](const Snapshot& snapshot) {
    return lockfile::service_of_snapshot(session.stack.name, snapshot.name).empty();
  });
  std::sort(found.begin(), found.end(), [](const Snapshot& left, const Snapshot& right) {
    return std::tie(left.created_at, left.name) > std::tie(right.created_at, right.name);
  });
  return found;
}

/// The service's images among all of the stack's, but the newest `keep`.
std::vector<Snapshot> to_remove(const Session& session, const std::vector<Snapshot>& all,
                                const std::string& service, std::size_t keep) {
  std::vector<Snapshot> result;
  for (const auto& snapshot : all) {
    if (lockfile::service_of_snapshot(session.stack.name, snapshot.name) != service) continue;
    if (keep > 0) {
      --keep;
      continue;
    }
    result.push_back(snapshot);
  }
  return result;
}

/// A service that is not declared any more may have images, so only a name that nothing has is
/// wrong.
Status check_known(const Session& session, const std::vector<Snapshot>& all,
                   const std::string& service) {
  if (!to_remove(session, all, service, 0).empty()) return {};
  PAAS_CHECK(session.find_service(service));
  return {};
}

std::string size_of(const Snapshot& snapshot) {
  return fmt::format("{:.2f} GB", snapshot.size_gigabytes);
}

}  // namespace

Result<int> save_machine_image(Program& program, Session& session, const std::string& service) {
  PAAS_CHECK(session.find_service(service));
  PAAS_CHECK(session.acquire("paasctl image save --snapshot"));
  PAAS_TRY(auto tools, session.tools());
  PAAS_TRY(auto images, session.images().survey(session.stack, session.lockfile));
  report::ProgressPrinter printer(program.ports.terminal, session.progress_style(),
                                  program.error_color());
  reconcile::Options run;
  run.on_event = [&](const reconcile::Event& event) { printer(event); };
  run.interrupted = [&] { return program.ports.stop.stop_requested(); };
  const auto snapshot =
      reconcile::save_snapshot(session.stack, service, session.lockfile, images, tools, run);
  if (!snapshot) return fail(without_builder(program, session, snapshot.error()));
  program.print(fmt::format("{} {}\n", snapshot->name, snapshot->id));
  PAAS_TRY(const auto removed,
           remove_surplus_machine_images(session, service, Removal::carried_out));
  for (const auto& old : removed) {
    program.say(fmt::format("Removed {}: the stack file keeps {}.", old.name,
                            *session.stack.machine_images_kept));
  }
  return exit_done;
}

Result<std::vector<Snapshot>> remove_surplus_machine_images(
    Session& session, const std::optional<std::string>& service, Removal removal) {
  std::vector<Snapshot> surplus;
  if (!session.stack.machine_images_kept) return surplus;
  const auto keep = static_cast<std::size_t>(*session.stack.machine_images_kept);
  PAAS_TRY(const auto all, machine_images(session));
  // A service that is not declared any more may have some.
  std::set<std::string> services;
  for (const auto& snapshot : all) {
    services.insert(lockfile::service_of_snapshot(session.stack.name, snapshot.name));
  }
  if (service) services = {*service};
  for (const auto& name : services) {
    for (auto& snapshot : to_remove(session, all, name, keep)) {
      surplus.push_back(std::move(snapshot));
    }
  }
  if (removal == Removal::looked_up) return surplus;
  PAAS_TRY(auto* api, session.client());
  for (const auto& snapshot : surplus) PAAS_CHECK(api->delete_snapshot(snapshot.id));
  return surplus;
}

Result<int> list_machine_images(Program& program, Session& session) {
  PAAS_TRY(const auto found, machine_images(session));
  auto documents = nlohmann::ordered_json::array();
  std::vector<std::vector<std::string>> rows = {
      {"MACHINE IMAGE", "ID", "SERVICE", "SIZE", "CREATED", "REGIONS", "STALE"}};
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(program.ports.clock.now().time_since_epoch())
          .count();
  for (const auto& snapshot : found) {
    const auto service = lockfile::service_of_snapshot(session.stack.name, snapshot.name);
    const auto stale = plan::staleness(snapshot, service, session.stack, session.lockfile, now);
    rows.push_back({snapshot.name, snapshot.id, service, size_of(snapshot), snapshot.created_at,
                    text::join(snapshot.regions, ","), stale.empty() ? "-" : stale});
    documents.push_back({{"name", snapshot.name},
                         {"id", snapshot.id},
                         {"service", service},
                         {"size_gigabytes", snapshot.size_gigabytes},
                         {"created", snapshot.created_at},
                         {"regions", snapshot.regions},
                         {"stale", stale}});
  }
  if (program.wants_document()) {
    program.print_document(documents.dump(2) + "\n");
  } else if (program.globals.output == "name") {
    for (const auto& snapshot : found) program.print(snapshot.name + "\n");
  } else {
    program.print(report::table(rows));
  }
  return exit_done;
}

Result<int> remove_machine_images(Program& program, Session& session,
                                  const std::set<std::string>& services, std::size_t keep) {
  PAAS_CHECK(session.acquire("paasctl image rm --snapshot"));
  PAAS_TRY(const auto all, machine_images(session));
  std::vector<Snapshot> leaving;
  for (const auto& service : services) {
    PAAS_CHECK(check_known(session, all, service));
    for (auto& snapshot : to_remove(session, all, service, keep)) {
      leaving.push_back(std::move(snapshot));
    }
  }
  if (leaving.empty()) {
    program.say("Nothing to do: there is no such machine image.");
    return exit_done;
  }
  std::vector<std::string> names;
  for (const auto& snapshot : leaving) names.push_back(snapshot.name);
  PAAS_CHECK(confirm(program, fmt::format("Remove {} machine image{} ({})?", names.size(),
                                          names.size() == 1 ? "" : "s", text::join(names, ", "))));
  PAAS_TRY(auto* api, session.client());
  for (const auto& snapshot : leaving) {
    PAAS_CHECK(api->delete_snapshot(snapshot.id));
    program.print(snapshot.name + "\n");
  }
  return exit_done;
}

}  // namespace paas::cli
