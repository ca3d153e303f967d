// Renders plans as text.
#include "report/plan_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "report/cost_text.hpp"
#include "report/style.hpp"

namespace paas::report {

PlanCounts count(const plan::Plan& plan) {
  PlanCounts counts;
  for (const auto& step : plan.steps) {
    switch (plan::change_of(step.kind)) {
      case plan::Change::create:
        ++counts.create;
        break;
      case plan::Change::update:
        ++counts.update;
        break;
      case plan::Change::remove:
        ++counts.remove;
        break;
    }
  }
  return counts;
}

namespace {

std::string glyph(plan::Change change, Color color) {
  switch (change) {
    case plan::Change::create:
      return paint("+", Tone::good, color);
    case plan::Change::update:
      return paint("~", Tone::attention, color);
    case plan::Change::remove:
      return paint("-", Tone::bad, color);
  }
  return " ";
}

const char* heading_of(plan::Reason reason) {
  switch (reason) {
    case plan::Reason::drift:
      return "Drift: what exists is not as it was left";
    case plan::Reason::unfinished:
      return "Unfinished: an earlier run began it";
    case plan::Reason::change:
      return "Changes: the stack says something else than before";
    case plan::Reason::request:
      return "Asked for";
  }
  return "";
}

std::string step_text(const plan::Step& step, Color color) {
  return fmt::format("  {} {}{}\n", glyph(plan::change_of(step.kind), color), plan::describe(step),
                     paint(": " + step.cause, Tone::faint, color));
}

/// The steps under a heading for each kind of reason; without one where there is nothing to tell
/// apart.
std::string steps_text(const plan::Plan& plan, Color color) {
  const bool plain = std::all_of(plan.steps.begin(), plan.steps.end(), [](const auto& step) {
    return step.reason == plan::Reason::change || step.reason == plan::Reason::request;
  });
  std::string text;
  for (const auto reason : {plan::Reason::drift, plan::Reason::unfinished, plan::Reason::change,
                            plan::Reason::request}) {
    std::string lines;
    for (const auto& step : plan.steps) {
      if (plain || step.reason == reason) lines += step_text(step, color);
    }
    if (plain) return lines;
    if (lines.empty()) continue;
    text += paint(heading_of(reason), Tone::strong, color) + "\n" + lines;
  }
  return text;
}

}  // namespace

std::string plan_summary(const plan::Plan& plan) {
  const auto counts = count(plan);
  return fmt::format("{} to create, {} to update, {} to remove", counts.create, counts.update,
                     counts.remove);
}

bool has_drift(const plan::Plan& plan) {
  return std::any_of(plan.steps.begin(), plan.steps.end(),
                     [](const plan::Step& step) { return step.reason == plan::Reason::drift; });
}

std::string nothing_to_do(const plan::Plan& plan, Seen seen) {
  if (seen == Seen::cloud) {
    return "Nothing to do, as far as could be seen: what is on the servers was not looked at.";
  }
  if (plan.unreached.empty()) return "Nothing to do: everything is as the stack says.";
  return fmt::format("Nothing to do, as far as could be seen: {} could not be looked at.",
                     fmt::join(plan.unreached, ", "));
}

std::string plan_text(const plan::Plan& plan, Color color, Seen seen) {
  std::string text = steps_text(plan, color);
  for (const auto& loss : plan.losses) {
    text += fmt::format("  {} {}\n", paint("!", Tone::bad, color),
                        paint(fmt::format("destroys {}: needs its name typed, or --confirm {}",
                                          loss.text, loss.name),
                              Tone::strong, color));
  }
  for (const auto& warning : plan.warnings) {
    text += fmt::format("  {} {}\n", paint("!", Tone::attention, color), warning);
  }
  text += plan.empty() ? nothing_to_do(plan, seen) + "\n"
                       : fmt::format("Plan: {}.\n", plan_summary(plan));
  return plan.cost ? text + cost_text(*plan.cost) : text;
}

}  // namespace paas::report
