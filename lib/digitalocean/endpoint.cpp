// Judges an API url before a token is sent to it.
#include "digitalocean/endpoint.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/text.hpp"

namespace paas::digitalocean {
namespace {

struct Range {
  std::uint32_t base;
  int bits;
};

/// RFC 1122 loopback, RFC 1918 private use, and RFC 2544's range that the local cloud's public
/// network uses.
constexpr std::array<Range, 5> own_ranges = {{
    {0x7f000000, 8},   // 127.0.0.0/8
    {0x0a000000, 8},   // 10.0.0.0/8
    {0xac100000, 12},  // 172.16.0.0/12
    {0xc0a80000, 16},  // 192.168.0.0/16
    {0xc6120000, 15},  // 198.18.0.0/15
}};

bool is_own_network(const std::string& host) {
  if (host == "localhost" || host == "[::1]") return true;
  in_addr parsed{};
  // A name such as 10.0.0.1.example.com is no address and fails here.
  if (inet_pton(AF_INET, host.c_str(), &parsed) != 1) return false;
  const std::uint32_t address = ntohl(parsed.s_addr);
  return std::any_of(own_ranges.begin(), own_ranges.end(), [&](const Range& range) {
    return (address ^ range.base) >> (32 - range.bits) == 0;
  });
}

std::string host_of(std::string_view authority) {
  if (!authority.empty() && authority.front() == '[') {
    return std::string(authority.substr(0, authority.find(']') + 1));
  }
  return text::lower(authority.substr(0, authority.find(':')));
}

}  // namespace

Result<std::string> check_endpoint(std::string_view url) {
  constexpr std::string_view hint =
      "the API's url looks like https://api.digitalocean.com, or http://127.0.0.1:PORT for the "
      "local cloud";
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorKind::invalid, fmt::format("the API's url {}", why), std::string(hint));
  };
  while (!url.empty() && url.back() == '/') url.remove_suffix(1);
  const bool has_odd_bytes =
      std::any_of(url.begin(), url.end(), [](char c) { return c <= ' ' || c == '\\' || c > '~'; });
  if (has_odd_bytes) return refuse("has characters that no url has");

  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return refuse("has no scheme");
  const auto scheme = text::lower(url.substr(0, scheme_end));
  auto authority = url.substr(scheme_end + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (authority.empty()) return refuse("names no host");
  if (authority.find('@') != std::string_view::npos) return refuse("must not have a user in it");
  if (url.find_first_of("?#") != std::string_view::npos) return refuse("must not have a query");
  if (scheme == "https") return std::string(url);
  if (scheme != "http") return refuse("must begin with https://");
  const auto host = host_of(authority);
  if (is_own_network(host)) return std::string(url);
  return refuse(fmt::format("would send the token unencrypted to {}", host));
}

}  // namespace paas::digitalocean
