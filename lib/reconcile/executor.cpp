// Schedules the steps of a plan: those that are ready run side by side.
#include "reconcile/executor.hpp"

#include <algorithm>
#include <condition_variable>
#include <thread>

#include "reconcile/run.hpp"

namespace paas::reconcile {

enum class Progress { waiting, running, done, failed, skipped };

class Scheduler {
 public:
  Scheduler(const plan::Plan& plan, Run& run, const Options& options)
      : plan_(plan), run_(run), options_(options), progress_(plan.steps.size(), Progress::waiting) {
    for (std::size_t i = 0; i < plan.steps.size(); ++i) index_[plan.steps[i].id] = i;
  }

  Outcome work() {
    std::vector<std::jthread> workers;
    const auto count = std::min<std::size_t>(
        plan_.steps.size(), static_cast<std::size_t>(std::max(1, options_.parallelism)));
    for (std::size_t i = 0; i < count; ++i) workers.emplace_back([this] { take_steps(); });
    workers.clear();
    skip_the_rest();
    return std::move(outcome_);
  }

 private:
  void take_steps() {
    std::unique_lock lock(mutex_);
    while (true) {
      if (options_.interrupted && options_.interrupted()) outcome_.interrupted = true;
      if (outcome_.interrupted) return;
      const auto ready = find_ready();
      if (ready) {
        perform(*ready, lock);
      } else if (running_ == 0) {
        return;
      } else {
        changed_.wait(lock);
      }
    }
  }

  std::optional<std::size_t> find_ready() const {
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      if (progress_[i] != Progress::waiting) continue;
      const auto& after = plan_.steps[i].after;
      const bool ready = std::all_of(after.begin(), after.end(), [&](const std::string& id) {
        return progress_[index_.at(id)] == Progress::done;
      });
      if (ready) return i;
    }
    return std::nullopt;
  }

  void perform(std::size_t index, std::unique_lock<std::mutex>& lock) {
    const auto& step = plan_.steps[index];
    progress_[index] = Progress::running;
    ++running_;
    lock.unlock();
    tell(EventKind::started, step, std::nullopt);
    auto result = run_.perform(step);
    tell(result ? EventKind::done : EventKind::failed, step,
         result ? std::nullopt : std::optional(result.error()));
    lock.lock();
    --running_;
    progress_[index] = result ? Progress::done : Progress::failed;
    if (result) {
      ++outcome_.done;
    } else {
      if (result.error().kind == ErrorKind::interrupted) outcome_.interrupted = true;
      outcome_.failures.push_back({step, result.error()});
    }
    changed_.notify_all();
  }

  void skip_the_rest() {
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      if (progress_[i] != Progress::waiting) continue;
      ++outcome_.skipped;
      outcome_.not_tried.push_back(plan_.steps[i]);
      tell(EventKind::skipped, plan_.steps[i], std::nullopt);
    }
  }

  void tell(EventKind kind, const plan::Step& step, std::optional<Error> error) {
    Event event;
    event.kind = kind;
    event.step = step;
    event.error = std::move(error);
    run_.tell(std::move(event));
  }

  const plan::Plan& plan_;
  Run& run_;
  const Options& options_;
  std::map<std::string, std::size_t> index_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Progress> progress_;
  int running_ = 0;
  Outcome outcome_;
};

Result<Outcome> execute(const plan::Plan& plan, const lockfile::Lockfile& loaded,
                        const std::map<std::string, plan::ImageState>& images,
                        const std::map<std::string, std::string>& restart, Tools& tools,
                        const Options& options) {
  Run run(plan, loaded, images, restart, tools, options);
  PAAS_CHECK(run.begin(plan));
  auto outcome = Scheduler(plan, run, options).work();
  outcome.lockfile = run.lockfile();
  return outcome;
}

}  // namespace paas::reconcile
