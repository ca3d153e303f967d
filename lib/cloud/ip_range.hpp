// An IPv4 range as numbers: parsing, containment and overlap.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace paas::cloud {

struct IpRange {
  std::uint32_t first = 0;  ///< Network address, host byte order.
  int prefix_length = 32;

  /// "10.0.0.0/8" or "10.0.0.1"; host bits are cleared. Nothing for anything else, IPv6 included.
  static std::optional<IpRange> parse(std::string_view text);

  std::uint32_t last() const;
  bool contains(std::uint32_t address) const { return address >= first && address <= last(); }
  bool overlaps(const IpRange& other) const {
    return first <= other.last() && other.first <= last();
  }
  /// The address at `offset` from the first one, as dotted text.
  std::string address(std::uint32_t offset) const;
  std::string text() const;

  friend bool operator==(const IpRange&, const IpRange&) = default;
};

/// A dotted IPv4 address in host byte order.
std::optional<std::uint32_t> parse_ipv4(std::string_view text);
std::string format_ipv4(std::uint32_t address);

}  // namespace paas::cloud
