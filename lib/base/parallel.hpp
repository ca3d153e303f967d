// Runs independent pieces of work side by side.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace paas {

/// Calls work(0) to work(count - 1), at most `parallelism` at once, and waits for all.
template <typename Work>
void run_side_by_side(std::size_t count, int parallelism, const Work& work) {
  std::atomic<std::size_t> next = 0;
  const auto take = [&] {
    for (auto index = next++; index < count; index = next++) work(index);
  };
  const auto threads = std::min(count, static_cast<std::size_t>(std::max(1, parallelism)));
  std::vector<std::jthread> workers;
  for (std::size_t i = 1; i < threads; ++i) workers.emplace_back(take);
  take();
}

}  // namespace paas
