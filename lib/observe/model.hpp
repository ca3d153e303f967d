// What exists now, as one value: the provider's resources and what runs on the servers.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "digitalocean/model.hpp"

namespace paas::observe {

/// A container of the stack on one server.
struct Container {
  std::string name;
  std::string service;
  int release = 0;
  int slot = 0;
  std::string state;         ///< running, exited, restarting ...
  std::string image_digest;  ///< From its label.
  std::string
      shape;  ///< Label: what was created beside image and environment (plan/container.hpp).
  std::map<std::string, std::string> environment;
};

/// A certificate on the load balancer.
struct Certificate {
  std::string digest;  ///< SHA-256 of its file, key and all.
  std::string text;    ///< Its PEM text with the chain, without the key.
  /// SHA-1 of what the running HAProxy has under that name, in upper-case hexadecimal; empty: it
  /// has none.
  std::string shown;
};

/// The load balancer's HAProxy.
struct Balancer {
  bool running = false;
  std::string configuration;  ///< The text on disk.
  std::string mark;           ///< Of the configuration that it runs: haproxy::mark_of().
  /// Names in rotation (UP, weight above zero) by backend.
  std::map<std::string, std::set<std::string>> in_rotation;
  std::map<std::string, Certificate> certificates;  ///< By name: haproxy::certificate_path().
  std::vector<std::string> listed_certificates;     ///< Lines of the list on disk.
  /// Lines of the list in the running HAProxy; empty when it shows none.
  std::vector<std::string> shown_certificates;
  /// Every server name HAProxy knows, by backend.
  std::map<std::string, std::set<std::string>> known;
  /// What HAProxy gives them of the requests, by backend and name; 0: none.
  std::map<std::string, std::map<std::string, int>> weights;
};

/// What a look over SSH found.
struct Machine {
  std::vector<Container> containers;
  std::set<std::string> image_digests;
  std::string hosts;                      ///< /etc/paas/hosts
  std::set<std::string> mounted_volumes;  ///< Names of volumes that are mounted.
  std::optional<Balancer> balancer;       ///< Only for the load balancer.
};

/// A server of the stack: its droplet, and its inside when it was looked at.
struct Server {
  digitalocean::Droplet droplet;
  std::optional<Machine> machine;
  std::string unreachable;  ///< Why it could not be looked at; empty when it was, or was not tried.
  bool refused = false;     ///< Its host key or ours was refused: a reason to stop, not to go on.
};

struct Observed {
  std::map<std::string, Server>
      servers;  ///< By name: those that carry the stack's tag or are in the lockfile. One of the
                ///< lockfile's has its server's name, whatever its droplet is called by now.
  /// Droplets with the stack's tag that have the name of another one which is above.
  std::vector<digitalocean::Droplet> namesakes;
  std::map<std::string, digitalocean::Firewall> firewalls;  ///< By name.
  std::map<std::string, digitalocean::Volume> volumes;      ///< By name.
  std::optional<digitalocean::Vpc> vpc;
  std::vector<digitalocean::ReservedIp> reserved_ips;
  std::vector<digitalocean::Snapshot> snapshots;  ///< Machine images of this stack, newest first.
  /// Disks by the droplet size's slug; only read when there is a machine image that has to fit.
  std::map<std::string, int> disks_gigabytes;
};

}  // namespace paas::observe
