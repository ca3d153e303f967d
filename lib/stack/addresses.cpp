// Reads addresses: IPv4 and IPv6 ranges as POSIX parses them, and host names.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "stack/characters.hpp"
#include "stack/show.hpp"

namespace paas::stack {

namespace {

/// An address in network order; IPv4 uses the first four bytes.
struct Address {
  int family = AF_INET;
  std::array<unsigned char, 16> bytes{};

  int bits() const { return family == AF_INET ? 32 : 128; }
};

bool parse_address(const std::string& text, Address& address) {
  for (const int family : {AF_INET, AF_INET6}) {
    address.family = family;
    if (inet_pton(family, text.c_str(), address.bytes.data()) == 1) return true;
  }
  return false;
}

std::string to_text(const Address& address, std::int64_t prefix) {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  inet_ntop(address.family, address.bytes.data(), buffer.data(), buffer.size());
  return fmt::format("{}/{}", buffer.data(), prefix);
}

Address network_of(Address address, std::int64_t prefix) {
  for (std::size_t i = 0; i < address.bytes.size(); ++i) {
    const auto kept = std::clamp<std::int64_t>(prefix - static_cast<std::int64_t>(i) * 8, 0, 8);
    address.bytes[i] = static_cast<unsigned char>(address.bytes[i] & (0xff00U >> kept));
  }
  return address;
}

bool is_label(std::string_view label) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789-_";
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         label.find_first_not_of(allowed) == std::string_view::npos;
}

}  // namespace

Parsed<std::string> parse_cidr(std::string_view text) {
  const auto slash = text.find('/');
  Address address;
  // inet_pton stops at a NUL, so what follows one would be passed over.
  const bool has_nul = text.find('\0') != std::string_view::npos;
  if (has_nul || !parse_address(std::string(text.substr(0, slash)), address)) {
    return fault(fmt::format("{} is not an address", show_value(text)),
                 "write one such as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32");
  }
  std::int64_t prefix = address.bits();
  if (slash != std::string_view::npos) {
    const auto parsed = parse_integer(text.substr(slash + 1), 0, address.bits());
    if (!parsed) {
      return fault(fmt::format("{} has a prefix length that cannot be", show_value(text)),
                   fmt::format("after the / stands a number from 0 to {}", address.bits()));
    }
    prefix = *parsed;
  }
  const auto network = network_of(address, prefix);
  if (network.bytes != address.bytes) {
    return fault(fmt::format("{} is an address inside a network", show_value(text)),
                 fmt::format("write the network {} or the address {}", to_text(network, prefix),
                             to_text(address, address.bits())));
  }
  return to_text(address, prefix);
}

Parsed<std::string> parse_host(std::string_view text) {
  auto host = text::lower(text);
  const auto labels = text::split(host, '.');
  if (host.size() <= 253 && std::all_of(labels.begin(), labels.end(), is_label)) return host;
  std::string hint = "write a host name such as api.example.com";
  if (host.find("://") != std::string::npos) {
    hint = "write the host name alone, without the scheme";
  } else if (host.find(':') != std::string::npos) {
    hint = "write the host name alone, without the port";
  } else if (host.find('*') != std::string::npos) {
    hint =
        "write *.example.com for all names below example.com, or leave out \"host\" to match all";
  }
  return fault(fmt::format("{} is not a host name", show_value(text)), hint);
}

Parsed<std::string> parse_registry_host(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto host = text.substr(0, colon);
  const bool port_fits = colon == std::string_view::npos ||
                         parse_integer(text.substr(colon + 1), 1, 65535).has_value();
  const bool is_host = host == "localhost" || host.find('.') != std::string_view::npos ||
                       colon != std::string_view::npos;
  if (port_fits && is_host && parse_host(host)) return text::lower(text);
  return fault(fmt::format("{} is not the host of a registry", show_value(text)),
               "write it as in references to its images, such as ghcr.io or 10.0.0.5:5000; Docker "
               "Hub is docker.io");
}

Parsed<std::string> parse_rule_host(std::string_view text) {
  constexpr std::string_view wildcard = "*.";
  if (text.substr(0, wildcard.size()) != wildcard) return parse_host(text);
  const auto rest = parse_host(text.substr(wildcard.size()));
  if (rest && rest->size() + wildcard.size() <= 253) return std::string(wildcard) + *rest;
  return fault(fmt::format("{} is not a host name", show_value(text)),
               "write *.example.com for all names below example.com");
}

}  // namespace paas::stack
