// Where things stand in a stack file's text: lines, blocks, and the parts of flow lists and maps.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paas::stack::layout {

/// Bytes from `begin` up to `end`, exclusive.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// "\r\n" or "\n", as the first line ends.
std::string line_end(std::string_view text);

/// The beginning of the line that `offset` is in.
std::size_t line_start(std::string_view text, std::size_t offset);
/// The end of that line, before its line end.
std::size_t line_stop(std::string_view text, std::size_t offset);
/// The beginning of the next line; the text's size when there is none.
std::size_t next_line(std::string_view text, std::size_t offset);
/// Bytes between the beginning of the line and `offset`.
std::size_t column(std::string_view text, std::size_t offset);

/// The whole lines of a block whose first line `offset` is in and whose other lines are indented by
/// more than `indent` spaces. Blank lines at its end are not part of it.
Span block_lines(std::string_view text, std::size_t offset, std::size_t indent);

/// A list in brackets or a map in braces.
struct Flow {
  std::size_t open = 0;     ///< Of the bracket.
  std::size_t close = 0;    ///< Of its partner.
  std::vector<Span> parts;  ///< Without commas, comments and the blanks around.
  bool trailing_comma = false;
};

/// Nothing when `open` is at no bracket, or it is never closed.
std::optional<Flow> scan_flow(std::string_view text, std::size_t open);

}  // namespace paas::stack::layout
