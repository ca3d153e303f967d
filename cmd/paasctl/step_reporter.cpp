// Tells how a run goes and what an interruption leaves to be done.
#include "step_reporter.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace paas::cli {

namespace {

/// Only the first are named: thousands of steps may remain.
std::string listed(std::vector<std::string> items) {
  constexpr std::size_t named_max = 8;
  const auto count = items.size();
  if (count > named_max) items.resize(named_max);
  auto text = text::join(items, "; ");
  if (count > named_max) text += fmt::format("; and {} more", count - named_max);
  return text;
}

std::string counted(std::size_t count) {
  return fmt::format("{} step{}", count, count == 1 ? "" : "s");
}

}  // namespace

StepReporter::StepReporter(Program& program, report::ProgressStyle style)
    : printer_(program.ports.terminal, style, program.error_color()) {
  announcer_ = std::jthread([this, requests = program.ports.interruption.requests()] {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, requests, [this] { return ended_; });
    if (!ended_) announce_stop();
  });
}

StepReporter::~StepReporter() {
  {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

void StepReporter::tell(const reconcile::Event& event) {
  const std::scoped_lock lock(mutex_);
  if (event.kind == reconcile::EventKind::started) {
    under_way_[event.step.id] = plan::describe(event.step);
  }
  if (event.kind == reconcile::EventKind::done || event.kind == reconcile::EventKind::failed) {
    under_way_.erase(event.step.id);
  }
  printer_(event);
}

void StepReporter::announce_stop() {
  std::vector<std::string> steps;
  for (const auto& [id, description] : under_way_) steps.push_back(description);
  if (steps.empty()) return;
  reconcile::Event event;
  event.text = fmt::format("interrupted: {} under way {} finished first ({}); again stops at once",
                           counted(steps.size()), steps.size() == 1 ? "is" : "are", listed(steps));
  printer_(event);
}

void print_failures(Program& program, const std::vector<reconcile::Failure>& failures,
                    std::optional<ErrorKind> except) {
  for (const auto& failure : failures) {
    if (failure.error.kind == except) continue;
    program.ports.terminal.write_error(
        fmt::format("error: {}: {}\n", plan::describe(failure.step), describe(failure.error)));
  }
}

Error interruption_of(const reconcile::Outcome& outcome, int steps_done, const std::string& hint) {
  std::vector<std::string> remaining;
  for (const auto& failure : outcome.failures) remaining.push_back(plan::describe(failure.step));
  for (const auto& step : outcome.not_tried) remaining.push_back(plan::describe(step));
  if (remaining.empty()) {
    return make_error(ErrorKind::interrupted,
                      fmt::format("interrupted after the last of {}: nothing remains",
                                  counted(static_cast<std::size_t>(steps_done))));
  }
  return make_error(
      ErrorKind::interrupted,
      fmt::format("interrupted: {} done, {} remain{}: {}",
                  counted(static_cast<std::size_t>(steps_done)), counted(remaining.size()),
                  remaining.size() == 1 ? "s" : "", listed(remaining)),
      hint);
}

}  // namespace paas::cli
