// The work table of plan::make: what was decided so far. Internal to this module.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plan/certificates.hpp"
#include "plan/make.hpp"

namespace paas::plan {

/// A server that the service shall have when the plan is done.
struct Placed {
  std::string name;
  bool created = false;            ///< By this plan, or adopted from an interrupted run.
  bool looked_at = false;          ///< Its inside is known.
  Reason reason = Reason::change;  ///< Why it is created.
};

/// Servers of a service that stay, and why others are missing.
struct Staff {
  std::vector<std::string> names;
  std::vector<Cause> causes;  ///< Of new servers that take the places of some that leave.
};

/// Whether a server has a container, or is kept warm for when one is needed.
enum class Use { serving, warm };

class Planner {
 public:
  explicit Planner(const Input& input);

  Result<Plan> make();

 private:
  /// Adds a step; identifiers in `after` that belong to no step of this plan are dropped at the
  /// end.
  Step& add(StepKind kind, const std::string& key, Cause cause,
            std::vector<std::string> after = {});
  Plan only_power_on();
  bool has_step(const std::string& id) const { return ids_.contains(id); }

  void warn_of_kept_releases();

  // resources.cpp
  Status check_region() const;
  Status allocate();
  void plan_key();
  void plan_vpc();
  Status plan_firewall(const std::string& service);
  Reason reason_of_firewall(const std::string& service,
                            const digitalocean::FirewallSpec& actual) const;
  void plan_closing();
  void plan_leftover_firewalls();
  void plan_images();
  const digitalocean::ReservedIp* find_address() const;
  void plan_address();

  // volumes.cpp
  Status plan_volume(const stack::Service& service);
  void plan_volume_tag(const stack::Service& service, const digitalocean::Volume& volume);

  // servers.cpp
  void plan_servers(const std::string& service);
  void sort_out_servers(const std::string& service, Staff& serving, Staff& warm);
  void plan_new_server(const std::string& service, const Cause& cause, Use use);
  void plan_existing_server(const std::string& name);
  void plan_tags(const std::string& name);
  Cause reason_to_replace(const std::string& name, const lockfile::Server& server) const;
  bool uses(const std::string& user, const std::string& service) const;
  std::vector<std::string> steps_before_leaving(const std::string& service) const;
  void plan_leaving_server(const std::string& name, const Cause& cause);
  void plan_departures();
  std::string machine_image(const std::string& service);
  void warn_once(std::string warning);
  const std::string& size_of(const std::string& service) const;

  // warm.cpp
  std::optional<int> work_left_on(const std::string& name) const;
  void sort_by_work(std::vector<std::string>& warm) const;
  std::optional<std::string> take_warm(std::vector<std::string>& warm, Cause cause);
  void plan_warm_servers(const std::string& service, Staff warm);
  std::vector<std::string> steps_of_taken(const std::string& service) const;
  void expect_firewall(const std::string& service);
  void plan_warm(const stack::Service& service);

  // containers.cpp
  void plan_containers(const stack::Service& service);
  Cause reason_to_start(const stack::Service& service, const Placed& placed) const;
  Cause reason_to_make_again(const stack::Service& service,
                             const observe::Container& container) const;
  Cause reason_to_resume(const stack::Service& service, const Placed& placed) const;
  bool keeps_container(const stack::Service& service, const Placed& placed) const;
  void plan_resume(const stack::Service& service, const Placed& placed, const Cause& cause);
  void wait_for_resumed();
  Cause environment_change(const stack::Service& service,
                           const observe::Container& container) const;
  Step* plan_image(const stack::Service& service, const Placed& placed, Reason reason);
  void plan_container(const stack::Service& service, const Placed& placed, const Cause& cause);
  void plan_leftover(const stack::Service& service, const Placed& placed);
  std::vector<std::string> ready_steps(const std::string& service) const;
  void plan_volume_move(const stack::Service& service, const Placed& placed);

  // pre_release.cpp
  bool starts_new_release(const stack::Service& service) const;
  void plan_pre_release(const stack::Service& service);

  // rollout.cpp
  void plan_rollout(const stack::Service& service);
  std::vector<std::string> changing_servers(const stack::Service& service) const;
  bool is_changing_over(const stack::Service& service, const std::string& server) const;
  std::vector<std::vector<std::string>> batches_of(std::vector<std::string> servers) const;
  void change_in_place(const std::vector<std::vector<std::string>>& batches);
  void change_in_rotation(const stack::Service& service,
                          const std::vector<std::vector<std::string>>& batches);
  void wait_for_let_in(const stack::Service& service,
                       const std::vector<std::vector<std::string>>& batches);
  void enter_new_balancer(const std::vector<std::string>& servers);
  Step& plan_let_in(const stack::Service& service, const std::string& key,
                    std::vector<std::string> batch, std::vector<std::string> after);
  std::vector<std::string> plan_canary(const stack::Service& service,
                                       const std::vector<std::string>& canaries,
                                       std::vector<std::string> after);
  void note_changed_rules();
  Step& step_of(const std::string& id);
  const ImageState* image_of(const stack::Service& service) const;

