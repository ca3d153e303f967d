// What is told of a run: its progress, and what becomes of it when it is interrupted.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "program.hpp"
#include "reconcile/executor.hpp"
#include "report/progress.hpp"

namespace paas::cli {

/// Prints a run's events, and after the first signal which steps are still finished. Safe to use
/// from several threads.
class StepReporter {
 public:
  StepReporter(Program& program, report::ProgressStyle style);
  ~StepReporter();
  StepReporter(const StepReporter&) = delete;
  StepReporter& operator=(const StepReporter&) = delete;

  void tell(const reconcile::Event& event);

 private:
  void announce_stop();

  std::mutex mutex_;
  report::ProgressPrinter printer_;
  std::map<std::string, std::string> under_way_;  ///< By identifier, in words.
  bool ended_ = false;
  std::condition_variable_any changed_;
  /// A thread of its own: where nobody reads the output, the second signal has to get through.
  std::jthread announcer_;
};

/// All failures but those of the kind `except`, an error a line.
void print_failures(Program& program, const std::vector<reconcile::Failure>& failures,
                    std::optional<ErrorKind> except);

/// What an interrupted run did and what remains to be done.
Error interruption_of(const reconcile::Outcome& outcome, int steps_done, const std::string& hint);

}  // namespace paas::cli
