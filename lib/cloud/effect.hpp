// What the local cloud's core asks the world to do: machines, networks, devices, rules.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace paas::cloud {

/// One direction of a droplet's firewall, already resolved to addresses.
struct TrafficRule {
  std::string protocol;  ///< "tcp", "udp" or "icmp"
  int first_port = 0;    ///< 0 with last_port 0: every port.
  int last_port = 0;
  std::vector<std::string> addresses;  ///< CIDR blocks, IPv4 and IPv6.
  friend bool operator==(const TrafficRule&, const TrafficRule&) = default;
};

/// All firewalls of a droplet together. Without any firewall nothing is filtered.
struct TrafficRules {
  bool filtered = false;
  /// Nothing passes at all, as if the machine's cable were out.
  bool unplugged = false;
  std::vector<TrafficRule> inbound;
  std::vector<TrafficRule> outbound;
  friend bool operator==(const TrafficRules&, const TrafficRules&) = default;
};

struct CreateNetwork {
  std::string vpc_id;
  std::string ip_range;  ///< "10.116.0.0/20"
};
struct RemoveNetwork {
  std::string vpc_id;
};
struct CreateMachine {
  std::int64_t droplet_id = 0;
  std::string name;
  std::string machine_image;  ///< Docker image of the node or of a snapshot.
  std::string public_address;
  std::string private_address;
  std::string vpc_id;
  std::string user_data;
  std::vector<std::string> public_keys;
  std::string region;
  TrafficRules rules;  ///< In force from the first process on.
};
struct DestroyMachine {
  std::int64_t droplet_id = 0;
};
enum class PowerChange { on, off, shutdown, reboot, cycle };
struct ChangePower {
  std::int64_t droplet_id = 0;
  PowerChange change = PowerChange::reboot;
};
struct SetRules {
  std::int64_t droplet_id = 0;
  TrafficRules rules;
};
struct CreateVolume {
  std::string volume_id;
  std::string name;
  int size_gigabytes = 0;
  std::string filesystem_type;  ///< "", "ext4" or "xfs"
  std::string filesystem_label;
};
struct RemoveVolume {
  std::string volume_id;
};
struct ResizeVolume {
  std::string volume_id;
  int size_gigabytes = 0;
};
struct AttachVolume {
  std::string volume_id;
  std::string name;  ///< The device becomes /dev/disk/by-id/scsi-0DO_Volume_NAME.
  std::int64_t droplet_id = 0;
};
struct DetachVolume {
  std::string volume_id;
  std::string name;
  std::int64_t droplet_id = 0;
};
struct SnapshotMachine {
  std::int64_t droplet_id = 0;
  std::string machine_image;  ///< Docker image to make.
};
struct RemoveMachineImage {
  std::string machine_image;
};
struct AssignAddress {
  std::string address;  ///< A reserved IP, moved to the droplet.
  std::int64_t droplet_id = 0;
};
struct UnassignAddress {
  std::string address;
  std::int64_t droplet_id = 0;
};

/// New droplets get their tags; a record only, there is nothing to do for it in the world.
struct ApplyTags {
  std::vector<std::int64_t> droplet_ids;  ///< All that one request made.
};

/// A droplet's networks are shown; a record only as well.
struct ApplyNetworks {
  std::int64_t droplet_id = 0;
};

/// What a fault does to a machine, or undoes.
enum class Disturbance { kill, reboot, freeze, thaw, fill_disk, free_disk };
struct DisturbMachine {
  std::int64_t droplet_id = 0;
  Disturbance what = Disturbance::kill;
};

using EffectKind =
    std::variant<CreateNetwork, RemoveNetwork, CreateMachine, DestroyMachine, ChangePower, SetRules,
                 CreateVolume, RemoveVolume, ResizeVolume, AttachVolume, DetachVolume,
                 SnapshotMachine, RemoveMachineImage, AssignAddress, UnassignAddress,
                 DisturbMachine, ApplyTags, ApplyNetworks>;

/// Effects of one `order_key` are carried out in the order they were asked for; others side by
/// side.
struct Effect {
  std::int64_t id = 0;    ///< Comes back in EffectDone.
  std::string order_key;  ///< "droplet/7", "vpc/..." , "volume/..."
  EffectKind kind;
  /// Effects that have to end first, whatever their order key: a machine after its network.
  std::vector<std::int64_t> after = {};
  /// An earlier process of this cloud, or an earlier attempt, may have carried it out in part or as
  /// a whole: what is there already is no error.
  bool repeated = false;
  /// How long it is held back, because the world has just refused it or it is to come late; less
  /// when something waits behind it. A new process tries at once.
  std::chrono::milliseconds delay{0};
  /// The fault that holds it back; 0: none does. It is submitted again when it may begin.
  std::int64_t held_by = 0;
  /// Not carried out: it ends with this error. Empty: it is.
  std::string fault = {};
};

/// What the world reports back.
struct EffectDone {
  std::int64_t effect_id = 0;
  std::string error;             ///< Empty: it succeeded.
  std::uint64_t size_bytes = 0;  ///< Of a snapshot.
};

}  // namespace paas::cloud
