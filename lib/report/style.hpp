// Colours of a terminal, and columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/plan_text.hpp"

namespace paas::report {

enum class Tone { plain, good, bad, attention, faint, strong };

/// The text in a colour, or as it is.
std::string paint(std::string_view text, Tone tone, Color color);

/// Columns separated by two spaces, the first row as heading; no blanks at line ends.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace paas::report
