// Reads the values of what the load balancer does with all requests.
#include <fmt/format.h>

#include <array>

#include "base/text.hpp"
#include "stack/characters.hpp"
#include "stack/show.hpp"
#include "stack/yaml_tree.hpp"

namespace paas::stack {

Parsed<Rate> parse_rate(std::string_view text) {
  const auto slash = text.find('/');
  const auto number = parse_integer(text.substr(0, slash), 1, 1000000);
  const auto period = parse_duration(slash == std::string_view::npos ? "" : text.substr(slash + 1));
  const bool fits = slash != std::string_view::npos && number && period &&
                    period->count() % 1000 == 0 && period->count() >= 1000 &&
                    period->count() <= 3600000;
  if (fits) return Rate{static_cast<int>(*number), static_cast<int>(period->count() / 1000)};
  return fault(fmt::format("{} is not a number of requests in a time", show_value(text)),
               "such as 100/10s, in whole seconds up to 1h");
}

Parsed<std::string> parse_page(std::string_view text) {
  if (text.empty()) return fault("must not be empty");
  if (text.size() > page_bytes_max) {
    return fault(
        fmt::format("is {} bytes long", text.size()),
        fmt::format("a page has at most {}: leave pictures to another host", page_bytes_max));
  }
  if (const auto problem = yaml::check_characters(text)) {
    return fault(
        fmt::format("line {}, column {}: {}", problem->line, problem->column, problem->message),
        problem->hint);
  }
  return std::string(text);
}

Parsed<std::int64_t> parse_byte_size(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t bytes;
  };
  constexpr std::array units = {Unit{"KiB", 1 << 10}, Unit{"MiB", 1 << 20}, Unit{"GiB", 1 << 30}};
  const auto number = text.substr(0, text.find_first_not_of(digits));
  const auto value = text::to_integer(number);
  for (const auto& unit : units) {
    constexpr std::int64_t limit = std::int64_t{1} << 40;
    if (text.substr(number.size()) != unit.name || !value) continue;
    if (*value >= 1 && *value <= limit / unit.bytes) return *value * unit.bytes;
  }
  return fault(fmt::format("{} is not a size", show_value(text)),
               "write a whole number of KiB, MiB or GiB, such as 10MiB");
}

Parsed<std::string> parse_cookie_name(std::string_view text) {
  const bool fits = !text.empty() && text.size() <= 64 && !begins_with(text, "-._") &&
                    consists_of(text, Case::any, "-._");
  if (fits) return std::string(text);
  return fault(fmt::format("{} cannot be the name of a cookie", show_value(text)),
               "use up to 64 letters, digits, -, _ and ., beginning with a letter or digit");
}

Parsed<std::string> parse_media_type(std::string_view text) {
  const auto slash = text.find('/');
  const bool fits = slash != std::string_view::npos && slash > 0 && slash + 1 < text.size() &&
                    text.size() <= 100 && begins_with(text, lower_case) &&
                    consists_of(text.substr(0, slash), Case::lower, "-.+") &&
                    consists_of(text.substr(slash + 1), Case::lower, "-.+");
  if (fits) return std::string(text);
  return fault(fmt::format("{} is not a type of contents", show_value(text)),
               "such as text/html or application/json");
}

}  // namespace paas::stack
