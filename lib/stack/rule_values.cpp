// Reads the values of the load balancer's rules.
#include <fmt/format.h>

#include "base/text.hpp"
#include "stack/characters.hpp"
#include "stack/show.hpp"

namespace paas::stack {

namespace {

/// "www.example.com", "www.example.com:8443"
bool is_authority(std::string_view text) {
  const auto colon = text.find(':');
  if (!parse_host(text.substr(0, colon))) return false;
  return colon == std::string_view::npos || parse_integer(text.substr(colon + 1), 1, 65535);
}

}  // namespace

Parsed<std::string> parse_method(std::string_view text) {
  const bool fits = begins_with(text, upper_case) && text.size() <= 20 &&
                    text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == std::string_view::npos;
  if (fits) return std::string(text);
  return fault(fmt::format("{} is not a method", show_value(text)),
               "methods are written in capitals, such as GET, HEAD or POST");
}

Parsed<std::string> parse_header_name(std::string_view text) {
  const bool fits = begins_with(text::lower(text), lower_case) && text.size() <= 64 &&
                    consists_of(text, Case::any, "-_");
  if (fits) return text::lower(text);
  return fault(fmt::format("{} cannot be the name of a header", show_value(text)),
               "use up to 64 letters, digits, - and _, beginning with a letter");
}

Parsed<std::string> parse_header_value(std::string_view text) {
  constexpr std::string_view allowed = "-._~:/+=,;@!*&|";
  const bool fits = !text.empty() && text.size() <= 256 && consists_of(text, Case::any, allowed);
  if (fits) return std::string(text);
  return fault(
      fmt::format("{} cannot be compared with a header", show_value(text)),
      fmt::format("use up to 256 letters, digits and {}, or \"*\" for any value", allowed));
}

Parsed<std::string> parse_redirect_target(std::string_view text) {
  auto rest = text;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (text.substr(0, scheme.size()) != scheme) continue;
    rest.remove_prefix(scheme.size());
    const auto authority = rest.substr(0, rest.find('/'));
    rest.remove_prefix(authority.size());
    if (!is_authority(authority)) {
      return fault(fmt::format("{} names no host", show_value(text)),
                   "write https://www.example.com, or with a path behind it");
    }
    if (rest.empty()) return std::string(text);
  }
  // A path of two slashes would be another host to a browser.
  if (rest.substr(0, 1) != "/" || rest.substr(0, 2) == "//") {
    return fault(fmt::format("{} is no place to redirect to", show_value(text)),
                 "write a URL such as https://www.example.com, or a path such as /new/");
  }
  if (const auto path = parse_health_path(rest); !path) return tl::unexpected(path.error());
  return std::string(text);
}

}  // namespace paas::stack
