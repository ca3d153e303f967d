// Parses and compares IPv4 ranges.
#include "cloud/ip_range.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/text.hpp"

namespace paas::cloud {
namespace {

std::uint32_t mask_of(int prefix_length) {
  return prefix_length == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix_length);
}

}  // namespace

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  in_addr address{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

std::string format_ipv4(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, (address >> 16) & 255, (address >> 8) & 255,
                     address & 255);
}

std::optional<IpRange> IpRange::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_ipv4(text.substr(0, slash));
  if (!address) return std::nullopt;
  IpRange range;
  if (slash != std::string_view::npos) {
    const auto length = text::to_integer(text.substr(slash + 1));
    if (!length || *length < 0 || *length > 32) return std::nullopt;
    range.prefix_length = static_cast<int>(*length);
  }
  range.first = *address & mask_of(range.prefix_length);
  return range;
}

std::uint32_t IpRange::last() const { return first | ~mask_of(prefix_length); }

std::string IpRange::address(std::uint32_t offset) const { return format_ipv4(first + offset); }

std::string IpRange::text() const {
  return fmt::format("{}/{}", format_ipv4(first), prefix_length);
}

}  // namespace paas::cloud
