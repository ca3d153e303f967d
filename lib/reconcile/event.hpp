// What the executor tells while it works.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "plan/step.hpp"

namespace paas::reconcile {

enum class EventKind {
  started,   ///< A step began.
  stage,     ///< It reached a stage: "active", "SSH", "healthy" ...
  output,    ///< Text of a build.
  progress,  ///< Bytes sent.
  done,      ///< The step succeeded.
  failed,    ///< It did not; `error` says why.
  skipped,   ///< It was not tried, because one before it failed or the run was interrupted.
  note,      ///< Something the user should know, of no step.
};

struct Event {
  EventKind kind = EventKind::note;
  plan::Step step;
  std::string text;
  std::chrono::milliseconds elapsed{0};  ///< Since the step began.
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_total = 0;
  std::optional<Error> error;
};

/// Called from several threads, one call at a time.
using OnEvent = std::function<void(const Event&)>;

}  // namespace paas::reconcile
