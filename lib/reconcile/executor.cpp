// Schedules the steps of a plan: those that are ready run side by side.
#include "reconcile/executor.hpp"

#include <algorithm>
#include <condition_variable>
#include <thread>
#include <vector>

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

  bool is_ready(std::size_t index) const {
    if (progress_[index] != Progress::waiting) return false;
    const auto& after = plan_.steps[index].after;
    return std::all_of(after.begin(), after.end(), [&](const std::string& id) {
      return progress_[index_.at(id)] == Progress::done;
    });
  }

  std::optional<std::size_t> find_ready() const {
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      if (is_ready(i)) return i;
    }
    return std::nullopt;
  }

  /// Servers that are alike and could be created now share one request, however many steps may run
  /// side by side; each is then awaited by its own step. Nobody else takes those meanwhile.
  std::vector<std::size_t> reserve_alike(std::size_t index) {
    const auto& leader = plan_.steps[index];
    std::vector<std::size_t> alike;
    if (leader.kind != plan::StepKind::create_server || run_.is_requested(leader.server)) {
      return alike;
    }
    alike.push_back(index);
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      if (alike.size() == digitalocean::droplets_a_request_max) break;
      const auto& other = plan_.steps[i];
      if (other.kind != leader.kind || other.service != leader.service || !is_ready(i)) continue;
      if (run_.is_requested(other.server) || !run_.are_alike(leader.server, other.server)) continue;
      alike.push_back(i);
      progress_[i] = Progress::running;
    }
    return alike;
  }

  Status request(const std::vector<std::size_t>& alike) {
    std::vector<plan::Step> steps;
    for (const auto index : alike) steps.push_back(plan_.steps[index]);
    return run_.request_servers(steps);
  }

  /// They wait for their turn again.
  void give_back(const std::vector<std::size_t>& steps) {
    for (const auto index : steps) progress_[index] = Progress::waiting;
    changed_.notify_all();
  }

  /// Servers that could be created now, and that nobody asked for.
  std::vector<std::size_t> reserve_others() {
    if (options_.interrupted && options_.interrupted()) return {};
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      const auto& step = plan_.steps[i];
      if (step.kind != plan::StepKind::create_server || !is_ready(i)) continue;
      if (run_.is_requested(step.server)) continue;
      progress_[i] = Progress::running;
      return reserve_alike(i);
    }
    return {};
  }

  /// Before the first of them is awaited, all servers that could be created are asked for: they
  /// start at the same time then, and the same lists tell of all of them. After a request that
  /// failed each of the others is tried when its turn comes.
  void request_all(std::vector<std::size_t> alike) {
    const auto first = alike.front();
    while (!alike.empty()) {
      const bool is_accepted = request(alike).has_value();
      const std::scoped_lock lock(mutex_);
      std::erase(alike, first);
      give_back(alike);
      alike = is_accepted ? reserve_others() : std::vector<std::size_t>{};
    }
  }

  void perform(std::size_t index, std::unique_lock<std::mutex>& lock) {
    const auto& step = plan_.steps[index];
    progress_[index] = Progress::running;
    ++running_;
    const auto alike = reserve_alike(index);
    lock.unlock();
    tell(EventKind::started, step, std::nullopt);
    if (!alike.empty()) request_all(alike);
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
  if (outcome.failures.empty() && outcome.skipped == 0) PAAS_CHECK(run.settle());
  outcome.lockfile = run.lockfile();
  return outcome;
}

}  // namespace paas::reconcile
