// Edits a stack file's text in place: only the lines concerned change, comments and layout stay.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "stack/model.hpp"

namespace paas::stack {

/// Whether the service has exactly this link; false also for a text that is no stack file.
bool has_link(std::string_view yaml, const std::string& service, const Link& link);
/// Adds `link` to the service's links (flow or block style is kept). Errors: not_found for an
/// unknown service, exists when it is linked already. The result still parses, or it is an error.
Result<std::string> add_link(std::string_view yaml, const std::string& service, const Link& link);
Result<std::string> remove_link(std::string_view yaml, const std::string& service,
                                const std::string& target);
/// Adds a rule at `position` (from 1; absent: before the first rule that matches everything, or at
/// the end).
Result<std::string> add_rule(std::string_view yaml, const Rule& rule, std::optional<int> position);
/// Removes rule number `position`, from 1 as `lb rules` prints them.
Result<std::string> remove_rule(std::string_view yaml, int position);

}  // namespace paas::stack
