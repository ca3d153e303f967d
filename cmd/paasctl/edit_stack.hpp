// Changing the stack file in place, and applying it when asked to.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "program.hpp"
#include "session.hpp"

namespace paas::cli {

enum class Apply { no, yes };

/// Replaces the stack file by what `edit` makes of its text; then, with Apply::yes, the usual way
/// of a change.
Result<int> edit_stack(Program& program, const std::string& command, Apply apply,
                       const std::function<Result<std::string>(std::string_view)>& edit);

}  // namespace paas::cli
