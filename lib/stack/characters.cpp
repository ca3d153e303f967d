// Looks at the characters of a value.
#include "stack/characters.hpp"

#include <algorithm>
#include <utility>

namespace paas::stack {

bool consists_of(std::string_view text, Case letters, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    const auto in = [c](std::string_view set) { return set.find(c) != std::string_view::npos; };
    return in(lower_case) || in(digits) || (letters == Case::any && in(upper_case)) || in(others);
  });
}

bool begins_with(std::string_view text, std::string_view set) {
  return !text.empty() && set.find(text.front()) != std::string_view::npos;
}

bool has_control_characters(std::string_view text, std::string_view allowed) {
  return std::any_of(text.begin(), text.end(), [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 || byte == 0x7f) && allowed.find(c) == std::string_view::npos;
  });
}

tl::unexpected<Fault> fault(std::string message, std::string hint) {
  return tl::unexpected(Fault{std::move(message), std::move(hint)});
}

}  // namespace paas::stack
