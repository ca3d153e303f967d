// Changes of the lockfile by several threads.
#include "reconcile/state.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <thread>

namespace paas::reconcile {
namespace {

using lockfile::Lockfile;

/// Counts, and lets a save wait until it may go on.
class GatedStore : public lockfile::Store {
 public:
  Result<std::unique_ptr<lockfile::Guard>> acquire(const std::string&) override { return nullptr; }
  Result<Lockfile> load() override { return kept; }
  Status save(Lockfile& lockfile) override {
    std::unique_lock lock(mutex);
    ++begun;
    changed.notify_all();
    changed.wait(lock, [&] { return allowed >= begun; });
    if (failing_from > 0 && begun >= failing_from) return fail(ErrorKind::failed, "no space left");
    ++lockfile.serial;
    kept = lockfile;
    return {};
  }
  bool exists() override { return true; }
  std::string location() override { return "paas.lock"; }

  void await_begun(int number) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return begun >= number; });
  }
  void allow(int number) {
    const std::scoped_lock lock(mutex);
    allowed = number;
    changed.notify_all();
  }

  std::mutex mutex;
  std::condition_variable changed;
  int begun = 0;
  int allowed = 0;
  int failing_from = 0;
  Lockfile kept;
};

struct Fixture {
  std::future<Status> start(const std::string& service) {
    return std::async(std::launch::async, [this, service] {
      ++arriving;
      return state.change([&](Lockfile& next) { next.services[service].count = 1; });
    });
  }

  GatedStore store;
  State state{store, Lockfile()};
  std::atomic<int> arriving = 0;
};

TEST_CASE("reconcile: changes that come while the lockfile is stored are stored together") {
  Fixture f;
  constexpr int changes = 20;
  std::vector<std::future<Status>> stored;
  stored.push_back(f.start("first"));
  f.store.await_begun(1);
  for (int i = 1; i < changes; ++i) stored.push_back(f.start("other" + std::to_string(i)));
  while (f.arriving < changes) std::this_thread::yield();
  CHECK(f.state.read() == Lockfile());
  f.store.allow(changes);
  for (auto& change : stored) CHECK(change.get());
  CHECK(f.store.kept.services.size() == changes);
  CHECK(f.state.read() == f.store.kept);
  CHECK(f.store.begun < changes);
}

TEST_CASE("reconcile: a change that changes nothing is not stored") {
  Fixture f;
  CHECK(f.state.change([](Lockfile&) {}));
  CHECK(f.store.begun == 0);
}

TEST_CASE("reconcile: when storing fails, each of its changes fails and none is kept") {
  Fixture f;
  constexpr int together = 20;
  constexpr int any_number = 1000;
  f.store.failing_from = 2;
  auto first = f.start("first");
  f.store.await_begun(1);
  std::vector<std::future<Status>> others;
  for (int i = 0; i < together; ++i) others.push_back(f.start("other" + std::to_string(i)));
  while (f.arriving < 1 + together) std::this_thread::yield();
  f.store.allow(any_number);
  REQUIRE(first.get());
  for (auto& other : others) {
    const auto stored = other.get();
    REQUIRE_FALSE(stored);
    CHECK(stored.error().message == "no space left");
  }
  CHECK(f.store.begun < together);
  CHECK(f.state.read() == f.store.kept);
  CHECK(f.state.read().services.size() == 1);
  f.store.failing_from = 0;
  CHECK(f.start("last").get());
  CHECK(f.store.kept.services.size() == 2);
}

}  // namespace
}  // namespace paas::reconcile
