// All that the local cloud knows, as one plain value: every resource, counter and effect under way.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/effect.hpp"
#include "cloud/fault_rule.hpp"

namespace paas::cloud {

using Id = std::int64_t;
/// Seconds since 1970 in UTC.
using UnixTime = std::int64_t;

/// What was chosen when the cloud was made, or by its latest start.
struct CoreSettings {
  std::string name;
  std::string token;
  std::uint64_t seed = 0;     ///< Makes this cloud's UUIDs and VPC ranges its own.
  std::string public_range;   ///< "198.18.16.0/20"
  std::string gateway;        ///< The host's address on the public network.
  std::string machine_image;  ///< Docker image behind the slug debian-12-x64.
  int droplet_limit = 1000;
  int reserved_ip_limit = 100;
  bool metadata_only = false;        ///< Droplets are records; fixed when the cloud is made.
  bool enforce_rate_limits = false;  ///< Off: requests are only counted and nobody gets 429.
};

struct Key {
  Id id = 0;
  std::string name;
  std::string public_key;
  std::string fingerprint;
};

/// A snapshot of a droplet. Distribution images are in the catalogue.
struct Image {
  Id id = 0;
  std::string name;
  std::string description;
  std::string machine_image;  ///< Its Docker image.
  std::string region;
  UnixTime created = 0;
  int min_disk_size_gigabytes = 0;
  std::uint64_t size_bytes = 0;
  std::vector<std::string> tags;
  Id droplet_id = 0;
  bool pending = false;  ///< Being made: not shown yet.
  /// Deleted through the API, but a droplet that was made from it still needs its layers.
  bool leaving = false;
};

enum class DropletStatus { fresh, active, off };

struct Droplet {
  Id id = 0;
  std::string name;
  std::string size;
  std::string region;
  Id image_id = 0;
  std::string vpc_id;
  std::string public_address;
  std::string private_address;
  std::string user_data;
  std::vector<std::string> public_keys;
  std::vector<std::string> tags;
  std::vector<std::string> tags_to_come;  ///< It was created with them; they apply later.
  std::vector<std::string> volume_ids;
  std::vector<Id> snapshot_ids;
  DropletStatus status = DropletStatus::fresh;
  bool monitoring = false;
  bool ipv6 = false;     ///< Asked for, and shown as a feature; machines have no such address.
  bool backups = false;  ///< Asked for, and shown as a feature; none are made.
  bool booted = false;   ///< Its machine ran once.
  bool networks_to_come = false;  ///< It has them by now, and they are shown a little later.
  bool leaving = false;   ///< Being destroyed; its addresses are free when its machine is gone.
  Id pending_action = 0;  ///< The event that keeps it locked; 0 when there is none.
  UnixTime created = 0;
  std::int64_t hidden_looks = 0;          ///< How often more a fault has it not found.
  Id hidden_by = 0;                       ///< Which one.
  bool unplugged = false;                 ///< A fault cuts it off from its networks.
  std::string rules_digest;               ///< Of the rules that were last asked for.
  std::vector<std::string> firewall_ids;  ///< Whose rules those are.
};

enum class ActionStatus { in_progress, completed, errored };

struct Action {
  Id id = 0;
  ActionStatus status = ActionStatus::in_progress;
  std::string type;
  std::string resource_type;  ///< "droplet", "volume", "reserved_ip" or "image"
  Id resource_id = 0;         ///< 0 for volumes, whose identifiers are no numbers.
  std::string resource;       ///< Identifier as text: "7", a volume's UUID, an address.
  std::string region;
  UnixTime started = 0;
  UnixTime completed = 0;
  std::string error;  ///< Why it errored; for the log, the API does not show it.
};

struct Volume {
  std::string id;
  std::string name;
  std::string region;
  std::string description;
  std::int64_t size_gigabytes = 0;
  std::string filesystem_type;
  std::string filesystem_label;
  std::vector<std::string> tags;
  Id droplet_id = 0;  ///< 0 when it is not attached.
  Id pending_action = 0;
  UnixTime created = 0;
};

/// One side of a firewall's rule, as it was given.
struct Peers {
  std::vector<std::string> addresses;
  std::vector<Id> droplet_ids;
  std::vector<std::string> tags;
  friend bool operator==(const Peers&, const Peers&) = default;
};

struct FirewallRule {
  std::string protocol;
  std::string ports;  ///< "0" is all.
  Peers peers;
  friend bool operator==(const FirewallRule&, const FirewallRule&) = default;
};

/// A droplet on which a firewall's change is not in force yet.
struct PendingChange {
  Id droplet_id = 0;
  bool removing = false;
  Id effect_id = 0;
  bool failed = false;  ///< The world refused it before; it is tried again.
};

struct Firewall {
  std::string id;
  std::string name;
  std::vector<FirewallRule> inbound;
  std::vector<FirewallRule> outbound;
  std::vector<Id> droplet_ids;
  std::vector<std::string> tags;
  std::vector<PendingChange> pending;
  UnixTime created = 0;
};

struct Vpc {
  std::string id;
  std::string name;
  std::string description;
  std::string region;
  std::string ip_range;
  bool is_default = false;
  bool made = false;     ///< Its network exists.
  bool leaving = false;  ///< Gone for the API; its range is free when its network is.
  std::uint32_t next_offset = 2;
  UnixTime created = 0;
};

struct ReservedIp {
  std::string address;
  std::string region;
  Id droplet_id = 0;  ///< 0 when it is not assigned.
  Id pending_action = 0;
  UnixTime created = 0;
};

/// A record of a domain. Numbers that its type does not have are negative.
struct DomainRecord {
  Id id = 0;
  std::string type;
  std::string name;  ///< "@" is the domain itself.
  std::string data;
  std::int64_t ttl = 1800;  ///< Seconds.
  std::int64_t priority = -1;
  std::int64_t port = -1;
  std::int64_t weight = -1;
  std::int64_t flags = -1;
  std::string tag;  ///< Of a CAA record.
};

struct Domain {
  std::string name;
  std::int64_t ttl = 1800;  ///< Seconds.
  std::vector<DomainRecord> records;
};

struct Project {
  std::string id;
  std::string name;
  std::string description;
  std::string purpose;
  std::string environment = "Development";
  bool is_default = false;
  UnixTime created = 0;
  UnixTime updated = 0;
};

/// Where a resource was put; one that was put nowhere is in the default project.
struct Assignment {
  std::string urn;  ///< "do:droplet:1001"
  std::string project_id;
  UnixTime assigned = 0;
};

struct Registry {
  std::string name;
  std::string region;
  std::string tier;  ///< "starter", "basic" or "professional"
  UnixTime created = 0;
};

/// An effect that the world has not reported back yet.
struct Outstanding {
  Effect effect;
  Id action_id = 0;  ///< The action that it is a part of; 0 when none.
  int attempt = 1;
};

/// Requests of the last hour, counted a second. Not part of what is kept over a restart.
struct RateWindow {
  std::map<UnixTime, int> requests;
  std::map<UnixTime, int> key_lists;  ///< GET /v2/account/keys has a limit of its own.
};

struct State {
  int version = 1;
  CoreSettings settings;
  Id next_id = 1001;  ///< Keys, droplets, images, actions and effects count together.
  std::uint64_t next_uuid = 1;
  std::uint32_t next_public_offset = 10;
  std::uint32_t next_reserved_offset = 0;
  std::uint64_t next_vpc_range = 0;
  std::map<Id, Key> keys;
  std::map<Id, Image> images;
  std::map<Id, Droplet> droplets;
  std::map<Id, Action> actions;
  std::map<std::string, Volume> volumes;
  std::map<std::string, Firewall> firewalls;
  std::map<std::string, Vpc> vpcs;
  std::map<std::string, ReservedIp> reserved_ips;
  std::map<std::string, UnixTime> tags;  ///< When each was made.
  std::map<Id, Outstanding> outstanding;
  std::map<Id, fault::Rule> faults;
  std::map<std::string, Domain> domains;
  std::map<std::string, Project> projects;  ///< The default one is here once it was looked at.
  std::map<std::string, Assignment> assignments;
  std::map<std::string, Registry> registries;
  RateWindow rate;
};

/// Whether the API shows it: also while it is destroyed, but not one that never ran.
bool is_shown(const Droplet& droplet);
/// One that may be leaving, and is locked then.
Droplet* find_shown_droplet(State& state, Id id);
/// Gone or leaving: nothing.
Droplet* find_droplet(State& state, Id id);
const Droplet* find_droplet(const State& state, Id id);
Vpc* find_vpc(State& state, const std::string& id);
Image* find_image(State& state, Id id);

bool contains(const std::vector<std::string>& values, std::string_view value);

/// A UUID of version 4's form out of the seed and a counter: the same requests give the same ones.
std::string new_uuid(State& state);

/// "198.18.16.23": the next free address for a droplet, nothing when the range is used up.
std::optional<std::string> new_public_address(State& state);
std::optional<std::string> new_private_address(State& state, Vpc& vpc);
std::optional<std::string> new_reserved_address(State& state);
/// How many more droplets find an address.
std::size_t free_public_addresses(const State& state);
std::size_t free_private_addresses(const State& state, const Vpc& vpc);

}  // namespace paas::cloud