  // passwords.cpp
  Status check_users() const;
  Status begin_password_rotation(const std::string& name);
  void keep_first_users();
  Status begin_password_rotations();
  void plan_new_passwords();
  void plan_set_password(const stack::Service& service, const std::string& server,
                         const Cause& cause);
  void plan_old_passwords();
  struct Holders {
    std::vector<std::string> silent;
    std::vector<std::string> older;
  };
  Holders holders_of_old_password(const stack::Service& service) const;
  bool keeps_older_container(const stack::Service& service, const Placed& placed) const;
  void plan_retire_password(const stack::Service& service);
  std::vector<std::string> steps_before_retiring(const stack::Service& service) const;
  Cause rotation_cause(const std::string& service, const std::string& text) const;
  Cause rotated_passwords(const stack::Service& service, std::vector<std::string> names) const;
  bool is_rotated(const std::string& service) const;
  bool is_kept_in_container(const stack::Service& service, const std::string& variable,
                            const std::string& value) const;
  bool is_waiting_for_password(const stack::Service& service, const std::string& variable) const;
  /// The lockfile as it is when a service's new container starts.
  const lockfile::Lockfile& ahead() const { return ahead_ ? *ahead_ : lock_; }

  // plan_certificates.cpp
  void plan_certificates();
  void plan_moved_certificates();
  void plan_issue();
  void plan_stale_certificates();
  Cause reason_for_certificate(const Placed& placed, const WantedCertificate& wanted) const;
  Cause reason_to_put(const WantedCertificate& wanted) const;
  Cause reason_to_sign(const WantedCertificate& wanted) const;
  Cause reason_to_issue(const WantedCertificate& wanted) const;

  // weights.cpp
  Cause reason_to_weigh(const std::string& service, const haproxy::Server& wanted) const;
  void plan_weights(const stack::Service& service);
  bool is_drained(const std::string& service) const;
  void warn_of_drained();

  // maintenance.cpp
  void plan_maintenance();
  void warn_of_maintenance();

  // rotation.cpp
  void plan_balancer();
  Cause reason_to_configure(const Placed& placed) const;
  bool is_balancer_as_applied() const;
  std::optional<std::string> gradual_change() const;
  std::set<std::string> clients_of(const std::string& service) const;
  std::set<std::string> services_before_rules() const;
  Status finish_gradual_change();
  std::set<std::string> new_targets() const;
  bool has_backend(const std::string& service) const;
  std::vector<std::string> steps_before_rotation(const std::string& service) const;
  void plan_rotation(const stack::Service& service);
  bool serves_older(const stack::Service& service, const std::string& server) const;
  void plan_stale_rotation();
  void plan_stale_name(const std::string& backend, const std::string& name);
  Step* plan_leave_of_rotation(const std::string& key, const std::string& server,
                               const std::string& service, const Cause& cause);
  bool has_old_balancer() const;
  std::vector<std::string> steps_of_new_balancer() const;
  std::vector<std::string> steps_of_old_balancer() const;
  void plan_hosts();

  const observe::Server* seen(const std::string& server) const;
  const observe::Machine* machine(const std::string& server) const;
  const observe::Balancer* balancer() const;
  bool reaches(const std::string& from, const std::string& to) const;

  const Input& input_;
  const stack::Stack& stack_;
  lockfile::Lockfile lock_;
  std::optional<lockfile::Lockfile> ahead_;  ///< After new passwords were set; absent: as lock_.
  /// HAProxy goes on with its rules of now until these services are as the stack says.
  std::set<std::string> first_;
  /// Firewalls to be closed by service, and why they have to be.
  std::map<std::string, std::pair<std::string, Reason>> closing_;
  std::vector<Step> steps_;
  std::set<std::string> ids_;
  /// New rules lead to a server that is off: see only_power_on().
  bool waits_for_power_ = false;
  std::vector<std::string> warnings_;
  std::vector<std::string> unreached_;
  std::map<std::string, std::vector<Placed>> placed_;  ///< By service, and "lb".
  std::map<std::string, std::vector<Placed>> warm_;    ///< By service.
  std::map<std::string, Cause> taken_;       ///< Warm servers that serve from now on, and why.
  std::map<std::string, Cause> departures_;  ///< Leaving servers and why.
};

/// Steps in an order in which each comes after what it needs; steps that are ready together keep
/// their order. Names in `after` that are no step are dropped. Steps that wait for each other in a
/// circle are left out, which the caller sees by their number.
std::vector<Step> ordered(std::vector<Step> steps);

/// The load balancer's public addresses, to be released: the one that the lockfile knows, and one
/// that an interrupted run asked for and did not write down. That is done here: once the droplet is
/// gone, nothing else would lead to it. One that somebody gave the droplet by hand is not the
/// stack's.
std::set<std::string> take_addresses(lockfile::Lockfile& lockfile,
                                     const observe::Observed& observed);

/// Releases the address that an interrupted run may have asked for, while no run knows it: its
/// droplet has it only when the event that gives it has ended. Deleting the droplet waits for that
/// and writes it down. Nothing when none was asked for.
std::optional<Step> release_in_doubt(const lockfile::Lockfile& lockfile);

/// Volumes' device and folder names on a server.
std::string volume_device(const std::string& volume);
std::string volume_folder(const std::string& volume);

}  // namespace paas::plan
