// Colours by ANSI sequences, and columns as wide as their widest cell.
#include "report/style.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace paas::report {

namespace {

const char* code_of(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "0";
    case Tone::good:
      return "32";
    case Tone::bad:
      return "31";
    case Tone::attention:
      return "33";
    case Tone::faint:
      return "2";
    case Tone::strong:
      return "1";
  }
  return "0";
}

}  // namespace

std::string paint(std::string_view text, Tone tone, Color color) {
  if (color == Color::no || tone == Tone::plain || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code_of(tone), text);
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += fmt::format("{:<{}}", row[i], widths[i]) + "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace paas::report
