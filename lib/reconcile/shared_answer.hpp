// A question that several steps ask at the same time, asked once for all of them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace paas::reconcile {

/// Safe to use from several threads. Each gets an answer that was asked for after it came, so what
/// it did before shows in it.
class SharedAnswer {
 public:
  using Ask = std::function<Result<std::string>()>;

  explicit SharedAnswer(Ask ask) : ask_(std::move(ask)) {}

  Result<std::string> get() {
    std::unique_lock lock(mutex_);
    const auto wanted = begun_ + 1;
    while (ended_ < wanted) {
      if (is_asking_) {
        changed_.wait(lock);
        continue;
      }
      is_asking_ = true;
      const auto own = ++begun_;
      lock.unlock();
      auto answer = ask_();
      lock.lock();
      answer_ = std::move(answer);
      ended_ = own;
      is_asking_ = false;
      changed_.notify_all();
    }
    return *answer_;
  }

  /// The answer that came last, however long ago; none before the first.
  std::optional<Result<std::string>> latest() {
    const std::scoped_lock lock(mutex_);
    return answer_;
  }

 private:
  Ask ask_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_asking_ = false;
  std::uint64_t begun_ = 0;
  std::uint64_t ended_ = 0;
  std::optional<Result<std::string>> answer_;
};

}  // namespace paas::reconcile
