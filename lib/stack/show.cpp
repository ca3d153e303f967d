// Shows pieces of a stack file in messages.
#include "stack/show.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace paas::stack {

std::string show_key(std::string_view key) {
  constexpr std::size_t limit = 60;
  auto length = std::min(key.size(), limit);
  // A character of several bytes is not cut in the middle.
  while (length < key.size() && length > 0 && (key[length] & 0xc0) == 0x80) --length;
  std::string result = key.empty() ? "\"\"" : "";
  for (const char c : key.substr(0, length)) {
    const auto byte = static_cast<unsigned char>(c);
    result += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return length < key.size() ? result + "..." : result;
}

std::string show_value(std::string_view value) {
  return value.empty() ? "\"\"" : fmt::format("\"{}\"", show_key(value));
}

std::string suggest(std::string_view name, const std::vector<std::string>& choices,
                    std::string_view noun) {
  if (const auto near = text::nearest(name, choices)) {
    return fmt::format("did you mean {}?", show_value(*near));
  }
  if (choices.empty()) return fmt::format("there are no {}", noun);
  constexpr std::size_t limit = 20;
  // The choices may be names out of the file, which may be wrong themselves.
  std::vector<std::string> first;
  for (std::size_t i = 0; i < std::min(choices.size(), limit); ++i) {
    first.push_back(show_key(choices[i]));
  }
  if (choices.size() <= limit) return fmt::format("{}: {}", noun, text::join(first, ", "));
  return fmt::format("{}: {} and {} more", noun, text::join(first, ", "), choices.size() - limit);
}

}  // namespace paas::stack
