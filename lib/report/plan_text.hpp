// A plan for people.
#pragma once

#include <string>

#include "plan/step.hpp"

namespace paas::report {

enum class Color { no, yes };

/// What a plan was made from.
enum class Seen {
  cloud,   ///< The provider's lists only.
  servers  ///< What is on the servers as well, but for those that could not be looked at.
};

/// How many steps a plan has of each kind.
struct PlanCounts {
  int create = 0;
  int update = 0;
  int remove = 0;
};
PlanCounts count(const plan::Plan& plan);

/// One line a step: a glyph (+ ~ -), what is done and why, drift apart from changes; then what data
/// is destroyed, warnings, a line that counts the steps, and what the stack costs when that is
/// known.
std::string plan_text(const plan::Plan& plan, Color color, Seen seen = Seen::servers);

/// Whether a step is needed because what exists was changed behind the stack's back.
bool has_drift(const plan::Plan& plan);

/// What there is to say of a plan without steps.
std::string nothing_to_do(const plan::Plan& plan, Seen seen = Seen::servers);

/// "3 to create, 1 to update, 0 to remove"
std::string plan_summary(const plan::Plan& plan);

}  // namespace paas::report
