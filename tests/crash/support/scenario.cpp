// A stack with two web servers, a database with a volume, and a load balancer.
#include "crash/support/scenario.hpp"

#include <doctest/doctest.h>

#include "reconcile/support/small_stack.hpp"

namespace paas::crash {
namespace {

using reconcile::testing::small;
using reconcile::testing::with;

std::string text() { return std::string(small); }

/// Containers of every service differ, and so does what HAProxy listens on.
std::string changed_text() {
  return with(with(with(text(), "port: 8000", "port: 8080"), "port: 5432", "port: 5433"),
              "listen: [80]", "listen: [80, 81]");
}

/// Another service with rules that lead to it.
std::string grown_text() {
  return with(
      with(text(), "  db:\n", "  next: {type: web, image: web, port: 8000, links: [db]}\n  db:\n"),
      "rules: [{to: web}]", "rules: [{path: /web, to: web}, {to: next}]");
}

/// Larger web servers, and a larger volume.
std::string larger_text() {
  return with(with(text(), "scale: {min: 2", "size: s-2vcpu-4gb, scale: {min: 2"), "size: 10GiB",
              "size: 20GiB");
}

/// https with certificates of the stack's own authority, or with those that certbot gets.
std::string https_text(const std::string& cloud, const std::string& acme) {
  return with(with(text(), "stack: shop\n", "stack: shop\ncloud: " + cloud + "\n"), "listen: [80]",
              "listen: [80], tls: {acme: " + acme + "}");
}

/// A database that can have its password rotated, and is rotated once.
std::string rotated_text() {
  return with(text(), "{user: app, database: app, env: {POSTGRES_PASSWORD: \"{password}\"}}",
              "{user: [app, app_b], database: app, env: {POSTGRES_PASSWORD: \"{password}\"}, "
              "set: [/set-password], retire: [/set-password, --only]}");
}

/// One web server is kept warm beside those that serve.
std::string warm_text() { return with(text(), "max: 3}", "max: 3, warm: 1}"); }

Expected stack_of(int web) { return {{{"web", web}, {"db", 1}, {"lb", 1}}, {"shop-db"}}; }

/// So many web servers that serve, and one that is kept warm.
Expected warm_stack_of(int web) {
  auto expected = stack_of(web + 1);
  expected.warm = 1;
  return expected;
}

Command up(const std::string& yaml) { return {Verb::up, yaml}; }
Command up_with_hook(const std::string& yaml) { return {Verb::up, yaml, "", 0, true}; }
Command scale(int count) { return {Verb::scale, text(), "web", count}; }
Command drain(const std::string& server) { return {Verb::weigh, text(), server, 0}; }
Command replace(const std::string& server) { return {Verb::replace, text(), server}; }

Fault stopped_after(const std::string& request, int occurrence = 1) {
  return {FaultKind::killed_after, {Domain::http, request, occurrence}};
}

std::vector<Scenario> make_scenarios() {
  const std::vector<Command> nothing;
  const std::vector<Command> is_up = {up(text())};
  auto grown = stack_of(2);
  grown.servers["next"] = 1;
  auto rotated = stack_of(2);
  rotated.rotated = true;
  // One was accepted, and the others are intents.
  const Fault accepted = {FaultKind::killed_before, {Domain::http, "POST /v2/droplets", 2}};
  constexpr Milliseconds hidden{12'000};
  const Command rotate = {Verb::rotate, rotated_text(), "db"};
  const auto acme = https_text("digitalocean", "{hosts: [a.test], email: o@a.test}");
  return {
      {"up", nothing, up(text()), up(text()), stack_of(2)},
      {"up-change", is_up, up(changed_text()), up(changed_text()), stack_of(2)},
      {"up-grow", is_up, up(grown_text()), up(grown_text()), grown},
      {"up-https", is_up, up(https_text("local", "{hosts: [a.test, b.test]}")),
       up(https_text("local", "{hosts: [a.test, b.test]}")), stack_of(2)},
      {"up-acme", is_up, up(acme), up(acme), stack_of(2)},
      {"up-https-gone",
       {up(https_text("local", "{hosts: [a.test]}"))},
       up(text()),
       up(text()),
       stack_of(2)},
      {"up-shrink", {up(grown_text())}, up(text()), up(text()), stack_of(2)},
      {"up-larger", is_up, up(larger_text()), up(larger_text()), stack_of(2)},
      {"scale-up", is_up, scale(3), scale(3), stack_of(3)},
      {"scale-down", {up(text()), scale(3)}, scale(2), scale(2), stack_of(2)},
      {"replace-web", is_up, replace("shop-web-1"), up(text()), stack_of(2)},
      {"replace-db", is_up, replace("shop-db-1"), up(text()), stack_of(2)},
      {"replace-lb", is_up, replace("shop-lb-1"), up(text()), stack_of(2)},
      {"replace-lb-acme", {up(acme)}, {Verb::replace, acme, "shop-lb-1"}, up(acme), stack_of(2)},
      {"rotate", {up(rotated_text()), rotate}, rotate, up(rotated_text()), rotated},
      {"rollback",
       {up(text()), up(changed_text())},
       {Verb::rollback, changed_text(), "web", 1},
       up(changed_text()),
       stack_of(2)},
      {"deploy-canary", is_up, {Verb::canary, changed_text()}, up(changed_text()), stack_of(2)},
      {"drain", is_up, drain("shop-web-1"), up(text()), stack_of(2)},
      {"up-change-drained",
       {up(text()), drain("shop-web-1")},
       up(changed_text()),
       up(changed_text()),
       stack_of(2)},
      {"down", is_up, {Verb::down, text()}, {Verb::down, text()}, {{}, {"shop-db"}}},
      {"destroy", is_up, {Verb::destroy, text()}, {Verb::destroy, text()}, {{}, {}}},
      {"destroy-kept",
       {up(text()), {Verb::down, text()}},
       {Verb::destroy, text()},
       {Verb::destroy, text()},
       {{}, {}}},
      {"up-then-destroy", nothing, up(text()), {Verb::destroy, text()}, {{}, {}}},
      {"up-resumed", nothing, up(text()), up(text()), stack_of(2),
       stopped_after("POST /v2/droplets", 2)},
      {"up-resumed-address", nothing, up(text()), up(text()), stack_of(2),
       stopped_after("POST /v2/reserved_ips")},
      {"up-resumed-volume", nothing, up(text()), up(text()), stack_of(2),
       stopped_after("POST /v2/volumes")},
      {"up-resumed-accepted", nothing, up(text()), up(text()), stack_of(2), accepted, hidden},
      {"destroy-accepted",
       nothing,
       {Verb::destroy, text()},
       {Verb::destroy, text()},
       {{}, {}},
       accepted,
       hidden,
       up(text())},
  };
}

/// A database that keeps its data in its container, and was stopped by hand.
Scenario stopped_database() {
  const auto yaml = with(text(), "    volume: {size: 10GiB, mount: /var/lib/postgresql}\n", "");
  Scenario scenario{"resume-db", {up(yaml)}, up(yaml), up(yaml), stack_of(2)};
  scenario.expected.volumes.clear();
  scenario.expected.database_is_kept = true;
  scenario.happened = [](World& world) {
    auto& container = world.insides.machines.at("shop-db-1").containers.front();
    container.state = "exited";
    container.slot = kept_slot;
  };
  return scenario;
}

/// A warm server comes, is taken, follows a release, and goes.
std::vector<Scenario> warm_scenarios() {
  const std::vector<Command> is_up = {up(warm_text())};
  const auto scaled = [](int count) { return Command{Verb::scale, warm_text(), "web", count}; };
  const auto deployed =
      with(with(warm_text(), "example/web:1", "example/web:2"), "port: 8000", "port: 8080");
  return {
      {"up-warm", {}, up(warm_text()), up(warm_text()), warm_stack_of(2)},
      {"scale-up-warm", is_up, scaled(3), scaled(3), warm_stack_of(3)},
      {"scale-down-warm", {up(warm_text()), scaled(3)}, scaled(2), scaled(2), warm_stack_of(2)},
      {"deploy-warm", is_up, up(deployed), up(deployed), warm_stack_of(2)},
      {"replace-warm",
       is_up,
       {Verb::replace, warm_text(), "shop-web-1"},
       up(warm_text()),
       warm_stack_of(2)},
      {"up-cold", is_up, up(text()), up(text()), stack_of(2)},
      {"down-warm", is_up, {Verb::down, warm_text()}, {Verb::down, warm_text()}, {{}, {"shop-db"}}},
  };
}

/// A hook runs before the first release, and before the next one.
std::vector<Scenario> hook_scenarios() {
  auto expected = stack_of(2);
  expected.hook_has_run = true;
  const auto first = up_with_hook(text());
  const auto next = up_with_hook(changed_text());
  return {{"up-hook", {}, first, first, expected},
          {"up-change-hook", {first}, next, next, expected}};
}

}  // namespace

const std::vector<Scenario>& all_scenarios() {
  static const auto scenarios = [] {
    auto all = make_scenarios();
    all.push_back(stopped_database());
    for (auto& scenario : warm_scenarios()) all.push_back(std::move(scenario));
    for (auto& scenario : hook_scenarios()) all.push_back(std::move(scenario));
    return all;
  }();
  return scenarios;
}

const Scenario* find_scenario(const std::string& name) {
  for (const auto& scenario : all_scenarios()) {
    if (scenario.name == name) return &scenario;
  }
  return nullptr;
}

World beginning_of(const Scenario& scenario, std::uint64_t seed) {
  World world(pace_of(seed));
  for (const auto& command : scenario.before) {
    const auto end = run(world, command);
    REQUIRE_MESSAGE(end.succeeded(), scenario.name, ": ",
                    end.errors.empty() ? "" : describe(end.errors.front()));
    world.provider.settle(world.time);
  }
  if (scenario.happened) scenario.happened(world);
  if (scenario.interrupted) {
    const auto end =
        run(world, scenario.begun.value_or(scenario.command), {0, scenario.interrupted});
    REQUIRE_MESSAGE(end.stopped, scenario.name);
    world.time += world.provider.pace.between;
    world.provider.hide_droplets(world.time + scenario.hidden);
  }
  return world;
}

}  // namespace paas::crash
