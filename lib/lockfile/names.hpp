// The names of what a stack is made of, and the numbers, ports and passwords that are allocated
// once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "lockfile/model.hpp"
#include "ports/random.hpp"

namespace paas::lockfile {

std::string server_name(const std::string& stack, const std::string& service, int number);
/// The parts of a server's name.
struct ServerName {
  std::string service;
  int number = 0;
};
/// Nothing for what is no name of a server of the stack, such as a builder's.
std::optional<ServerName> parse_server_name(const std::string& stack, const std::string& name);
std::string volume_name(const std::string& stack, const std::string& service);
std::string firewall_name(const std::string& stack, const std::string& service);
std::string vpc_name(const std::string& stack);
std::string ssh_key_name(const std::string& stack);
/// "zipkick.web.image-": what the names of a service's machine images begin with; a time follows.
/// A machine image carries no tag, so names of stacks and services must not run together: "shop"
/// with "eu-db" is not "shop-eu" with "db".
std::string snapshot_prefix(const std::string& stack, const std::string& service);
/// The service whose machine image has that name; empty when it is none of the stack's.
std::string service_of_snapshot(const std::string& stack, const std::string& name);

/// What a machine image was made of, shortened to what its name has room for: equal texts mean
/// equal contents.
struct SnapshotOrigin {
  std::string image;  ///< 8 digits of the digest of the image that it brings.
  std::string base;   ///< 4 digits that stand for the base image that it was made from.
  friend bool operator==(const SnapshotOrigin&, const SnapshotOrigin&) = default;
};
/// Of an image's digest ("sha256:...") and a base image ("debian-12-x64").
SnapshotOrigin snapshot_origin(const std::string& image_digest, const std::string& base_image);
/// "zipkick.web.image-20260131081500-3f54fb9d-9a2c"; `stamp` is the time in digits.
std::string snapshot_name(const std::string& stack, const std::string& service,
                          const std::string& stamp, const SnapshotOrigin& origin);
/// Nothing for a name without it, such as earlier ones.
std::optional<SnapshotOrigin> origin_of_snapshot(const std::string& name);

/// A droplet that a machine image is made from; `random` is 8 hexadecimal digits.
std::string builder_name(const std::string& stack, const std::string& service,
                         const std::string& random);
bool is_builder_name(const std::string& name);

/// On every droplet and volume of the stack: "paas:STACK".
std::string stack_tag(const std::string& stack);
/// On the service's droplets: "paas:STACK:SERVICE".
std::string service_tag(const std::string& stack, const std::string& service);
/// On the droplets of those that link to `target`, for its firewall: "paas:STACK:uses:TARGET".
std::string client_tag(const std::string& stack, const std::string& target);

/// A server with the next number of its service, put into the lockfile; no number is ever given out
/// twice.
Server& allocate_server(Lockfile& lockfile, const std::string& stack, const std::string& service);
/// The two host ports of a web service, from 20000 upwards and unique in the stack; those it has
/// already stay.
const std::vector<int>& allocate_slots(Lockfile& lockfile, const std::string& service);
/// The port on the load balancer's private address, from 30000 upwards and none of those that it
/// listens on for everybody; the one it has already stays.
int allocate_internal_port(Lockfile& lockfile, const std::string& service,
                           const std::vector<int>& listened);

/// 32 letters and digits, each equally likely: fit for URLs, environment files and every database.
Secret generate_password(Random& random);

}  // namespace paas::lockfile
