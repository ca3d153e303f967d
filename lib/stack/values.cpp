// Reads names, paths, numbers and durations; addresses are in addresses.cpp.
#include "stack/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/text.hpp"
#include "stack/characters.hpp"
#include "stack/show.hpp"

namespace paas::stack {

namespace {

/// The name that was probably meant: lower case, other characters as dashes.
std::string as_name(std::string_view text) {
  std::string result;
  for (const char c : text::lower(text)) {
    const bool fits = consists_of({&c, 1}, Case::lower, "");
    if (fits) {
      result += c;
    } else if (!result.empty() && result.back() != '-') {
      result += '-';
    }
  }
  result = result.substr(0, 30);
  while (!result.empty() && result.back() == '-') result.pop_back();
  return begins_with(result, lower_case) ? result : "";
}

Parsed<std::string> parse_path_of(std::string_view text, std::string_view allowed) {
  if (!begins_with(text, "/")) {
    return fault(fmt::format("{} does not begin with \"/\"", show_value(text)),
                 fmt::format("write {}", show_value(fmt::format("/{}", text))));
  }
  if (!consists_of(text, Case::any, allowed)) {
    return fault(fmt::format("{} has a character that is not allowed here", show_value(text)),
                 fmt::format("letters, digits and {} are allowed; write others as %XX", allowed));
  }
  if (text.size() > 512) return fault("is longer than 512 characters");
  return std::string(text);
}

bool has_parent_part(std::string_view path) {
  const auto parts = text::split(path, '/');
  return std::find(parts.begin(), parts.end(), "..") != parts.end();
}

}  // namespace

Parsed<std::string> parse_name(std::string_view text) {
  const bool fits = begins_with(text, lower_case) && text.size() <= 30 && text.back() != '-' &&
                    consists_of(text, Case::lower, "-");
  if (fits) return std::string(text);
  const auto meant = as_name(text);
  return fault(
      fmt::format("{} cannot be a name", show_value(text)),
      "a name has up to 30 lower-case letters, digits and dashes and begins with a letter" +
          (meant.empty() || meant == text ? "" : fmt::format(", such as \"{}\"", meant)));
}

Parsed<std::string> parse_variable_name(std::string_view text) {
  const bool fits = !text.empty() && text.size() <= 255 && !begins_with(text, digits) &&
                    consists_of(text, Case::any, "_");
  if (fits) return std::string(text);
  return fault(fmt::format("{} cannot be the name of a variable", show_value(text)),
               "letters, digits and _ are allowed, and it begins with no digit");
}

Parsed<std::string> parse_variable_value(std::string_view text) {
  if (has_control_characters(text, "\t\n")) {
    return fault("has a control character in it", "only tabs and line feeds are allowed");
  }
  return std::string(text);
}

Parsed<std::string> parse_identifier(std::string_view text) {
  const bool fits = !text.empty() && text.size() <= 63 && !begins_with(text, "0123456789-") &&
                    consists_of(text, Case::any, "_-");
  if (fits) return std::string(text);
  return fault(fmt::format("{} is not allowed here", show_value(text)),
               "use up to 63 letters, digits, _ and -, beginning with a letter or _");
}

Parsed<std::string> parse_slug(std::string_view text) {
  const bool fits = !text.empty() && text.size() <= 64 && !begins_with(text, "-._") &&
                    consists_of(text, Case::lower, "-._");
  if (fits) return std::string(text);
  return fault(fmt::format("{} is not a name that DigitalOcean uses", show_value(text)),
               "such names have lower-case letters, digits, - and ., as in s-1vcpu-1gb or nyc3");
}

Parsed<std::string> parse_scheme(std::string_view text) {
  const bool fits =
      begins_with(text, lower_case) && text.size() <= 32 && consists_of(text, Case::lower, "+-.");
  if (fits) return std::string(text);
  return fault(fmt::format("{} is not the scheme of a URL", show_value(text)),
               "write what stands before ://, such as http, postgresql or redis");
}

Parsed<std::string> parse_metric(std::string_view text) {
  const auto words = text::split(text, '.');
  const bool fits = text.size() <= 64 && std::all_of(words.begin(), words.end(), [](auto& word) {
                      return begins_with(word, lower_case) && consists_of(word, Case::lower, "_");
                    });
  if (fits) return std::string(text);
  return fault(fmt::format("{} is not the name of a measure", show_value(text)),
               "such as requests_per_second.per_instance");
}

Parsed<std::string> parse_http_path(std::string_view text) {
  if (text.find('?') != std::string_view::npos) {
    return fault("a rule looks at the path, not at the query", "leave out the \"?\" and the rest");
  }
  return parse_path_of(text, "/-._~%+:@,=");
}

Parsed<std::string> parse_health_path(std::string_view text) {
  return parse_path_of(text, "/-._~%+:@,=?&");
}

Parsed<std::chrono::milliseconds> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t milliseconds;
  };
  constexpr std::array units = {Unit{"d", 86400000}, Unit{"h", 3600000}, Unit{"m", 60000},
                                Unit{"s", 1000}, Unit{"ms", 1}};
  const auto refused = [&] {
    const bool number = !text.empty() && consists_of(text, Case::lower, ".") &&
                        text.find_first_not_of("0123456789.") == std::string_view::npos;
    return fault(fmt::format("{} is not a duration", show_value(text)),
                 number ? fmt::format("it lacks the unit: write {}s", text)
                        : "write a number with its unit, such as 500ms, 2s or 1m30s");
  };
  std::int64_t total = 0;
  auto rest = text;
  auto unit = units.begin();
  while (!rest.empty()) {
    const auto number = rest.substr(0, rest.find_first_not_of(digits));
    rest.remove_prefix(number.size());
    const auto name = rest.substr(0, rest.find_first_of(digits));
    rest.remove_prefix(name.size());
    const auto value = text::to_integer(number);
    // Each unit stands once, the larger ones first.
    unit = std::find_if(unit, units.end(), [&](const Unit& u) { return u.name == name; });
    if (!value || *value > 1000000000 || unit == units.end()) return refused();
    total += *value * unit->milliseconds;
    ++unit;
  }
  if (text.empty()) return refused();
  return std::chrono::milliseconds(total);
}

