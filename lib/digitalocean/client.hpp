// A typed client of the DigitalOcean API v2.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "digitalocean/model.hpp"
#include "ports/clock.hpp"
#include "ports/http.hpp"

namespace paas::digitalocean {

struct ClientSettings {
  std::string url = "https://api.digitalocean.com";
  Secret token;
  /// Told when the client waits 2 s or longer for the rate limit, once for requests that wait side
  /// by side. Called by one thread at a time, as is `on_retry`.
  std::function<void(const std::string&)> on_wait;
  /// Told when the client waits before it tries a request again.
  std::function<void(const std::string&)> on_retry;
  /// A number from 0 to below 1 that spreads retries; absent: a random one.
  std::function<double()> jitter;
};

class Transport;

/// One method an operation. Lists read every page (200 a page, the rest side by side once the total
/// is known) and deduplicate by identifier. GET, PUT and DELETE are retried with backoff and jitter
/// on 429, 5xx, 408 and broken connections; a POST or PATCH only on the API's own 429: it fails
/// with kind unreachable when it is unknown whether it took effect. Errors: unauthorised (401,
/// 403), not_found (404 in the form of the API's errors), limited (429, droplet limit), exists (409
/// in that form), failed (400, 422 with the API's message), unreachable (no complete or no sensible
/// answer). Messages carry the request id. Safe to use from several threads.
class Client {
 public:
  Client(Http& http, Clock& clock, ClientSettings settings);
  ~Client();

  Result<Account> account();
  Result<std::vector<Region>> regions();
  Result<std::vector<Size>> sizes();

  /// The API allows this list 10 times a minute.
  Result<std::vector<SshKey>> ssh_keys();
  /// nothing when there is no such key
  Result<std::optional<SshKey>> find_ssh_key(const std::string& fingerprint);
  Result<SshKey> create_ssh_key(const std::string& name, const std::string& public_key);
  Status delete_ssh_key(std::int64_t id);

  Result<std::vector<Tag>> tags();
  Status create_tag(const std::string& name);  ///< One that exists is no error.
  Status delete_tag(const std::string& name);  ///< One that does not exist is no error.
  Status tag_droplets(const std::string& tag, const std::vector<std::int64_t>& droplets);
  Status untag_droplets(const std::string& tag, const std::vector<std::int64_t>& droplets);
  Status tag_volume(const std::string& tag, const std::string& id);

  /// How sure a list of several pages has to be.
  enum class Reading {
    sure,  ///< Two walks found the same.
    /// One walk whose pages fit together. It may lack an item when another went and one came
    /// meanwhile, so it is for those who ask for what they miss; takes half the requests.
    quick,
    /// One walk, whatever it found: for those who wait for what they miss and look again. A list
    /// that grows all the time, as while many droplets are made, fits together at no time.
    glance,
  };
  Result<std::vector<Droplet>> droplets_by_tag(const std::string& tag,
                                               Reading reading = Reading::sure);
  Result<std::vector<Droplet>> droplets_by_name(const std::string& name);
  Result<Droplet> droplet(std::int64_t id);
  Result<Droplet> create_droplet(const DropletRequest& request);
  /// Several with one request, alike but for their names; at most droplets_a_request_max. The
  /// answer is told as it is, so that it may lack some of the names: whether those were made is
  /// unknown. Unreachable: it has a droplet that was not asked for.
  Result<std::vector<Droplet>> create_droplets(const DropletRequest& request,
                                               const std::vector<std::string>& names);
  Status delete_droplet(std::int64_t id);  ///< One that does not exist is no error.
  Result<Action> droplet_action(std::int64_t id, const std::string& type);
  Result<Action> snapshot_droplet(std::int64_t id, const std::string& snapshot_name);
  Result<Action> rename_droplet(std::int64_t id, const std::string& name);
  Result<Action> action(std::int64_t id);
  /// The account's newest actions, of all resources, with one request; at most page_size_max.
  Result<std::vector<Action>> newest_actions(int count);

  Result<std::vector<Snapshot>> droplet_snapshots();
  Result<Snapshot> snapshot(const std::string& id);
  Status delete_snapshot(const std::string& id);

  enum class Images { own, distributions };
  Result<std::vector<Image>> images(Images which);
  Result<Image> image(const std::string& id_or_slug);
  /// Also of a droplet's snapshot, whose identifier is its image's.
  Result<Image> rename_image(const std::string& id, const std::string& name);
  Status delete_image(const std::string& id);  ///< One that does not exist is no error.

  Result<std::vector<Volume>> volumes(const std::string& region);
  Result<std::vector<Volume>> volumes_by_name(const std::string& name, const std::string& region);
  Result<Volume> create_volume(const std::string& name, const std::string& region,
                               int size_gigabytes, const std::vector<std::string>& tags);
  Result<Action> attach_volume(const std::string& id, std::int64_t droplet,
                               const std::string& region);
  Result<Action> detach_volume(const std::string& id, std::int64_t droplet,
                               const std::string& region);
  Result<Action> resize_volume(const std::string& id, int size_gigabytes,
                               const std::string& region);
  Status delete_volume(const std::string& id);

  Result<std::vector<Firewall>> firewalls();
  Result<Firewall> firewall(const std::string& id);
  Result<std::vector<Firewall>> firewalls_of_droplet(std::int64_t id);
  Result<Firewall> create_firewall(const FirewallSpec& spec);
  Result<Firewall> update_firewall(const std::string& id, const FirewallSpec& spec);
  Status delete_firewall(const std::string& id);

  Result<std::vector<Vpc>> vpcs();
  Result<Vpc> create_vpc(const std::string& name, const std::string& region);
  Status delete_vpc(const std::string& id);

  Result<std::vector<ReservedIp>> reserved_ips();
  Result<ReservedIp> reserved_ip(const std::string& ip);
  Result<ReservedIp> create_reserved_ip(std::int64_t droplet);
  Result<Action> assign_reserved_ip(const std::string& ip, std::int64_t droplet);
  /// One that no droplet has is refused (failed).
  Result<Action> unassign_reserved_ip(const std::string& ip);
  Status delete_reserved_ip(const std::string& ip);

  Result<std::vector<Domain>> domains();
  Result<Domain> create_domain(const std::string& name);
  Status delete_domain(const std::string& name);  ///< With all its records.
  Result<std::vector<DomainRecord>> domain_records(const std::string& domain);
  Result<DomainRecord> create_domain_record(const std::string& domain,
                                            const DomainRecordSpec& spec);
  /// Changes what the spec gives and leaves the rest.
  Result<DomainRecord> update_domain_record(const std::string& domain, std::int64_t id,
                                            const DomainRecordSpec& spec);
  Status delete_domain_record(const std::string& domain, std::int64_t id);

  enum class RegistryAccess { read, read_write };
  /// They expire after that time, which has to be positive: without one they never would.
  Result<std::vector<RegistryCredentials>> registry_credentials(std::chrono::seconds lifetime,
                                                                RegistryAccess access);

  Result<std::vector<Project>> projects();
  Result<Project> default_project();
  /// Moves resources, named as "do:droplet:ID", "do:volume:UUID", "do:domain:NAME" and the like,
  /// to the project. Errors: not_found when one does not exist, unreachable when it could not be
  /// moved now.
  Status assign_to_project(const std::string& project, const std::vector<std::string>& urns);

  const std::string& url() const;

 private:
  std::unique_ptr<Transport> transport_;
};

}  // namespace paas::digitalocean
