// `paasctl releases` and `paasctl rollback`: what ran before, and going back to it.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "change.hpp"
#include "losses.hpp"
#include "plan/wanted.hpp"
#include "program.hpp"
#include "report/style.hpp"
#include "session.hpp"

namespace paas::cli {

namespace {

struct ListOptions {
  std::string service;
};

/// Whether a server keeps a container of the release, stopped.
bool is_kept(const lockfile::Lockfile& lockfile, const std::string& service, int number) {
  return std::any_of(lockfile.servers.begin(), lockfile.servers.end(), [&](const auto& server) {
    return server.second.service == service && server.second.previous == number;
  });
}

std::string state_of(const lockfile::Lockfile& lockfile, const std::string& service,
                     const lockfile::Release& release) {
  const auto* current = plan::current_release(lockfile, service);
  if (current != nullptr && current->number == release.number) {
    return lockfile.services.at(service).pinned == release.number ? "current, pinned" : "current";
  }
  if (release.failed) return "failed";
  return is_kept(lockfile, service, plan::containers_of(release)) ? "kept" : "";
}

Result<int> list(Program& program, const ListOptions& options) {
  PAAS_TRY(auto session, Session::open(program, Need::applied));
  if (!options.service.empty()) PAAS_CHECK(session->find_service(options.service));
  auto documents = nlohmann::ordered_json::array();
  std::vector<std::vector<std::string>> rows = {
      {"SERVICE", "RELEASE", "STATE", "WHEN", "WHO", "IMAGE", "WHAT CHANGED"}};
  for (const auto& service : session->stack.services) {
    if (!options.service.empty() && service.name != options.service) continue;
    const auto entry = session->lockfile.services.find(service.name);
    if (entry == session->lockfile.services.end()) continue;
    const auto& releases = entry->second.releases;
    for (auto release = releases.rbegin(); release != releases.rend(); ++release) {
      const auto state = state_of(session->lockfile, service.name, *release);
      rows.push_back({service.name, std::to_string(release->number), state.empty() ? "-" : state,
                      release->created.empty() ? "-" : release->created,
                      release->by.empty() ? "-" : release->by, release->image_name,
                      release->cause.empty() ? "-" : release->cause});
      documents.push_back({{"service", service.name},
                           {"release", release->number},
                           {"state", state},
                           {"created", release->created},
                           {"by", release->by},
                           {"image", release->image_name},
                           {"image_digest", release->image_digest},
                           {"cause", release->cause},
                           {"rollback", release->definition && !release->failed}});
    }
  }
  if (program.wants_document()) {
    program.print_document(documents.dump(2) + "\n");
  } else {
    program.print(report::table(rows));
  }
  return exit_done;
}

struct Options {
  std::vector<std::string> words;  ///< SERVICE and RELEASE, in this order; each may lack.
};

struct Goal {
  std::string service;
  int release = 0;
};

/// "4", "r4"; nothing for anything else.
std::optional<int> number_from(std::string_view word) {
  if (word.starts_with('r')) word.remove_prefix(1);
  const auto value = text::to_integer(word);
  if (!value || *value < 1 || *value > 1'000'000'000) return std::nullopt;
  return static_cast<int>(*value);
}

/// The only service that can go back.
Result<std::string> only_service(const Session& session) {
  std::vector<std::string> names;
  for (const auto& service : session.stack.services) {
    if (plan::release_before(session.lockfile, service.name) != nullptr) {
      names.push_back(service.name);
    }
  }
  if (names.size() == 1) return names.front();
  if (names.empty()) {
    return fail(ErrorKind::not_found, "no service has a release before its current one",
                "`paasctl releases` lists them");
  }
  return fail(ErrorKind::usage, "which service shall go back?",
              fmt::format("name one of {}", fmt::join(names, ", ")));
}

/// Whether an interrupted rollback has not come to all servers.
bool is_under_way(const lockfile::Lockfile& lockfile, const std::string& service) {
  const auto entry = lockfile.services.find(service);
  const auto* pinned = entry == lockfile.services.end()
                           ? nullptr
                           : plan::find_release(lockfile, service, entry->second.pinned);
  if (pinned == nullptr) return false;
  return std::any_of(lockfile.servers.begin(), lockfile.servers.end(), [&](const auto& server) {
    return server.second.service == service && !server.second.leaving && !server.second.warm &&
           server.second.release != plan::containers_of(*pinned);
  });
}

Result<Goal> goal_of(const Session& session, const Options& options) {
  Goal goal;
  auto words = options.words;
  const bool names_service =
      !words.empty() && (words.size() == 2 || !number_from(words.front()) ||
                         stack::find_service(session.stack, words.front()) != nullptr);
  if (names_service) {
    PAAS_TRY(const auto* service, session.find_service(words.front()));
    goal.service = service->name;
    words.erase(words.begin());
  } else {
    PAAS_TRY(goal.service, only_service(session));
  }
  if (!words.empty()) {
    const auto number = number_from(words.front());
    if (!number) {
      return fail(ErrorKind::usage, fmt::format("\"{}\" is not a number of a release", words[0]),
                  fmt::format("`paasctl releases {}` lists them", goal.service));
    }
    goal.release = *number;
  } else if (is_under_way(session.lockfile, goal.service)) {
    goal.release = session.lockfile.services.at(goal.service).pinned;
  } else if (const auto* before = plan::release_before(session.lockfile, goal.service)) {
    goal.release = before->number;
  } else {
    return fail(ErrorKind::not_found,
                fmt::format("{} has no release before its current one", goal.service),
                fmt::format("`paasctl releases {}` lists them", goal.service));
  }
  PAAS_CHECK(plan::check_release(session.lockfile, goal.service, goal.release));
  return goal;
}

Result<int> rollback(Program& program, const Options& options) {
  PAAS_TRY(auto session, Session::open(program, Need::applied));
  // What can be told without asking anybody is told before.
  PAAS_TRY(auto goal, goal_of(*session, options));
  Change change;
  change.command = "paasctl rollback";
  change.resume = fmt::format("paasctl rollback {} {}", goal.service, goal.release);
  change.rollout.strategy = plan::Strategy::bluegreen;
  change.prepare = [&](Session& opened) -> Status {
    PAAS_TRY(goal, goal_of(opened, options));
    opened.lockfile.services.at(goal.service).pinned = goal.release;
    opened.kept.unchanged = plan::all_but(opened.lockfile, {goal.service});
    return {};
  };
  PAAS_TRY(const int status, apply_change(program, *session, change));
  program.say(
      fmt::format("{0} is kept at release {1}: `paasctl deploy {0}` or `paasctl up --unpin` "
                  "goes on with the stack file.",
                  goal.service, session->lockfile.services.at(goal.service).pinned));
  return status;
}

}  // namespace

void register_rollback(Program& program) {
  add_command<ListOptions>(
      program, program.app, "releases", "List the releases of services, the newest first",
      [](CLI::App& command, ListOptions& options) {
        command.add_option("SERVICE", options.service, "Only this service's");
      },
      list, "  paasctl releases\n  paasctl releases web -o json", {"json", "yaml"});
  add_command<Options>(
      program, program.app, "rollback",
      "Go back to an earlier release: image, environment and rules together",
      [&program](CLI::App& command, Options& options) {
        command
            .add_option("SERVICE RELEASE", options.words,
                        "The service, which may be left out where only one can go back, and the "
                        "number of the release; without one, the release before")
            ->expected(0, 2);
        add_confirm_option(program, command);
      },
      rollback, "  paasctl rollback web\n  paasctl rollback web 4");
}

}  // namespace paas::cli
