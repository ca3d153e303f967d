// Wires the executor to what is in memory.
#include "reconcile/support/rig.hpp"

#include "plan/wanted.hpp"

#include <doctest/doctest.h>

#include "docker/engine.hpp"
#include "reconcile/images.hpp"
#include "reconcile/support/cloud_request.hpp"
#include "reconcile/support/key_maker.hpp"
#include "reconcile/support/memory_files.hpp"
#include "reconcile/support/memory_store.hpp"
#include "reconcile/support/no_engine.hpp"
#include "reconcile/support/numbers.hpp"
#include "stack/parse.hpp"

namespace paas::reconcile::testing {

struct Rig::Ports {
  explicit Ports(Rig& rig)
      // Keys and passwords of this run differ from those of the runs before.
      : keys(files, static_cast<int>(rig.world.stored.serial) * 1000),
        random(static_cast<unsigned>(rig.world.stored.serial)),
        store(rig.world.stored, rig.fuse),
        engine(no_engine, "/nowhere"),
        images({engine, files, keys, rig.variables}, ".", "/scratch/images"),
        client(rig.http, rig.clock, {cloud_url, Secret(cloud_token), {}, {}, [] { return 0.5; }}) {}
  MemoryFiles files;
  KeyMaker keys;
  Numbers random;
  MemoryStore store;
  NoEngine no_engine;
  docker::Engine engine;
  Images images;
  digitalocean::Client client;
};

Rig::Rig(World& kept, std::string_view yaml) : world(kept) {
  auto result = stack::parse(yaml);
  for (const auto& problem : result.problems) FAIL(stack::render(problem, "paas.yaml"));
  stack = result.stack;
  ports_ = std::make_unique<Ports>(*this);
  options.parallelism = 1;
  options.on_event = [this](const Event& event) { events.push_back(event); };
}

Rig::~Rig() = default;

Result<plan::Input> Rig::input() {
  plan::Input input;
  PAAS_TRY(input.lockfile, ports_->store.load());
  PAAS_TRY(auto wanted, plan::wanted(stack, input.lockfile, {releases, {}}));
  input.stack = std::move(wanted.stack);
  input.held = std::move(wanted.held);
  for (const auto& [name, bundle] : options.certificates) {
    input.certificates[name] = lockfile::sha256_hex(bundle.reveal());
  }
  for (const auto& [service, hook] : options.pre_release) {
    input.pre_release[service] = lockfile::sha256_hex(hook);
  }
  input.now =
      std::chrono::duration_cast<std::chrono::seconds>(clock.now().time_since_epoch()).count();
  PAAS_TRY(input.images, ports_->images.survey(stack, input.lockfile));
  PAAS_TRY(input.observed, observe::observe(ports_->client, machines, input.lockfile, stack.name,
                                            stack.region, {observe::Depth::machines, 1}));
  return input;
}

Result<plan::Plan> Rig::plan() {
  PAAS_TRY(auto known, input());
  return plan::make(known);
}

Result<Outcome> Rig::up() {
  PAAS_TRY(auto known, input());
  PAAS_TRY(auto made, plan::make(known));
  return execute(made, known.lockfile, known.images);
}

Result<Outcome> Rig::carry_out(const plan::Plan& plan) { return execute(plan, world.stored, {}); }

Result<Outcome> Rig::rotate(const std::string& service) {
  PAAS_TRY(auto known, input());
  known.rotate[service] = "its password is rotated";
  PAAS_TRY(auto made, plan::make(known));
  return execute(made, known.lockfile, known.images);
}

Result<Outcome> Rig::down(plan::Volumes volumes) {
  PAAS_TRY(auto known, input());
  PAAS_CHECK(plan::check_owner(stack.name, known.lockfile, known.observed));
  PAAS_CHECK(plan::check_found(known.lockfile, known.observed));
  return execute(plan::make_down(known.lockfile, known.observed, volumes), known.lockfile, {});
}

Result<digitalocean::Snapshot> Rig::save_snapshot(const std::string& service) {
  PAAS_TRY(auto known, input());
  auto used = tools();
  return reconcile::save_snapshot(stack, service, known.lockfile, known.images, used, options);
}

Status Rig::remove_builders() {
  PAAS_TRY(const auto loaded, ports_->store.load());
  auto used = tools();
  return reconcile::remove_builders(loaded, used, options);
}

Tools Rig::tools() {
  return {ports_->client, machines, ports_->images, ports_->store, ports_->keys,
          ports_->files,  clock,    ports_->random, "/scratch"};
}

Result<Outcome> Rig::execute(const plan::Plan& plan, const lockfile::Lockfile& loaded,
                             const std::map<std::string, plan::ImageState>& images) {
  auto used = tools();
  return reconcile::execute(plan, loaded, images, {}, used, options);
}

}  // namespace paas::reconcile::testing
