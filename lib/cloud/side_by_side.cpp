// A bounded number of threads that take jobs until none is left.
#include "cloud/side_by_side.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

namespace paas::cloud {

Status side_by_side(const std::vector<std::function<Status()>>& jobs, std::size_t limit) {
  std::vector<Status> results(jobs.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t job = next++; job < jobs.size(); job = next++) results[job] = jobs[job]();
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(limit, jobs.size()); ++i) threads.emplace_back(work);
    work();
  }
  const auto failed =
      std::find_if(results.begin(), results.end(), [](const Status& status) { return !status; });
  if (failed != results.end()) return *failed;
  return {};
}

}  // namespace paas::cloud
