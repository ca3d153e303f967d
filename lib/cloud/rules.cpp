// Resolves firewalls to the addresses that a droplet lets in and may reach, and sees that machines
// get them.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "cloud/turn.hpp"

namespace paas::cloud {
namespace {

std::string as_block(const std::string& address) {
  if (address.find('/') != std::string::npos) return address;
  return address + (address.find(':') == std::string::npos ? "/32" : "/128");
}

/// Addresses that the peers stand for now: a tag is all its droplets', public and private.
std::vector<std::string> resolve(const State& state, const Peers& peers) {
  std::vector<std::string> blocks;
  for (const auto& address : peers.addresses) blocks.push_back(as_block(address));
  for (const auto& [id, droplet] : state.droplets) {
    if (droplet.leaving) continue;
    const auto& tags = droplet.tags;
    const bool tagged = std::any_of(peers.tags.begin(), peers.tags.end(),
                                    [&](const auto& tag) { return contains(tags, tag); });
    const bool named = std::find(peers.droplet_ids.begin(), peers.droplet_ids.end(), id) !=
                       peers.droplet_ids.end();
    if (!tagged && !named) continue;
    blocks.push_back(as_block(droplet.public_address));
    blocks.push_back(as_block(droplet.private_address));
  }
  std::sort(blocks.begin(), blocks.end());
  blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
  return blocks;
}

/// Ports were checked when the firewall was made: "0", "80" or "8000-9000".
TrafficRule traffic_rule(const FirewallRule& rule, std::vector<std::string> addresses) {
  TrafficRule resolved{rule.protocol, 0, 0, std::move(addresses)};
  if (rule.protocol == "icmp" || rule.ports == "0") return resolved;
  const auto bounds = text::split(rule.ports, '-');
  resolved.first_port = static_cast<int>(text::to_integer(bounds.front()).value_or(0));
  resolved.last_port = static_cast<int>(text::to_integer(bounds.back()).value_or(0));
  return resolved;
}

/// A rule whose peers are nobody now lets nobody through, so it is left out.
void add_rules(const State& state, const std::vector<FirewallRule>& rules,
               std::vector<TrafficRule>& resolved) {
  for (const auto& rule : rules) {
    auto addresses = resolve(state, rule.peers);
    if (!addresses.empty()) resolved.push_back(traffic_rule(rule, std::move(addresses)));
  }
}

/// By its tags to come as well, which nobody is shown yet: a machine is filtered from its first
/// process on, whenever DigitalOcean would begin.
bool applies(const Firewall& firewall, const Droplet& droplet) {
  return is_shown_at(firewall, droplet) ||
         std::any_of(firewall.tags.begin(), firewall.tags.end(),
                     [&](const auto& tag) { return contains(droplet.tags_to_come, tag); });
}

std::string text_of(const std::vector<TrafficRule>& rules) {
  std::string text;
  for (const auto& rule : rules) {
    text += fmt::format("{}:{}-{}:{};", rule.protocol, rule.first_port, rule.last_port,
                        text::join(rule.addresses, ","));
  }
  return text;
}

/// FNV-1a: only to see whether something changed, and to keep the state small.
std::uint64_t digest(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char character : text) {
    hash = (hash ^ static_cast<unsigned char>(character)) * 0x100000001b3U;
  }
  return hash;
}

/// A firewall with its rules resolved, once for all the droplets it applies to.
struct Resolved {
  Firewall* firewall = nullptr;
  std::vector<TrafficRule> inbound;
  std::vector<TrafficRule> outbound;
  std::uint64_t digest = 0;
};

std::vector<Resolved> resolve_all(State& state) {
  std::vector<Resolved> all;
  for (auto& [id, firewall] : state.firewalls) {
    Resolved resolved{&firewall, {}, {}, 0};
    add_rules(state, firewall.inbound, resolved.inbound);
    add_rules(state, firewall.outbound, resolved.outbound);
    resolved.digest = digest(text_of(resolved.inbound) + "|" + text_of(resolved.outbound));
    all.push_back(std::move(resolved));
  }
  return all;
}

void mark_pending(State& state, const std::vector<std::string>& before,
                  const std::vector<std::string>& after, Id droplet_id, Id effect_id) {
  for (auto& [id, firewall] : state.firewalls) {
    const bool applied = contains(before, id);
    const bool applies_now = contains(after, id);
    if (!applied && !applies_now) continue;
    std::erase_if(firewall.pending, [&](const auto& change) {
      return change.droplet_id == droplet_id && change.effect_id < effect_id;
    });
    firewall.pending.push_back({droplet_id, !applies_now, effect_id, false});
  }
}

/// Which firewalls a droplet has, and what their rules come to.
struct Applied {
  std::vector<std::string> firewall_ids;
  std::string digest;
};

Applied applied_to(const Droplet& droplet, const std::vector<Resolved>& all) {
  Applied applied;
  std::string digests;
  for (const auto& resolved : all) {
    if (!applies(*resolved.firewall, droplet)) continue;
    applied.firewall_ids.push_back(resolved.firewall->id);
    digests += fmt::format("{:016x}", resolved.digest);
  }
  if (droplet.unplugged) digests += "unplugged";
  applied.digest = fmt::format("{:016x}", digest(digests));
  return applied;
}

TrafficRules join(const std::vector<Resolved>& all, const std::vector<std::string>& firewall_ids,
                  const Droplet& droplet) {
  TrafficRules rules;
  rules.filtered = !firewall_ids.empty();
  rules.unplugged = droplet.unplugged;
  for (const auto& resolved : all) {
    if (!contains(firewall_ids, resolved.firewall->id)) continue;
    rules.inbound.insert(rules.inbound.end(), resolved.inbound.begin(), resolved.inbound.end());
    rules.outbound.insert(rules.outbound.end(), resolved.outbound.begin(), resolved.outbound.end());
  }
  return rules;
}

/// Remembers that `effect_id` brings these rules to the droplet.
void record(State& state, Droplet& droplet, Applied applied, Id effect_id) {
  mark_pending(state, droplet.firewall_ids, applied.firewall_ids, droplet.id, effect_id);
  droplet.rules_digest = std::move(applied.digest);
  droplet.firewall_ids = std::move(applied.firewall_ids);
}

void refresh_droplet(Turn& turn, Droplet& droplet, const std::vector<Resolved>& all) {
  auto applied = applied_to(droplet, all);
  if (applied.digest == droplet.rules_digest) {
    droplet.firewall_ids = std::move(applied.firewall_ids);
    return;
  }
  const auto effect_id = emit(turn, SetRules{droplet.id, join(all, applied.firewall_ids, droplet)});
  record(turn.state, droplet, std::move(applied), effect_id);
}

/// The newest effect that will bring the droplet its rules; 0 when there is none.
Id rules_under_way(const State& state, Id droplet_id) {
  Id newest = 0;
  for (const auto& [id, outstanding] : state.outstanding) {
    const auto* rules = std::get_if<SetRules>(&outstanding.effect.kind);
    const auto* machine = std::get_if<CreateMachine>(&outstanding.effect.kind);
    const bool brings_them = (rules != nullptr && rules->droplet_id == droplet_id) ||
                             (machine != nullptr && machine->droplet_id == droplet_id);
    if (brings_them) newest = id;
  }
  return newest;
}

}  // namespace

