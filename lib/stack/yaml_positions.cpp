// Turns offsets into lines and columns, and finds the ends of quoted texts.
#include <algorithm>

#include "stack/yaml_tree.hpp"

namespace paas::stack::yaml {

namespace {

constexpr std::size_t block_bytes = 512;
bool continues(char byte) { return (byte & 0xc0) == 0x80; }

}  // namespace

Lines::Lines(std::string_view text) : text_(text), starts_{0} {
  std::size_t continuations = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % block_bytes == 0) continuations_.push_back(continuations);
    if (continues(text[i])) ++continuations;
    if (text[i] == '\n') starts_.push_back(i + 1);
  }
  continuations_.push_back(continuations);
}

Position Lines::at(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  const auto next = std::upper_bound(starts_.begin(), starts_.end(), offset);
  const auto start = *std::prev(next);
  const auto continuations_before = [&](std::size_t end) {
    const auto block = end / block_bytes;
    if (block * block_bytes >= text_.size()) return continuations_.back();
    const auto rest = text_.substr(block * block_bytes, end - block * block_bytes);
    return continuations_[block] +
           static_cast<std::size_t>(std::count_if(rest.begin(), rest.end(), continues));
  };
  auto column = offset - start - (continuations_before(offset) - continuations_before(start)) + 1;
  // A byte order mark is no character that anybody sees.
  if (start == 0 && offset >= 3 && text_.substr(0, 3) == byte_order_mark) --column;
  return {static_cast<int>(next - starts_.begin()), static_cast<int>(column)};
}

std::size_t quoted_end(std::string_view text, std::size_t offset) {
  const char quote = text[offset];
  for (auto i = offset + 1; i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 >= text.size() || text[i + 1] != quote) return i + 1;
      ++i;
    }
  }
  return std::string_view::npos;
}

}  // namespace paas::stack::yaml
