// Renders plans as text and JSON.
#include "report/plan_text.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "report/style.hpp"

namespace paas::report {

namespace {

struct Counts {
  int create = 0;
  int update = 0;
  int remove = 0;
};

Counts count(const plan::Plan& plan) {
  Counts counts;
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

const char* name_of(plan::Change change) {
  switch (change) {
    case plan::Change::create:
      return "create";
    case plan::Change::update:
      return "update";
    case plan::Change::remove:
      return "remove";
  }
  return "";
}

}  // namespace

std::string plan_summary(const plan::Plan& plan) {
  const auto counts = count(plan);
  return fmt::format("{} to create, {} to update, {} to remove", counts.create, counts.update,
                     counts.remove);
}

std::string nothing_to_do(const plan::Plan& plan) {
  if (plan.unreached.empty()) return "Nothing to do: everything is as the stack says.";
  return fmt::format("Nothing to do, as far as could be seen: {} could not be looked at.",
                     fmt::join(plan.unreached, ", "));
}

std::string plan_text(const plan::Plan& plan, Color color) {
  std::string text;
  for (const auto& step : plan.steps) {
    text += fmt::format("  {} {}{}\n", glyph(plan::change_of(step.kind), color),
                        plan::describe(step), paint(": " + step.cause, Tone::faint, color));
  }
  for (const auto& warning : plan.warnings) {
    text += fmt::format("  {} {}\n", paint("!", Tone::attention, color), warning);
  }
  if (plan.empty()) return text + nothing_to_do(plan) + "\n";
  return text + fmt::format("Plan: {}.\n", plan_summary(plan));
}

std::string plan_json(const plan::Plan& plan) {
  nlohmann::ordered_json document;
  document["format_version"] = 1;
  document["stack"] = plan.lockfile.applied ? plan.lockfile.applied->name : "";
  document["steps"] = nlohmann::ordered_json::array();
  for (const auto& step : plan.steps) {
    nlohmann::ordered_json entry;
    entry["id"] = step.id;
    entry["kind"] = plan::to_text(step.kind);
    entry["change"] = name_of(plan::change_of(step.kind));
    entry["service"] = step.service;
    entry["server"] = step.server;
    entry["subject"] = step.subject;
    entry["detail"] = step.detail;
    entry["description"] = plan::describe(step);
    entry["cause"] = step.cause;
    entry["after"] = step.after;
    document["steps"].push_back(std::move(entry));
  }
  const auto counts = count(plan);
  document["summary"] = {
      {"create", counts.create}, {"update", counts.update}, {"remove", counts.remove}};
  document["warnings"] = plan.warnings;
  document["unreached"] = plan.unreached;
  return document.dump(2) + "\n";
}

}  // namespace paas::report