bool is_shown_at(const Firewall& firewall, const Droplet& droplet) {
  const auto& ids = firewall.droplet_ids;
  if (std::find(ids.begin(), ids.end(), droplet.id) != ids.end()) return true;
  return std::any_of(firewall.tags.begin(), firewall.tags.end(),
                     [&](const auto& tag) { return contains(droplet.tags, tag); });
}

void create_machine(Turn& turn, Droplet& droplet, Id action_id) {
  const auto all = resolve_all(turn.state);
  auto applied = applied_to(droplet, all);
  CreateMachine kind;
  kind.droplet_id = droplet.id;
  kind.name = droplet.name;
  kind.machine_image = machine_image_of(turn.state, droplet.image_id);
  kind.public_address = droplet.public_address;
  kind.private_address = droplet.private_address;
  kind.vpc_id = droplet.vpc_id;
  kind.user_data = droplet.user_data;
  kind.public_keys = droplet.public_keys;
  kind.region = droplet.region;
  kind.rules = join(all, applied.firewall_ids, droplet);
  const auto effect_id = emit(turn, std::move(kind), action_id);
  record(turn.state, droplet, std::move(applied), effect_id);
}

void repeat_rules(Turn& turn, Droplet& droplet, Id failed_id, const Outstanding& failed) {
  auto next_id = rules_under_way(turn.state, droplet.id);
  if (next_id == 0) {
    const auto all = resolve_all(turn.state);
    auto applied = applied_to(droplet, all);
    next_id =
        emit_again(turn, SetRules{droplet.id, join(all, applied.firewall_ids, droplet)}, failed);
    record(turn.state, droplet, std::move(applied), next_id);
  }
  for (auto& [id, firewall] : turn.state.firewalls) {
    for (auto& change : firewall.pending) {
      if (change.effect_id == failed_id) change.effect_id = next_id;
      if (change.effect_id == next_id && change.droplet_id == droplet.id) change.failed = true;
    }
  }
}

void refresh_rules(Turn& turn) {
  const auto all = resolve_all(turn.state);
  for (auto& [id, droplet] : turn.state.droplets) {
    if (!droplet.leaving) refresh_droplet(turn, droplet, all);
  }
}

}  // namespace paas::cloud
