// Finds resources, and hands out identifiers and addresses.
#include "cloud/state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cloud/ip_range.hpp"

namespace paas::cloud {
namespace {

/// SplitMix64: spreads neighbouring inputs over all 64 bits.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

/// Which offsets of a range are given out, both included.
struct Offsets {
  std::uint32_t lowest = 0;
  std::uint32_t highest = 0;
  std::size_t count() const { return highest < lowest ? 0 : highest - lowest + 1; }
};

// The lower half of the public range is for droplets, the upper one for reserved IPs. The first ten
// addresses stay free for the gateway and what the world needs.
Offsets droplet_offsets(const IpRange& range) { return {10, (range.last() - range.first) / 2}; }

Offsets reserved_offsets(const IpRange& range) {
  return {(range.last() - range.first) / 2 + 1, range.last() - range.first - 1};
}

/// Without the network's, the gateway's and the broadcast address.
Offsets private_offsets(const IpRange& range) { return {2, range.last() - range.first - 1}; }

/// The next free address from `next` on, going round. Addresses are not given out again at once, so
/// that what still knows an old machine by its address does not meet a new one.
std::optional<std::string> next_free(const IpRange& range, Offsets offsets, std::uint32_t& next,
                                     const std::set<std::string>& used) {
  for (std::size_t tried = 0; tried < offsets.count(); ++tried) {
    if (next < offsets.lowest || next > offsets.highest) next = offsets.lowest;
    auto address = range.address(next++);
    if (!used.contains(address)) return address;
  }
  return std::nullopt;
}

}  // namespace

Droplet* find_droplet(State& state, Id id) {
  const auto found = state.droplets.find(id);
  return found == state.droplets.end() || found->second.leaving ? nullptr : &found->second;
}

bool is_shown(const Droplet& droplet) { return !droplet.leaving || droplet.booted; }

Droplet* find_shown_droplet(State& state, Id id) {
  const auto found = state.droplets.find(id);
  return found == state.droplets.end() || !is_shown(found->second) ? nullptr : &found->second;
}

const Droplet* find_droplet(const State& state, Id id) {
  const auto found = state.droplets.find(id);
  return found == state.droplets.end() || found->second.leaving ? nullptr : &found->second;
}

Vpc* find_vpc(State& state, const std::string& id) {
  const auto found = state.vpcs.find(id);
  return found == state.vpcs.end() || found->second.leaving ? nullptr : &found->second;
}

Image* find_image(State& state, Id id) {
  const auto found = state.images.find(id);
  const bool shown =
      found != state.images.end() && !found->second.leaving && !found->second.pending;
  return shown ? &found->second : nullptr;
}

bool contains(const std::vector<std::string>& values, std::string_view value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

std::string new_uuid(State& state) {
  const auto high = mix(state.settings.seed ^ mix(state.next_uuid));
  const auto low = mix(high ^ state.next_uuid++);
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                     high & 0xfff, 0x8000 | ((low >> 48) & 0x3fff), low & 0xffffffffffffU);
}

std::optional<std::string> new_public_address(State& state) {
  const auto range = IpRange::parse(state.settings.public_range);
  if (!range) return std::nullopt;
  std::set<std::string> used;
  for (const auto& [id, droplet] : state.droplets) used.insert(droplet.public_address);
  return next_free(*range, droplet_offsets(*range), state.next_public_offset, used);
}

std::optional<std::string> new_reserved_address(State& state) {
  const auto range = IpRange::parse(state.settings.public_range);
  if (!range) return std::nullopt;
  std::set<std::string> used;
  for (const auto& [address, reserved] : state.reserved_ips) used.insert(address);
  // One that is being taken from a machine is not free before that is done.
  for (const auto& [id, outstanding] : state.outstanding) {
    if (const auto* effect = std::get_if<UnassignAddress>(&outstanding.effect.kind)) {
      used.insert(effect->address);
    }
  }
  return next_free(*range, reserved_offsets(*range), state.next_reserved_offset, used);
}

std::optional<std::string> new_private_address(State& state, Vpc& vpc) {
  const auto range = IpRange::parse(vpc.ip_range);
  if (!range) return std::nullopt;
  std::set<std::string> used;
  for (const auto& [id, droplet] : state.droplets) {
    if (droplet.vpc_id == vpc.id) used.insert(droplet.private_address);
  }
  return next_free(*range, private_offsets(*range), vpc.next_offset, used);
}

std::size_t free_public_addresses(const State& state) {
  const auto range = IpRange::parse(state.settings.public_range);
  if (!range) return 0;
  const auto count = droplet_offsets(*range).count();
  return count - std::min(count, state.droplets.size());
}

std::size_t free_private_addresses(const State& state, const Vpc& vpc) {
  const auto range = IpRange::parse(vpc.ip_range);
  if (!range) return 0;
  const auto used = static_cast<std::size_t>(
      std::count_if(state.droplets.begin(), state.droplets.end(),
                    [&](const auto& entry) { return entry.second.vpc_id == vpc.id; }));
  const auto count = private_offsets(*range).count();
  return count - std::min(count, used);
}

}  // namespace paas::cloud
