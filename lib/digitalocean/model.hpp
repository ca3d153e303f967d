// DigitalOcean's resources, as far as paasctl uses them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace paas::digitalocean {

struct Account {
  int droplet_limit = 0;
  std::string email;
  std::string status;
  /// UUID of the team that the token is for, or of the user where there is none: whose resources it
  /// sees, and the same for all members of a team.
  std::string owner;
};

struct SshKey {
  std::int64_t id = 0;
  std::string fingerprint;
  std::string public_key;
  std::string name;
};

struct Region {
  std::string slug;
  std::string name;
  bool available = false;
  std::vector<std::string> sizes;
};

struct Size {
  std::string slug;
  int memory_megabytes = 0;
  int vcpus = 0;
  int disk_gigabytes = 0;
  double price_monthly_dollars = 0;
  double price_hourly_dollars = 0;
  bool available = false;
  std::vector<std::string> regions;
};

struct Droplet {
  std::int64_t id = 0;
  std::string name;
  std::string status;  ///< new, active, off, archive
  bool locked = false;
  std::string public_address;   ///< IPv4; empty until it has one.
  std::string private_address;  ///< IPv4 in its VPC.
  std::string vpc_id;
  std::string region;
  std::string size;
  std::int64_t image_id = 0;
  std::string image_slug;
  std::vector<std::string> tags;
  std::vector<std::string> volume_ids;
  std::string created_at;
};

struct DropletRequest {
  std::string name;
  std::string region;
  std::string size;
  std::string image;  ///< A slug, or an identifier in decimal.
  std::vector<std::int64_t> ssh_keys;
  std::vector<std::string> tags;
  std::string user_data;
  std::string vpc_id;
};

struct Action {
  std::int64_t id = 0;
  std::string status;  ///< in-progress, completed, errored
  std::string type;
  std::int64_t resource_id = 0;
};

struct Snapshot {
  std::string id;
  std::string name;
  std::string created_at;
  std::vector<std::string> regions;
  std::string resource_type;  ///< droplet, volume
  int min_disk_gigabytes = 0;
  double size_gigabytes = 0;
  std::vector<std::string> tags;
};

struct Volume {
  std::string id;
  std::string name;
  int size_gigabytes = 0;
  std::string region;
  std::vector<std::int64_t> droplet_ids;
  std::vector<std::string> tags;
};

struct FirewallRule {
  std::string protocol;  ///< tcp, udp, icmp
  std::string ports;     ///< "5432", "8000-9000", "0" for all; empty for icmp
  std::vector<std::string> addresses;
  std::vector<std::string> tags;
  std::vector<std::int64_t> droplet_ids;
  friend bool operator==(const FirewallRule&, const FirewallRule&) = default;
};

struct FirewallSpec {
  std::string name;
  std::vector<FirewallRule> inbound;
  std::vector<FirewallRule> outbound;
  std::vector<std::string> tags;
  std::vector<std::int64_t> droplet_ids;
  friend bool operator==(const FirewallSpec&, const FirewallSpec&) = default;
};

struct Firewall {
  std::string id;
  std::string status;  ///< waiting, succeeded, failed
  FirewallSpec spec;
  std::vector<std::int64_t> pending_droplets;  ///< Droplets with pending changes.
};

struct Vpc {
  std::string id;
  std::string name;
  std::string region;
  std::string ip_range;
  bool is_default = false;
};

struct ReservedIp {
  std::string ip;
  std::string region;
  std::int64_t droplet_id = 0;  ///< 0: not assigned.
  bool locked = false;
};

}  // namespace paas::digitalocean