Parsed<int> parse_volume_size(std::string_view text) {
  const auto number = text.substr(0, text.find_first_not_of(digits));
  const auto unit = text::trim(text.substr(number.size()));
  const auto value = text::to_integer(number);
  if (!value || (unit != "GiB" && unit != "TiB")) {
    return fault(fmt::format("{} is not the size of a volume", show_value(text)),
                 fmt::format("write a whole number of GiB, such as {}GiB", value.value_or(10)));
  }
  const auto factor = unit == "TiB" ? 1024 : 1;
  if (*value < 1 || *value > 16384 / factor) {
    return fault(fmt::format("{} is out of range", show_value(text)),
                 "a volume has 1GiB to 16384GiB");
  }
  return static_cast<int>(*value * factor);
}

Parsed<std::int64_t> parse_integer(std::string_view text, std::int64_t min, std::int64_t max) {
  const auto value = text::to_integer(text);
  // YAML 1.1 reads 010 as eight, people read ten: neither is guessed.
  const bool ambiguous = text.size() > 1 && (text[0] == '0' || text.substr(0, 2) == "-0");
  if (!value || ambiguous) {
    return fault(fmt::format("must be a whole number, not {}", show_value(text)));
  }
  if (*value < min || *value > max) {
    return fault(fmt::format("must be from {} to {}, not {}", min, max, *value));
  }
  return *value;
}

Parsed<double> parse_positive_number(std::string_view text) {
  double value = 0;
  const auto* const end = text.data() + text.size();
  const auto [stopped, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc{} || stopped != end || !std::isfinite(value) || value <= 0) {
    return fault(fmt::format("must be a number above 0, not {}", show_value(text)));
  }
  return value;
}

Parsed<std::string> parse_port_range(std::string_view text) {
  if (text == "all") return std::string(text);
  const auto dash = text.find('-');
  const auto first = parse_integer(text.substr(0, dash), 1, 65535);
  auto last = first;
  if (dash != std::string_view::npos) last = parse_integer(text.substr(dash + 1), 1, 65535);
  if (!first || !last || *last < *first) {
    return fault(fmt::format("{} names no ports", show_value(text)),
                 "write a port, a range such as 8000-9000, or all; ports are 1 to 65535");
  }
  return std::string(text);
}

Parsed<std::string> parse_mount(std::string_view text) {
  const bool fits = begins_with(text, "/") && text.size() <= 255 &&
                    text.find_first_not_of('/') != std::string_view::npos &&
                    consists_of(text, Case::any, "/-._") && !has_parent_part(text);
  if (fits) return std::string(text);
  return fault(fmt::format("{} cannot be mounted at", show_value(text)),
               "write an absolute path in the container, such as /var/lib/data");
}

Parsed<std::string> parse_inner_path(std::string_view text) {
  if (text.empty() || has_control_characters(text, "")) return fault("must be a path");
  if (begins_with(text, "/") || has_parent_part(text)) {
    return fault(fmt::format("{} leaves the build context", show_value(text)),
                 "write a path relative to the build context, without ..");
  }
  return std::string(text);
}

Parsed<std::string> parse_image_reference(std::string_view text) {
  const bool fits = !text.empty() && text.size() <= 255 &&
                    begins_with(text, "abcdefghijklmnopqrstuvwxyz0123456789") &&
                    consists_of(text, Case::any, "-._/:@");
  if (fits) return std::string(text);
  return fault(fmt::format("{} is not a reference to an image", show_value(text)),
               "such as postgres:16 or ghcr.io/acme/web:1.4");
}

Parsed<std::string> parse_platform(std::string_view text) {
  const auto parts = text::split(text, '/');
  const bool fits = (parts.size() == 2 || parts.size() == 3) && text.size() <= 63 &&
                    parts.front() == "linux" &&
                    std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
                      return !part.empty() && consists_of(part, Case::lower, "_");
                    });
  if (fits) return std::string(text);
  return fault(fmt::format("{} is not a platform", show_value(text)),
               "write it as Docker does, such as linux/amd64 or linux/arm64");
}

Parsed<std::string> parse_secret_id(std::string_view text) {
  const bool fits = !text.empty() && text.size() <= 63 && !begins_with(text, "-.") &&
                    consists_of(text, Case::any, "-_.");
  if (fits) return std::string(text);
  return fault(fmt::format("{} cannot be the id of a secret", show_value(text)),
               "use up to 63 letters, digits, dots, dashes and _");
}

Parsed<std::string> parse_plain_text(std::string_view text) {
  if (text.empty()) return fault("must not be empty");
  if (has_control_characters(text, "")) return fault("has a control character in it");
  return std::string(text);
}

}  // namespace paas::stack
