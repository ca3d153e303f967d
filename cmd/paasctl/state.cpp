// `paasctl state`: the lockfile, looked at and put right.
#include "state.hpp"

#include <fmt/format.h>

#include "lockfile/resources.hpp"
#include "plan/catch_up.hpp"
#include "report/state.hpp"
#include "session.hpp"

namespace paas::cli {

namespace {

Status check_exists(lockfile::FileStore& store) {
  if (store.exists()) return {};
  return fail(ErrorKind::invalid, fmt::format("there is no lockfile {}", store.location()),
              "`paasctl up` makes one; if it is lost, `paasctl state rebuild` does");
}

/// Also one that is older than what was seen: this is how somebody looks which one it is.
Result<int> show(Program& program, const NoOptions&) {
  auto store = store_of(program);
  PAAS_CHECK(check_exists(store));
  PAAS_TRY(const auto lockfile, store.load_any());
  for (const auto& warning : store.warnings()) program.say("warning: " + warning);
  if (program.wants_document()) {
    program.print_document(report::state_json(lockfile));
  } else {
    program.print(report::state_text(lockfile, program.output_color()));
  }
  return exit_done;
}

struct RemoveOptions {
  std::string resource;
};

/// The world is not asked, so that it works without a token and while the provider is down.
Result<int> remove(Program& program, const RemoveOptions& options) {
  auto store = store_of(program);
  PAAS_CHECK(check_exists(store));
  PAAS_TRY(const auto guard, store.acquire("paasctl state rm"));
  PAAS_TRY(auto lockfile, store.load());
  PAAS_TRY(const auto known, lockfile::find_resource(lockfile, options.resource));
  const auto address = lockfile::address_of(known);
  PAAS_CHECK(lockfile::forget(lockfile, known));
  PAAS_CHECK(confirm(program, fmt::format("Forget {}{}? It is not destroyed, and may go on costing "
                                          "money.",
                                          address, known.id.empty() ? "" : " (" + known.id + ")")));
  PAAS_CHECK(store.save(lockfile));
  program.print(address + "\n");
  program.say(fmt::format("The lockfile does not know {} any more; the file before is {}.backup.",
                          address, store.location()));
  return exit_done;
}

/// Servers tell what they run. Where an older lockfile has another host key than a server, the
/// cloud's lists have to do.
Result<observe::Observed> look_around(Program& program, Session& session) {
  auto observed = session.observe(observe::Depth::machines);
  if (observed || observed.error().kind != ErrorKind::unauthorised) return observed;
  program.say("warning: servers are not looked at: " + describe(observed.error()));
  return session.observe(observe::Depth::cloud);
}

Result<int> accept(Program& program, const NoOptions&) {
  auto store = store_of(program);
  PAAS_CHECK(check_exists(store));
  PAAS_TRY(auto session, Session::open(program, Need::applied, Newest::ignore));
  PAAS_CHECK(session->acquire("paasctl state accept"));
  PAAS_TRY(const auto observed, look_around(program, *session));
  if (store_of(program).load() &&
      plan::is_newest(session->stack.name, session->lockfile, observed)) {
    program.say(fmt::format("{} is the newest one that is known: there is nothing to accept.",
                            store.location()));
    return exit_done;
  }
  PAAS_CHECK(confirm(
      program, fmt::format("Go on from {} with serial {}? What newer ones made is unknown to it.",
                           store.location(), session->lockfile.serial)));
  const auto caught_up = plan::catch_up(session->stack, observed, session->lockfile);
  for (const auto& service : caught_up.renewed) {
    program.say(fmt::format(
        "note: {} gets a new password with the next `up`: the one that it has may be newer",
        service));
  }
  for (const auto& server : caught_up.taken) {
    program.say(fmt::format(
        "note: the next `up` makes another server in the place of {}: its host key is unknown",
        server));
  }
  PAAS_CHECK(session->save());
  program.say(
      fmt::format("{} has serial {} now; `paasctl state verify` tells what it does not know.",
                  store.location(), session->lockfile.serial));
  return exit_done;
}

}  // namespace

void register_state(Program& program) {
  auto& group = *add_group(program, "state", "Look at the lockfile, check it, put it right");
  add_command<NoOptions>(program, group, "show", "Show what the lockfile says, without its secrets",
                         {}, show,
                         "  paasctl state show\n"
                         "  paasctl state show -o json | jq .serial",
                         {"json", "yaml"});
  register_state_verify(program, group);
  register_state_rebuild(program, group);
  register_state_import(program, group);
  add_command<RemoveOptions>(
      program, group, "rm", "Forget one thing that the lockfile knows; the world is not touched",
      [](CLI::App& command, RemoveOptions& options) {
        command.alias("delete");
        command
            .add_option("RESOURCE", options.resource,
                        "What `paasctl state show` lists, such as server/shop-web-3")
            ->required();
      },
      remove,
      "  paasctl state rm server/shop-web-3\n"
      "  paasctl state rm web-3 --yes");
  add_command<NoOptions>(
      program, group, "accept",
      "Go on from a lockfile that is older than, or another than, the one seen last", {}, accept,
      "  git checkout HEAD~1 paas.lock && paasctl state accept");
  register_state_key(program, group);
}

}  // namespace paas::cli
