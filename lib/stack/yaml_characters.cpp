// Finds bytes that are no text before yaml-cpp sees them.
#include "stack/yaml_tree.hpp"

namespace paas::stack::yaml {

namespace {

/// The length of the UTF-8 character at `offset`, 0 when it is not one.
std::size_t character_length(std::string_view text, std::size_t offset) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto first = byte(offset);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(offset + i) & 0xc0) != 0x80) return 0;
  }
  const auto second = byte(offset + 1);
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
      (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) {
    return 0;
  }
  return length;
}

}  // namespace

std::optional<Problem> check_characters(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto length = character_length(text, i);
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool control = byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';
    if (length == 0 || control) {
      const auto position = Lines(text).at(i);
      return Problem{position.line, position.column, "",
                     control ? "a control character stands here" : "not UTF-8 text",
                     control ? "remove it" : "save the file as UTF-8"};
    }
    i += length;
  }
  return std::nullopt;
}

}  // namespace paas::stack::yaml
