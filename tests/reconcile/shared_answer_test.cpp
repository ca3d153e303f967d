// One question for all that ask at the same time.
#include "reconcile/shared_answer.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

namespace paas::reconcile {
namespace {

TEST_CASE("reconcile: an answer was asked for after everybody who gets it came") {
  std::atomic<int> state{0};
  std::atomic<int> asked{0};
  SharedAnswer answers([&]() -> Result<std::string> {
    ++asked;
    const int seen = state;
    std::this_thread::yield();
    return std::to_string(seen);
  });
  std::atomic<bool> is_stale{false};
  std::latch begin(4);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      begin.arrive_and_wait();
      for (int round = 0; round < 500; ++round) {
        const int own = ++state;
        if (std::stoi(*answers.get()) < own) is_stale = true;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK_FALSE(is_stale);
  CHECK(asked <= 2000);
}

TEST_CASE("reconcile: those that come while a question is under way share the next one") {
  std::latch under_way(1);
  std::latch go_on(1);
  std::atomic<int> asked{0};
  std::atomic<int> waiting{0};
  SharedAnswer answers([&]() -> Result<std::string> {
    if (++asked == 1) {
      under_way.count_down();
      go_on.wait();
    }
    return "answer";
  });
  std::thread first([&] { CHECK(answers.get() == std::string("answer")); });
  under_way.wait();
  std::vector<std::thread> others;
  for (int i = 0; i < 5; ++i) {
    others.emplace_back([&] {
      ++waiting;
      CHECK(answers.get() == std::string("answer"));
    });
  }
  while (waiting < 5) std::this_thread::yield();
  go_on.count_down();
  first.join();
  for (auto& other : others) other.join();
  // Two, and more for those that were late to wait; never one for each.
  CHECK(asked < 6);
}

TEST_CASE("reconcile: an error is an answer too, and the next question is a new one") {
  int asked = 0;
  SharedAnswer answers([&]() -> Result<std::string> {
    if (++asked == 1) return fail(ErrorKind::unreachable, "gone");
    return "back";
  });
  CHECK_FALSE(answers.get());
  CHECK(answers.get() == std::string("back"));
}

}  // namespace
}  // namespace paas::reconcile
