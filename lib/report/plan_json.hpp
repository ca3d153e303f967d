// A plan for programs.
#pragma once

#include <string>
#include <vector>

#include "plan/step.hpp"

namespace paas::report {

/// The plan as one object; plan_members() says what is in it.
std::string plan_json(const plan::Plan& plan);

/// One member of the document, as its man page explains it.
struct Member {
  const char* path;  ///< "steps[].id": "[]" stands for each item of a list.
  const char* meaning;
};

/// Every member of plan_json(), in its order. They are a promise: with the same `format_version`
/// none goes, none gets another meaning, and new ones may come.
const std::vector<Member>& plan_members();

}  // namespace paas::report
