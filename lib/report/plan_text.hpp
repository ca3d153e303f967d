// A plan for people and for programs.
#pragma once

#include <string>

#include "plan/step.hpp"

namespace paas::report {

enum class Color { no, yes };

/// One line a step: a glyph (+ ~ -), what is done and why; then a line that counts them.
std::string plan_text(const plan::Plan& plan, Color color);

/// {"format_version": 1, "stack", "steps": [{"id", "kind", "change", "service", "server",
/// "subject", "detail", "description", "cause", "after"}], "summary": {"create", "update",
/// "remove"}, "warnings"}
std::string plan_json(const plan::Plan& plan);

/// What there is to say of a plan without steps.
std::string nothing_to_do(const plan::Plan& plan);

/// "3 to create, 1 to update, 0 to remove"
std::string plan_summary(const plan::Plan& plan);

}  // namespace paas::report
