// What the user declares: services, links, the load balancer. Plain values, already validated.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "stack/rule.hpp"

namespace paas::stack {

enum class CloudKind { digitalocean, local };
enum class ServiceType { web, worker, db, cache };

/// Where the machine that runs paasctl has a secret: an environment variable or a file, one of the
/// two. Only these names are stored, never the secret.
struct SecretSource {
  std::string env;   ///< Name of the variable.
  std::string file;  ///< Relative to the stack file.
  friend bool operator==(const SecretSource&, const SecretSource&) = default;
};

/// Where an image comes from: a build context, or a registry.
struct ImageSource {
  std::string context;     ///< Folder of the build context as written; empty when pulled.
  std::string dockerfile;  ///< Relative to the context; empty: "Dockerfile".
  std::string target;      ///< Build stage; empty: the last.
  std::map<std::string, std::string> args;
  std::string platform;  ///< "linux/amd64"; empty: that of the engine.
  /// Secrets of the build, by the id that RUN --mount=type=secret names.
  std::map<std::string, SecretSource> secrets;
  std::string pull;  ///< Reference such as "ghcr.io/acme/web:1.4"; empty when built.
  friend bool operator==(const ImageSource&, const ImageSource&) = default;
};

/// A login at a registry, for servers that pull from there.
struct Registry {
  std::string username;
  SecretSource password;
  friend bool operator==(const Registry&, const Registry&) = default;
};

/// A dependency of one service on another.
struct Link {
  std::string to;
  /// Variables with templates {host} {port} {user} {password} {database} {url} {scheme}; they are
  /// added to the default ones (TO_HOST, TO_PORT ...). A variable of the same name replaces it.
  std::map<std::string, std::string> env;
  friend bool operator==(const Link&, const Link&) = default;
};

struct Health {
  std::string path;  ///< HTTP path for web; empty: "/" for web, a TCP connection else.
  int interval_ms = 2000;
  int timeout_ms = 2000;
  int start_timeout_seconds = 120;  ///< How long a new container may take to become healthy.
  friend bool operator==(const Health&, const Health&) = default;
};

struct Scale {
  int min = 1;
  int max = 1;
  int warm = 0;
  /// "requests_per_second.per_instance" -> 150: what the controller tracks.
  std::map<std::string, double> target;
  friend bool operator==(const Scale&, const Scale&) = default;
};

struct Volume {
  int size_gigabytes = 0;  ///< DigitalOcean counts GiB.
  std::string mount;       ///< Absolute path inside the container.
  friend bool operator==(const Volume&, const Volume&) = default;
};

/// What a db or cache gives to those that link to it; the password is generated.
struct Credentials {
  std::string user;
  std::string database;
  /// Environment of the service's own container, with templates {user} {password} {database}.
  std::map<std::string, std::string> env;
  /// Program run in the container with a new password on standard input and the user's name in
  /// PAASCTL_USER; empty: none. It may be run again with the same password.
  std::vector<std::string> set;
  /// Program run in the same way once all dependents have the new password: no other one is taken
  /// after it. Empty: none.
  std::vector<std::string> retire = {};
  /// The second of two users that take turns: a rotation gives the new password to the one that is
  /// not in use. Empty: one user, whose password is changed.
  std::string other_user = {};
  friend bool operator==(const Credentials&, const Credentials&) = default;
};

/// Outbound traffic that a service may start: "tcp:443" to addresses.
struct Outbound {
  std::string protocol;  ///< tcp, udp or icmp
  std::string ports;     ///< As the API takes them: "443", "8000-9000", "all"; empty for icmp
  std::vector<std::string> to;
  friend bool operator==(const Outbound&, const Outbound&) = default;
};

struct Service {
  std::string name;
  ServiceType type = ServiceType::web;
  std::string image;        ///< A name in Stack::images.
  std::optional<int> port;  ///< Inside the container; required for web, db and cache.
  std::string scheme;       ///< Of the URL given to dependents; "http" for web.
  std::string size;         ///< Droplet size; empty: the stack's.
  std::vector<std::string> command;
  std::map<std::string, std::string> env;
  Health health;
  Scale scale;
  std::vector<Link> links;
  std::optional<Volume> volume;
  std::optional<Credentials> credentials;
  std::vector<std::string> allow;                 ///< Addresses (CIDR) let in beside the links.
  std::optional<std::vector<Outbound>> outbound;  ///< Absent: all.
  std::optional<Sticky> sticky = {};              ///< Only web, as what follows.
  std::optional<int> answer_timeout_ms = {};      ///< Absent: the load balancer's for servers.
  std::optional<int> max_connections = {};        ///< Of each server; absent: any number.
  friend bool operator==(const Service&, const Service&) = default;
};

/// A certificate with its chain, and its private key: PEM files beside the stack file.
struct CertificateFiles {
  std::string certificate;
  std::string key;
  /// Names that it is used for; empty: those that stand in it.
  std::vector<std::string> hosts;
  friend bool operator==(const CertificateFiles&, const CertificateFiles&) = default;
};

/// Certificates that the load balancer gets for itself, one for each host.
struct Acme {
  std::string email;  ///< Whom the authority writes to.
  std::vector<std::string> hosts;
  std::string directory;  ///< Of the ACME server; empty: see is_own_authority().
  friend bool operator==(const Acme&, const Acme&) = default;
};

/// Strict-Transport-Security, RFC 6797.
struct Hsts {
  std::int64_t max_age_seconds = 365 * 86400;
  bool subdomains = false;
  bool preload = false;
  friend bool operator==(const Hsts&, const Hsts&) = default;
};

struct Tls {
  std::vector<int> listen = {443};
  std::vector<CertificateFiles> certificates;
  std::optional<Acme> acme;
  bool redirect = true;  ///< Of all that comes on LoadBalancer::listen.
  std::optional<Hsts> hsts;
  friend bool operator==(const Tls&, const Tls&) = default;
};

struct LoadBalancer {
  std::vector<int> listen;
  std::vector<Rule> rules;         ///< The first that matches wins.
  std::string size;                ///< Droplet size; empty: the stack's.
  std::vector<std::string> allow;  ///< Who may reach the public ports; empty: everybody.
  std::optional<Tls> tls = {};
  Traffic traffic = {};
  friend bool operator==(const LoadBalancer&, const LoadBalancer&) = default;
};

struct Stack {
  std::string name;
  CloudKind cloud = CloudKind::digitalocean;
  std::string region;
  std::string size = "s-1vcpu-1gb";
  std::string base_image = "debian-12-x64";  ///< Slug of the machine image servers start from.
  std::optional<int> machine_images_kept;    ///< Of each service; absent: all.
  /// How long a hook in a container of a new release may run before the release has failed.
  int pre_release_timeout_ms = 3'600'000;
  std::vector<std::string> ssh_from;  ///< Addresses that may reach port 22.
  std::map<std::string, ImageSource> images;
  std::map<std::string, Registry> registries;  ///< By host, "ghcr.io" or "127.0.0.1:5000".
  std::vector<Service> services;               ///< In the file's order.
  std::optional<LoadBalancer> lb;
  friend bool operator==(const Stack&, const Stack&) = default;
};

/// What is open to `allow`: the ports of lb.listen and lb.tls.listen, in the file's order.
std::vector<int> public_ports(const LoadBalancer& lb);
/// Whether lb.tls.acme is answered by the stack's own certificate authority: on the local cloud,
/// unless a directory is named.
bool is_own_authority(const Stack& stack);
/// The directory that certificates are asked of; empty with is_own_authority() and without acme.
std::string acme_directory(const Stack& stack);

const Service* find_service(const Stack& stack, const std::string& name);
/// Whether what the rule matches may go to the service.
bool leads_to(const Rule& rule, const std::string& service);
/// Whether servers of the cloud run images of that platform ("linux/arm64"). DigitalOcean's are
/// all amd64; the local cloud's are like this machine.
bool can_run(CloudKind cloud, const std::string& platform);
/// "web", "worker", "db", "cache".
std::string to_text(ServiceType type);
std::string to_text(CloudKind kind);

}  // namespace paas::stack
