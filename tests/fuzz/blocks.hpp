// Inputs of several parts: text between lines of "%%".
#pragma once

#include <string_view>
#include <vector>

namespace paas::fuzz {

inline std::vector<std::string_view> blocks_of(std::string_view input) {
  constexpr std::string_view mark = "%%\n";
  std::vector<std::string_view> blocks;
  while (true) {
    const auto end = input.find(mark);
    blocks.push_back(input.substr(0, end));
    if (end == std::string_view::npos) return blocks;
    input.remove_prefix(end + mark.size());
  }
}

}  // namespace paas::fuzz
