// Tests of the order in which effects reach the world.
#include "cloud/dispatcher.hpp"

#include <doctest/doctest.h>

#include <future>

using namespace paas::cloud;
using namespace std::chrono_literals;

namespace {

/// A world whose effects wait until they are let go.
class SlowWorld : public World {
 public:
  paas::Result<ServiceAddresses> start() override { return ServiceAddresses{}; }
  void watch(std::function<void(std::int64_t, bool)>) override {}
  paas::Status stop() override { return {}; }
  paas::Result<int> running_machines() override { return 0; }
  paas::Status purge() override { return {}; }

  EffectDone apply(const Effect& effect) override {
    std::unique_lock guard(mutex_);
    running_.insert(effect.id);
    begun_.push_back(effect.id);
    changed_.notify_all();
    changed_.wait(guard, [&] { return open_ || let_go_.contains(effect.id); });
    running_.erase(effect.id);
    return {effect.id, "", 0};
  }

  void let_go(std::int64_t id) {
    const std::lock_guard guard(mutex_);
    let_go_.insert(id);
    changed_.notify_all();
  }
  void open() {
    const std::lock_guard guard(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool await_running(const std::set<std::int64_t>& ids) {
    std::unique_lock guard(mutex_);
    return changed_.wait_for(guard, 10s, [&] { return running_ == ids; });
  }
  std::vector<std::int64_t> begun() {
    const std::lock_guard guard(mutex_);
    return begun_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::int64_t> running_;
  std::set<std::int64_t> let_go_;
  std::vector<std::int64_t> begun_;
  bool open_ = false;
};

class Done {
 public:
  void add(std::int64_t id) {
    const std::lock_guard guard(mutex_);
    ids_.push_back(id);
    changed_.notify_all();
  }
  bool await(std::size_t count) {
    std::unique_lock guard(mutex_);
    return changed_.wait_for(guard, 10s, [&] { return ids_.size() >= count; });
  }
  std::vector<std::int64_t> ids() {
    const std::lock_guard guard(mutex_);
    return ids_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::int64_t> ids_;
};

Effect effect(std::int64_t id, const std::string& key, std::vector<std::int64_t> after = {}) {
  return {id, key, DestroyMachine{id}, std::move(after)};
}

Effect rules(std::int64_t id, const std::string& key) { return {id, key, SetRules{}}; }

}  // namespace

TEST_CASE("cloud: effects of one key follow each other, others run side by side") {
  SlowWorld world;
  Done done;
  Dispatcher dispatcher(world, [&](const EffectDone& each) { done.add(each.effect_id); });
  dispatcher.submit({effect(1, "a"), effect(2, "a"), effect(3, "b")});
  CHECK(world.await_running({1, 3}));
  world.let_go(1);
  CHECK(world.await_running({2, 3}));
  world.open();
  CHECK(done.await(3));
}

TEST_CASE("cloud: an effect waits for those it is to follow") {
  SlowWorld world;
  Done done;
  Dispatcher dispatcher(world, [&](const EffectDone& each) { done.add(each.effect_id); });
  dispatcher.submit({effect(1, "network"), effect(2, "machine", {1}), effect(3, "other", {0})});
  CHECK(world.await_running({1, 3}));
  world.let_go(1);
  CHECK(world.await_running({2, 3}));
  world.open();
  CHECK(done.await(3));
}

TEST_CASE("cloud: no more effects run at once than there are workers") {
  SlowWorld world;
  Done done;
  Dispatcher dispatcher(
      world, [&](const EffectDone& each) { done.add(each.effect_id); }, 2);
  dispatcher.submit({effect(1, "a"), effect(2, "b"), effect(3, "c")});
  CHECK(world.await_running({1, 2}));
  world.let_go(2);
  CHECK(world.await_running({1, 3}));
  world.open();
  CHECK(done.await(3));
}

TEST_CASE("cloud: rules that later ones replace are not put in force") {
  SlowWorld world;
  Done done;
  Dispatcher dispatcher(world, [&](const EffectDone& each) { done.add(each.effect_id); });
  dispatcher.submit(
      {effect(1, "a"), rules(2, "a"), rules(3, "a"), rules(4, "a"), effect(5, "a"), rules(6, "a")});
  CHECK(world.await_running({1}));
  world.open();
  CHECK(done.await(6));
  CHECK(world.begun() == std::vector<std::int64_t>{1, 4, 5, 6});
  CHECK(done.ids() == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("cloud: what is held back stands in nobody's way until something waits behind it") {
  SlowWorld world;
  world.open();
  Done done;
  Dispatcher dispatcher(world, [&](const EffectDone& each) { done.add(each.effect_id); });
  auto held_back = effect(1, "a");
  held_back.delay = std::chrono::hours(1);
  dispatcher.submit({held_back});
  dispatcher.submit({effect(2, "b")});
  CHECK(done.await(1));
  CHECK(done.ids() == std::vector<std::int64_t>{2});
  dispatcher.submit({effect(3, "a")});
  CHECK(done.await(3));
  CHECK(done.ids() == std::vector<std::int64_t>{2, 1, 3});
  auto soon = effect(4, "a");
  soon.delay = 1ms;
  dispatcher.submit({soon});
  CHECK(done.await(4));
}

TEST_CASE("cloud: what a fault holds back waits, with all that follows it, until it is let go") {
  SlowWorld world;
  world.open();
  Done done;
  Dispatcher dispatcher(world, [&](const EffectDone& each) { done.add(each.effect_id); });
  auto held = effect(1, "a");
  held.held_by = 7;
  dispatcher.submit({held, effect(2, "a"), effect(3, "b", {1}), effect(4, "c")});
  CHECK(done.await(1));
  CHECK(done.ids() == std::vector<std::int64_t>{4});
  dispatcher.submit({effect(1, "a")});
  CHECK(done.await(4));
  CHECK(world.begun().size() == 4);
}

TEST_CASE("cloud: what a fault has fail never reaches the world") {
  SlowWorld world;
  world.open();
  std::string error;
  Done done;
  Dispatcher dispatcher(world, [&](const EffectDone& each) {
    if (each.effect_id == 1) error = each.error;
    done.add(each.effect_id);
  });
  auto failing = effect(1, "a");
  failing.fault = "it was asked to";
  dispatcher.submit({failing, effect(2, "a")});
  CHECK(done.await(2));
  CHECK(error == "it was asked to");
  CHECK(world.begun() == std::vector<std::int64_t>{2});
}

TEST_CASE("cloud: stopping ends what runs and begins nothing more") {
  SlowWorld world;
  Done done;
  Dispatcher dispatcher(world, [&](const EffectDone& each) { done.add(each.effect_id); });
  dispatcher.submit({effect(1, "a"), effect(2, "a")});
  REQUIRE(world.await_running({1}));
  auto stopped = std::async(std::launch::async, [&] { dispatcher.stop(); });
  CHECK(stopped.wait_for(50ms) == std::future_status::timeout);
  world.open();
  stopped.get();
  CHECK(done.ids() == std::vector<std::int64_t>{1});
}
