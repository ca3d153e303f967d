// `paasctl image prune`: removes builds that nothing runs and no rollback needs.
#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "base/parallel.hpp"
#include "base/text.hpp"
#include "contexts.hpp"
#include "machine_images.hpp"
#include "program.hpp"
#include "report/style.hpp"
#include "session.hpp"

namespace paas::cli {

namespace {

struct Options {
  bool dry_run = false;
};

struct Removed {
  std::string where;  ///< A server, or "here".
  std::string image;  ///< Its tag, or its identifier when it has none.
  std::uint64_t size_bytes = 0;
};

/// What releases that a service can go back to are made of, and what builds of now are.
struct Needed {
  std::set<std::string> references;
  std::set<std::string> digests;

  bool has(const docker::ImageInfo& image) const {
    return digests.contains(image.id) ||
           std::any_of(image.tags.begin(), image.tags.end(),
                       [&](const std::string& tag) { return references.contains(tag); });
  }
};

Result<Needed> needed_by(Session& session) {
  Needed needed;
  for (const auto& [name, service] : session.lockfile.services) {
    for (const auto& release : service.releases) {
      if (release.failed) continue;
      needed.references.insert(release.image_name);
      needed.digests.insert(release.image_digest);
    }
  }
  PAAS_TRY(const auto states, session.images().survey(session.stack, session.lockfile,
                                                      reconcile::WithoutEngine::assume_unbuilt));
  for (const auto& [name, state] : states) needed.references.insert(state.reference);
  return needed;
}

/// Removes the stack's builds from one engine but what is needed and what has a container.
Result<std::vector<Removed>> prune(docker::Engine& engine, const std::string& where,
                                   const std::string& stack, const Needed& needed, bool dry_run) {
  std::set<std::string> used;
  PAAS_TRY(const auto containers, engine.containers({}));
  for (const auto& container : containers) used.insert(container.image_id);
  std::vector<Removed> removed;
  PAAS_TRY(const auto images, engine.images());
  for (const auto& image : images) {
    const auto label = image.labels.find("paas.stack");
    const bool is_own = label != image.labels.end() && label->second == stack;
    if (!is_own || used.contains(image.id) || needed.has(image)) continue;
    const auto name = image.tags.empty() ? image.id : image.tags.front();
    // One tag after the other: by its identifier one with several is refused.
    for (const auto& tag : image.tags.empty() ? std::vector{image.id} : image.tags) {
      if (!dry_run) PAAS_CHECK(engine.remove_image(tag));
    }
    removed.push_back({where, name, image.size_bytes});
  }
  return removed;
}

void print(Program& program, const std::vector<Removed>& removed) {
  if (program.wants_document()) {
    auto documents = nlohmann::ordered_json::array();
    for (const auto& each : removed) {
      documents.push_back(
          {{"where", each.where}, {"image", each.image}, {"size_bytes", each.size_bytes}});
    }
    program.print_document(documents.dump(2) + "\n");
    return;
  }
  std::vector<std::vector<std::string>> rows = {{"WHERE", "IMAGE", "SIZE"}};
  for (const auto& each : removed) {
    rows.push_back({each.where, each.image, text::bytes(each.size_bytes)});
  }
  if (!removed.empty()) program.print(report::table(rows));
}

/// Machine images that are too many, as the stack file says.
Result<std::vector<Removed>> prune_machine_images(Session& session, const Options& options) {
  PAAS_TRY(const auto surplus,
           remove_surplus_machine_images(
               session, std::nullopt, options.dry_run ? Removal::looked_up : Removal::carried_out));
  std::vector<Removed> removed;
  for (const auto& snapshot : surplus) {
    removed.push_back({stack::to_text(session.stack.cloud), snapshot.name,
                       static_cast<std::uint64_t>(snapshot.size_gigabytes * 1e9)});
  }
  return removed;
}

/// This machine's engine, if there is one, those of all servers, and the provider.
Result<int> run(Program& program, const Options& options) {
  PAAS_TRY(auto session, Session::open(program, Need::applied));
  // No release may be made meanwhile whose image would be taken away.
  PAAS_CHECK(session->acquire("paasctl image prune"));
  PAAS_TRY(const auto needed, needed_by(*session));
  std::vector<Removed> all;
  std::vector<Error> errors;
  std::mutex mutex;
  const auto note = [&](Result<std::vector<Removed>> removed, const std::string& where) {
    const std::scoped_lock lock(mutex);
    if (removed) all.insert(all.end(), removed->begin(), removed->end());
    if (!removed) errors.push_back(with_context(std::move(removed.error()), "images on " + where));
  };
  if (check_engine(program)) {
    note(prune(session->engine(), "here", session->stack.name, needed, options.dry_run), "here");
  }
  std::vector<std::string> names;
  for (const auto& [name, server] : session->lockfile.servers) {
    if (server.prepared && !server.leaving) names.push_back(name);
  }
  auto& machines = session->machines();
  run_side_by_side(names.size(), program.globals.parallelism, [&](std::size_t index) {
    const auto& name = names[index];
    auto engine = machines.engine(session->target(name));
    if (!engine) return note(fail(engine.error()), name);
    note(prune(*engine, name, session->stack.name, needed, options.dry_run), name);
  });
  note(prune_machine_images(*session, options), "the provider");
  std::sort(all.begin(), all.end(), [](const Removed& left, const Removed& right) {
    return std::tie(left.where, left.image) < std::tie(right.where, right.image);
  });
  print(program, all);
  std::uint64_t bytes = 0;
  for (const auto& each : all) bytes += each.size_bytes;
  program.say(fmt::format("{} image{} {}, {} with shared layers counted each time", all.size(),
                          all.size() == 1 ? "" : "s",
                          options.dry_run ? "would be removed" : "removed", text::bytes(bytes)));
  if (errors.empty()) return exit_done;
  for (std::size_t i = 1; i < errors.size(); ++i) {
    program.say("warning: " + describe(errors[i]));
  }
  return fail(std::move(errors.front()));
}

}  // namespace

void register_image_prune(Program& program, CLI::App& group) {
  add_command<Options>(program, group, "prune",
                       "Remove the stack's builds, here and on its servers, that nothing runs and "
                       "no rollback needs, "
                       "and machine images beyond those that the stack file keeps",
                       [](CLI::App& command, Options& options) {
                         command.add_flag("--dry-run", options.dry_run, "Only list them");
                       },
                       run, "  paasctl image prune --dry-run\n  paasctl image prune",
                       {"json", "yaml"});
}

}  // namespace paas::cli
