// Shows pieces of a stack file in messages: short, quoted, without control characters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace paas::stack {

/// A key as it stands in a key path: at most 60 bytes, control characters replaced.
std::string show_key(std::string_view key);
/// A value in double quotes, shortened likewise.
std::string show_value(std::string_view value);
/// `did you mean "port"?`, or the choices when none is near.
std::string suggest(std::string_view name, const std::vector<std::string>& choices,
                    std::string_view noun);

}  // namespace paas::stack
