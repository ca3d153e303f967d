// Reads the values of lb.tls: hosts of certificates, addresses of mail, URLs of ACME servers.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "stack/show.hpp"
#include "stack/values.hpp"

namespace paas::stack {

namespace {

bool has_only(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

}  // namespace

Parsed<std::string> parse_certificate_host(std::string_view text) {
  constexpr std::string_view all_below = "*.";
  if (!text.starts_with(all_below)) return parse_host(text);
  auto host = parse_host(text.substr(all_below.size()));
  if (!host) return host;
  return std::string(all_below) + *host;
}

Parsed<std::string> parse_email(std::string_view text) {
  const auto at = text.find('@');
  const bool fits = at != std::string_view::npos && at > 0 && text.size() <= 254 &&
                    has_only(text.substr(0, at), "._%+-") && text.front() != '-' &&
                    parse_host(text.substr(at + 1));
  if (fits) return std::string(text);
  return tl::unexpected(Fault{fmt::format("{} is not an address of mail", show_value(text)),
                              "write one that is read, such as ops@example.com"});
}

Parsed<std::string> parse_directory_url(std::string_view text) {
  constexpr std::string_view scheme = "https://";
  const bool fits = text.starts_with(scheme) && text.size() > scheme.size() &&
                    text.size() <= 2000 && has_only(text, ":/._~-%?=&[]") &&
                    has_only(text.substr(scheme.size(), 1), "[");
  if (fits) return std::string(text);
  return tl::unexpected(
      Fault{fmt::format("{} is not the URL of an ACME directory", show_value(text)),
            "such as https://acme-staging-v02.api.letsencrypt.org/directory"});
}

}  // namespace paas::stack
