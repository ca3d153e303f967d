// Builds the frame and sends it with a packet socket: neither the host nor a machine needs arping
// for it.
#include "cloud/neighbour_announcement.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <net/ethernet.h>
#include <cerrno>
#include <cstring>

#include "cloud/ip_range.hpp"

namespace paas::cloud {
namespace {

constexpr std::size_t mac_length = 6;

Result<std::string> parse_mac(const std::string& text) {
  std::string mac;
  unsigned int bytes[mac_length];
  char end = 0;
  if (std::sscanf(text.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x%c", &bytes[0], &bytes[1], &bytes[2],
                  &bytes[3], &bytes[4], &bytes[5], &end) != static_cast<int>(mac_length)) {
    return fail(ErrorKind::invalid, fmt::format("'{}' is no hardware address", text));
  }
  for (const unsigned int byte : bytes) mac += static_cast<char>(byte);
  return mac;
}

}  // namespace

Result<std::string> gratuitous_arp(const std::string& address, const std::string& mac) {
  PAAS_TRY(const std::string hardware, parse_mac(mac));
  const auto number = parse_ipv4(address);
  if (!number) return fail(ErrorKind::invalid, fmt::format("'{}' is no IPv4 address", address));
  std::string protocol;
  for (int shift = 24; shift >= 0; shift -= 8) protocol += static_cast<char>(*number >> shift);
  using namespace std::string_literals;
  const std::string everybody(mac_length, '\xff');
  // Ethernet, then ARP: Ethernet over IPv4, lengths 6 and 4, a request; sender and target are the
  // same address.
  return everybody + hardware + "\x08\x06"s + "\x00\x01\x08\x00\x06\x04\x00\x01"s + hardware +
         protocol + std::string(mac_length, '\0') + protocol;
}

Status announce_neighbour(const std::string& bridge, const std::string& address,
                          const std::string& mac) {
  PAAS_TRY(const std::string frame, gratuitous_arp(address, mac));
  const auto refused = [&] {
    return fail(ErrorKind::failed,
                fmt::format("announcing {} on {}: {}", address, bridge, std::strerror(errno)));
  };
  sockaddr_ll target{};
  target.sll_family = AF_PACKET;
  target.sll_protocol = htons(ETHERTYPE_ARP);
  target.sll_ifindex = static_cast<int>(if_nametoindex(bridge.c_str()));
  if (target.sll_ifindex == 0) return refused();
  const int socket = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (socket < 0) return refused();
  const auto sent = ::sendto(socket, frame.data(), frame.size(), 0,
                             reinterpret_cast<const sockaddr*>(&target), sizeof(target));
  const int error = errno;
  ::close(socket);
  errno = error;
  if (sent != static_cast<ssize_t>(frame.size())) return refused();
  return {};
}

}  // namespace paas::cloud
