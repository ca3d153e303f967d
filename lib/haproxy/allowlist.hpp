// Which characters a value may have. Internal to this module.
#pragma once

#include <cstddef>
#include <string_view>

namespace paas::haproxy {

constexpr std::size_t name_limit = 255;
constexpr std::size_t path_limit = 1024;

bool is_alphanumeric(char c);
/// Whether `text` has letters, digits and characters of `others`, and nothing else.
bool only(std::string_view text, std::string_view others);

}  // namespace paas::haproxy
