// DigitalOcean's resources, as far as paasctl uses them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.hpp"

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

/// How many items one page of a list can have.
constexpr int page_size_max = 200;

/// How many droplets one request can create (the document's droplets_models_droplet_multi_create).
constexpr std::size_t droplets_a_request_max = 10;

/// What a droplet is created from; several are created alike but for their names.
struct DropletRequest {
  std::string name;  ///< Of the only one; see Client::create_droplets.
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

/// A distribution, or a snapshot, backup or custom image of the account.
struct Image {
  std::int64_t id = 0;
  std::string name;
  std::string type;  ///< base, snapshot, backup, custom, admin
  std::string distribution;
  std::string slug;  ///< Only public ones have it.
  bool is_public = false;
  std::vector<std::string> regions;
  int min_disk_gigabytes = 0;
  double size_gigabytes = 0;
  std::string status;  ///< NEW, available, pending, deleted, retired
  std::vector<std::string> tags;
  std::string created_at;
};

struct Domain {
  std::string name;
  std::optional<int> ttl_seconds;  ///< Nothing until its zone exists.
};

/// What a record says. Which of the numbers a record has depends on its type.
struct DomainRecordSpec {
  std::string type;  ///< A, AAAA, CAA, CNAME, MX, NS, SOA, SRV, TXT
  std::string name;  ///< Without the domain; "@" is the domain itself.
  std::string data;
  std::optional<int> ttl_seconds;  ///< Nothing in a request: the API's default, 1800.
  std::optional<int> priority;     ///< MX, SRV
  std::optional<int> port;         ///< SRV
  std::optional<int> weight;       ///< SRV
  std::optional<int> flags;        ///< CAA
  std::string tag;                 ///< CAA: issue, issuewild, iodef
  friend bool operator==(const DomainRecordSpec&, const DomainRecordSpec&) = default;
};

struct DomainRecord {
  std::int64_t id = 0;
  DomainRecordSpec spec;
};

struct Project {
  std::string id;
  std::string name;
  std::string purpose;
  std::string environment;  ///< Development, Staging, Production
  bool is_default = false;
};

struct ProjectResource {
  std::string urn;     ///< "do:droplet:13457723"
  std::string status;  ///< ok, not_found, assigned, already_assigned, service_down
};

struct RegistryCredentials {
  std::string host;  ///< registry.digitalocean.com
  Secret auth;       ///< Base64 of "user:password", as Docker's configuration has it.
};

struct Tag {
  std::string name;
  std::int64_t resources = 0;  ///< How many have it, of all kinds.
};

struct ReservedIp {
  std::string ip;
  std::string region;
  std::int64_t droplet_id = 0;  ///< 0: not assigned.
  bool locked = false;
};

}  // namespace paas::digitalocean
