// What was applied and made: the content of paas.lock as plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "stack/definition.hpp"
#include "stack/model.hpp"

namespace paas::lockfile {

/// A resource whose identifier may not be known yet. `intended` is flushed before the request that
/// creates it; the identifier after it. The name was never used before, so the next run finds what
/// an interrupted one left.
struct Resource {
  std::string name;
  std::string id;  ///< Empty: intended, maybe created, identifier unknown.
  friend bool operator==(const Resource&, const Resource&) = default;
};

/// What a service's container was created from. Numbered in the service; a new one whenever image,
/// environment or the rules that target the service differ.
struct Release {
  int number = 0;
  std::string image_name;
  std::string image_digest;  ///< "sha256:..." of the image's configuration.
  /// SHA-256 over the sorted variables, without the values themselves.
  std::string environment_digest;
  std::string created;  ///< RFC 3339
  /// What it was made of, for a rollback to it; absent in releases of before that was kept.
  std::optional<stack::Definition> definition = {};
  std::string by = {};     ///< Who made it: "anna@laptop".
  std::string cause = {};  ///< What was different from the one before, for people.
  /// Of which number the containers are, where only the rules were different; 0: of its own.
  int containers_of = 0;
  /// It did not become healthy, or was worse than the one before, and was taken back.
  bool failed = false;
  friend bool operator==(const Release&, const Release&) = default;
};

/// How far a new password has come. Each state is flushed before what it allows begins.
enum class RotationState {
  pending,  ///< It is made; whether the `set` program told it to the service is unknown.
  set,      ///< The service takes it, beside the one before; dependents are given it.
  pushed,   ///< All dependents run with it: the one before may be made to fail.
};

/// A password on its way to be the service's only one, where it ends.
struct PasswordRotation {
  RotationState state = RotationState::pending;
  Secret password;   ///< Empty: the executor makes it before its first step.
  std::string user;  ///< Whose it is; empty: the stack file's only one, or none.
  friend bool operator==(const PasswordRotation&, const PasswordRotation&) = default;
};

/// What a service was at when all of its servers ran it and nothing beside it: what a release that
/// fails is taken back to, however many runs were interrupted since.
struct Settled {
  int release = 0;
  int newest = 0;  ///< Number of the newest release of then; all later ones were never whole.
  int pinned = 0;
  std::string image = {};
  friend bool operator==(const Settled&, const Settled&) = default;
};

/// What servers of a service share.
struct Service {
  int count = 0;        ///< How many servers it shall have, between min and max.
  int next_number = 1;  ///< The next server's N; never used again.
  /// web: the two host ports on the private address, of which a container takes one.
  std::vector<int> slots;
  /// web: port on the load balancer's private address under which dependents reach it.
  std::optional<int> internal_port;
  std::vector<Release> releases;  ///< Oldest first, the last ten.
  /// The release that a rollback keeps the service at, whatever the stack file says; 0: none.
  int pinned = 0;
  /// What `deploy --image` has the service run instead of the stack file's image; empty: nothing.
  std::string image = {};
  std::optional<Settled> settled = {};  ///< web and worker; absent before the first whole release.
  /// The server on which a hook before a release was begun and, as far as is known, goes on; empty:
  /// none. Stored before it starts.
  std::string hook_server = {};
  /// db and cache: what dependents are given, until a rotation is `set`. Sealed when stored, and
  /// kept while a volume knows it. Empty beside a rotation: the data has one that nobody knows.
  Secret password;
  std::string user;  ///< Whose password it is; empty: the first that the stack file names.
  std::optional<PasswordRotation> rotation;
  /// When the last rotation ended (RFC 3339). A container that was made before it has the password
  /// of then in its environment.
  std::string password_rotated;
  friend bool operator==(const Service&, const Service&) = default;
};

/// One droplet, of a service or the load balancer's (service "lb").
struct Server {
  std::string service;
  int number = 0;
  Resource droplet;
  std::string public_address;
  std::string private_address;
  std::string host_key;   ///< Pinned: "ssh-ed25519 AAAA..."
  Secret first_host_key;  ///< Private half of the key cloud-init brings, until it is rotated.
  std::string size;
  std::string region;
  std::string image;      ///< Slug or identifier it was created from.
  bool prepared = false;  ///< cloud-init is done and the host key rotated.
  int release = 0;        ///< Number of the release that runs on it; 0: none yet.
  int slot = 0;           ///< web: which slot the container has (0 or 1).
  /// The release that ran before, whose container is kept stopped for a rollback; 0: none.
  int previous = 0;
  /// web: what `lb weight` and `lb drain` gave it, from 0, which is drained, to 256; absent: as
  /// all.
  std::optional<int> weight = {};
  bool leaving = false;  ///< Being removed: out of rotation, droplet to be destroyed.
  /// Its disk has, or may have, a database's data that is on no volume. Stored before a container
  /// that stores there is started, so that it is known wherever a run ends.
  bool holds_data = false;
  /// Kept ready beside those that serve, without a container: scale.warm of the stack file. It
  /// serves from the moment on when this is taken away, which is stored before its container is
  /// made.
  bool warm = false;
  /// Its service's firewall was seen to apply to it while it was warm, so nothing has to wait for
  /// that.
  bool firewalled = false;
  std::string created;  ///< RFC 3339
  friend bool operator==(const Server&, const Server&) = default;
};

/// Whether its droplet may exist: its host key is written down before the request for it, and taken
/// back when that was refused.
inline bool is_asked_for(const Server& server) {
  return !server.droplet.id.empty() || !server.host_key.empty();
}

/// Whether its droplet was accepted and no run has seen it active: that it is not found does not
/// prove yet that it is gone.
inline bool is_awaited(const Server& server) {
  return !server.droplet.id.empty() && !server.prepared && server.private_address.empty();
}

struct Volume {
  Resource volume;
  std::string service;
  int size_gigabytes = 0;
  std::string region;
  friend bool operator==(const Volume&, const Volume&) = default;
};

struct LoadBalancer {
  std::string reserved_ip;  ///< Its public address; empty until it has one.
  int reloads = 0;          ///< How often HAProxy had to be reloaded.
  /// Identifier of the droplet for which a reserved IP was asked for, until it is known which one
  /// it got: a reserved IP has no name, and another one on a droplet is not the stack's.
  std::string intended_for = {};
  /// SHA-256 of the certificates that were put on the load balancer, by name; those that it gets
  /// for itself are not among them.
  std::map<std::string, std::string> certificates = {};
  bool maintenance = false;  ///< `lb maintenance on`: users get a page instead of the services.
  friend bool operator==(const LoadBalancer&, const LoadBalancer&) = default;
};

/// SSH key of the stack's own, registered with the provider.
struct SshKey {
  Resource key;
  Secret private_key;
  std::string public_key;
  friend bool operator==(const SshKey&, const SshKey&) = default;
};

/// The stack's own certificate authority, made once.
struct Authority {
  std::string certificate;  ///< PEM
  Secret key;               ///< PEM
  friend bool operator==(const Authority&, const Authority&) = default;
};

struct Lockfile {
  int version = 1;
  std::string lineage;      ///< Random, made once; names the key that seals secrets.
  std::int64_t serial = 0;  ///< Grows with every write.
  std::string paasctl_version;
  /// The stack as it was last applied, resolved; absent before the first `up`.
  std::optional<stack::Stack> applied;
  /// The endpoint it was applied to, so that another cloud is not mistaken for it.
  std::string cloud_url;
  /// Whose account that was; empty in lockfiles of before it was written down.
  std::string cloud_account;
  std::optional<SshKey> ssh_key;
  std::optional<Resource> vpc;
  std::string vpc_range;
  std::map<std::string, Resource> firewalls;  ///< By service, and "lb".
  std::map<std::string, Service> services;    ///< By name, and "lb" for its numbers.
  std::map<std::string, Server> servers;      ///< By server name.
  std::map<std::string, Volume> volumes;      ///< By volume name.
  std::optional<LoadBalancer> lb;
  std::optional<Authority> authority = {};
  /// Builder droplets and other things that must not outlive a run, by name.
  std::map<std::string, Resource> temporary;
  friend bool operator==(const Lockfile&, const Lockfile&) = default;
};

}  // namespace paas::lockfile
