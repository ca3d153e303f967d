// A list of the provider's that steps look at while they wait, read once for all of them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "digitalocean/model.hpp"
#include "ports/clock.hpp"

namespace paas::reconcile {

/// Safe to use from several threads: those that come while the list is read wait for it.
template <typename T>
class SharedList {
 public:
  using Items = std::shared_ptr<const std::vector<T>>;
  using Read = std::function<Result<std::vector<T>>()>;

  /// What was read serves for `freshness`, and as often as long for a list that takes several
  /// requests.
  SharedList(Clock& clock, std::chrono::milliseconds freshness, Read read)
      : clock_(clock), freshness_(freshness), read_(std::move(read)) {}

  /// Stands for all reads so far: only those after it show for certain what was done before it.
  std::uint64_t mark() {
    const std::scoped_lock lock(mutex_);
    return reads_;
  }

  /// The list as it was read last, however long ago; none before the first read.
  Items latest() {
    const std::scoped_lock lock(mutex_);
    return items_;
  }

  /// The list as it was read lately and after that mark.
  Result<Items> items(std::uint64_t after = 0) {
    const std::scoped_lock lock(mutex_);
    const bool is_fresh = items_ && clock_.monotonic() - read_at_ < freshness_ * requests();
    if (is_fresh && reads_ > after) return items_;
    PAAS_TRY(auto list, read_());
    items_ = std::make_shared<const std::vector<T>>(std::move(list));
    read_at_ = clock_.monotonic();
    ++reads_;
    return items_;
  }

 private:
  /// What the client needs for a list as long as the last one: 200 a page.
  int requests() const {
    constexpr std::size_t page = digitalocean::page_size_max;
    return std::max(1, static_cast<int>((items_->size() + page - 1) / page));
  }

  Clock& clock_;
  std::chrono::milliseconds freshness_;
  Read read_;
  std::mutex mutex_;
  std::uint64_t reads_ = 0;
  std::chrono::milliseconds read_at_{0};
  Items items_;
};

}  // namespace paas::reconcile
