// What texts consist of, for those who read values. Internal to this module.
#pragma once

#include <string>
#include <string_view>

#include "stack/values.hpp"

namespace paas::stack {

constexpr std::string_view lower_case = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view upper_case = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view digits = "0123456789";

/// Whether `text` has only characters of `others`, lower_case, digits and (perhaps) upper_case.
enum class Case { lower, any };
bool consists_of(std::string_view text, Case letters, std::string_view others);
bool begins_with(std::string_view text, std::string_view set);
bool has_control_characters(std::string_view text, std::string_view allowed);

tl::unexpected<Fault> fault(std::string message, std::string hint = {});

}  // namespace paas::stack
