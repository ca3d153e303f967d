// One run of the executor: what its steps share. Internal to this module.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "haproxy/runtime.hpp"
#include "lockfile/ownership.hpp"
#include "plan/certificates.hpp"
#include "plan/container.hpp"
#include "reconcile/action_watch.hpp"
#include "reconcile/executor.hpp"
#include "reconcile/registry_logins.hpp"
#include "reconcile/shared_answer.hpp"
#include "reconcile/shared_list.hpp"
#include "reconcile/state.hpp"
#include "tls/certificate.hpp"

namespace paas::reconcile {

class Run {
 public:
  Run(const plan::Plan& plan, const lockfile::Lockfile& loaded,
      std::map<std::string, plan::ImageState> images, std::map<std::string, std::string> restart,
      Tools& tools, const Options& options);

  /// Does one step.
  Status perform(const plan::Step& step);
  /// Stores what the plan allocated, before the first step.
  Status begin(const plan::Plan& plan);
  /// Writes down, when all steps are done, what services can be taken back to from now on.
  Status settle();
  /// Asks for the droplets of steps that create servers which are alike, with one request where it
  /// can be; what came of it is told when the steps are performed.
  Status request_servers(const std::vector<plan::Step>& steps);
  bool is_requested(const std::string& server) const;
  /// Whether their droplets can be asked for with one request.
  bool are_alike(const std::string& left, const std::string& right) const;
  lockfile::Lockfile lockfile() const { return state_.read(); }

 private:
  // resource_steps.cpp
  Status create_key(const plan::Step& step);
  Status create_vpc(const plan::Step& step);
  Status build_image(const plan::Step& step);
  Status delete_tags(const plan::Step& step);
  Status delete_vpc(const plan::Step& step);
  Status delete_key(const plan::Step& step);

  // firewall_steps.cpp
  Status put_firewall(const plan::Step& step);
  Status close_firewall(const plan::Step& step);
  Result<std::string> find_firewall(const std::string& name, lockfile::Intent intent);
  Result<bool> is_applied(const digitalocean::Firewall& firewall) const;
  Result<bool> is_applied_to(const std::string& firewall, std::int64_t droplet);
  Result<bool> may_be_applied(const std::string& firewall, const std::string& droplet,
                              std::uint64_t after);
  Status await_firewall(const plan::Step& step);
  Status delete_firewall(const plan::Step& step);

  // volume_steps.cpp
  Status create_volume(const plan::Step& step);
  Status resize_volume(const plan::Step& step);
  Status tag_volume(const plan::Step& step);
  Status put_tag_on_volume(const std::string& id);
  Status grow_file_system(const std::string& volume, const std::vector<std::int64_t>& holders);
  Status delete_volume(const plan::Step& step);
  Status destroy_volume(const std::string& name, const std::string& region, const std::string& id);

  // address_steps.cpp
  Status create_address(const plan::Step& step);
  Status assign_address(const plan::Step& step);
  Status release_address(const plan::Step& step);
  Result<std::string> address_of(std::int64_t droplet);
  Status note_address(const std::string& name);
  Status write_address(const std::string& ip);
  Result<std::string> listed_address(const std::string& droplet);
  Result<std::string> reserve_address(const std::string& name);
  Status await_address(const std::string& ip, std::int64_t droplet);

  // server_creation.cpp
  Status create_server(const plan::Step& step);
  Result<std::map<std::string, digitalocean::Droplet>> find_droplets(
      const std::vector<std::string>& names, std::chrono::milliseconds window);
  Result<std::optional<digitalocean::Droplet>> find_droplet(const std::string& name,
                                                            std::chrono::milliseconds window);
  Status ensure_first_host_key(const std::vector<std::string>& names);
  digitalocean::DropletRequest droplet_request(const std::string& name);
  Status accept(const std::map<std::string, digitalocean::Droplet>& droplets,
                const std::string& how);
  Result<std::map<std::string, digitalocean::Droplet>> post_droplets(
      const std::vector<std::string>& names);
  Status adopt_droplets(const std::vector<std::string>& names, const std::string& how);
  Status check_unseen(const std::vector<std::string>& names);
  Status withdraw(const std::vector<std::string>& names);
  void resume(const std::vector<std::string>& names);
  std::vector<std::string> unsettled(std::vector<std::string> names) const;
  Status request_droplets(const plan::Step& first, const std::vector<std::string>& names);
  Result<std::optional<digitalocean::Droplet>> find_unlisted(const plan::Step& step,
                                                             std::int64_t id);
  Status await_active(const plan::Step& step, std::int64_t id);

  // server_steps.cpp
  Status prepare_server(const plan::Step& step);
  Status rotate_host_key(const plan::Step& step);
  Status tag_server(const plan::Step& step);
  Status untag_server(const plan::Step& step);
  Status keep_warm(const plan::Step& step);
  Status power_on_server(const plan::Step& step);
  Result<digitalocean::Droplet> listed_droplet(std::int64_t id, std::uint64_t after);
  Status attach_volume(const plan::Step& step);
  Status detach_volume(const std::string& volume, const std::string& region, std::int64_t droplet);
  Result<std::optional<digitalocean::Action>> move_volume(const plan::Step& step,
                                                          std::int64_t droplet);
  Status release_volumes(const plan::Step& step, std::int64_t droplet);
  Status delete_server(const plan::Step& step);
  Status await_gone(std::int64_t droplet);

  // image_steps.cpp
  Status send_image(const plan::Step& step);
  Status pull_image(const plan::Step& step, const std::string& name, const plan::ImageState& image);
  bool runs_elsewhere(const std::string& image, const std::string& except) const;
  Result<plan::ImageState> image_of(const stack::Service& service);

  // container_steps.cpp
  Status start_container(const plan::Step& step);
  Status resume_container(const plan::Step& step);
  Status await_again(const plan::Step& step, const std::string& container);
  Status check_known(const plan::Step& step, const std::vector<observe::Container>& there) const;
  Error with_last_lines(Error error, const plan::Step& step, const std::string& container);
  /// What containers of a service are made of in this run.
  struct Made {
    plan::ContainerPlan container;
    std::map<std::string, std::string> environment;
  };
  Result<Made> make_release(const plan::Step& step, const stack::Service& service);
  Status start_release(const plan::Step& step);
  const lockfile::Release* release_like(const lockfile::Service& service, const std::string& name,
                                        const std::string& digest,
                                        const std::string& environment_digest) const;
  Result<int> release_for(const plan::Step& step, const stack::Service& service,
                          const plan::ImageState& image, const std::string& environment_digest);
  bool is_given_up(const std::string& service);
  tl::unexpected<Error> given_up(const std::string& service);
  /// Whether the container is there, stopped, as it has to be.
  enum class Kept { no, yes };
  Status write_environment(const plan::Step& step, const docker::ContainerSpec& spec,
                           const std::string& hosts);
  Result<int> take_slot(const plan::Step& step, const std::string& name,
                        std::vector<observe::Container> containers);
  struct Serving {
    observe::Container container;
    bool is_known = false;  ///< A load balancer has it.
  };
  Result<Serving> serving_of(const plan::Step& step,
                             const std::vector<observe::Container>& containers);
  Status run_container(const plan::Step& step, const stack::Service& service,
                       const docker::ContainerSpec& spec, Kept kept);
  Status run_or_resume(const plan::Step& step, const stack::Service& service,
                       const docker::ContainerSpec& spec,
                       const std::vector<observe::Container>& old, Kept kept);
  Status replace_in_place(const plan::Step& step, const stack::Service& service,
                          const docker::ContainerSpec& spec,
                          const std::vector<observe::Container>& old, Kept kept);
  Status await_healthy(const plan::Step& step, const stack::Service& service,
                       const std::string& container, int restarts);
  Status retire_container(const plan::Step& step);
  Status stop_container(const plan::Step& step);
  Status write_hosts(const plan::Step& step);

  // pre_release_steps.cpp
  Status run_pre_release(const plan::Step& step);
  Result<bool> has_earlier_pre_release(const plan::Step& step, const docker::ContainerSpec& spec);
  Status start_pre_release(const plan::Step& step, const docker::ContainerSpec& spec);
  Status await_pre_release(const plan::Step& step, const std::string& container);
  void remove_pre_release(const plan::Step& step, const std::string& container);
  Status note_hook(const plan::Step& step, const std::string& server);

  // password_steps.cpp
  Status set_password(const plan::Step& step);
  Status retire_password(const plan::Step& step);
  Status tell_password(const plan::Step& step, const std::vector<std::string>& program,
                       const std::string& key);
  Status reach_rotation_state(const std::string& service, lockfile::RotationState state);

  // balancer_steps.cpp
  Status configure_balancer(const plan::Step& step);
  Result<std::string> configuration_for(const observe::Machine& machine);
  Status keep_paths(haproxy::Setup& setup, const std::vector<haproxy::Backend>& current);
  Status keep_path(haproxy::Backend& backend, const haproxy::Backend& before,
                   const std::string& entry);
  Status check_answers(const std::string& server, int release);
  Status add_to_rotation(const plan::Step& step);
  Status let_in(const plan::Step& step);
  Status change_over(const plan::Step& step, const std::vector<haproxy::ServerStatistics>& known);
  Status watch_canary(const plan::Step& step);
  Status set_weight(const plan::Step& step);
  Status set_maintenance(const plan::Step& step);
  Status remove_from_rotation(const plan::Step& step);
  using Leaves = std::function<bool(const std::string&)>;
  /// Takes entries out of HAProxy and out of its configuration on disk, by their names.
  Status leave_rotation(const Leaves& leaves);
  Status leave_haproxy(const Leaves& leaves);
  /// A server's entries but that of its current release.
  Leaves all_but_current(const std::string& server) const;
  Status leave_to_current(const plan::Step& step);
  Result<std::set<std::string>> names_that_serve();
  observe::Target balancer() const;
  haproxy::Runtime runtime();
  /// Changes the servers of backends in the configuration on disk, without a reload.
  Status edit_configuration(const std::function<void(haproxy::Backend&)>& change);
  struct Edit;
  Status edit_configuration(const std::vector<Edit*>& edits);
  Result<std::string> configuration_on(const observe::Target& balancer);

  // certificate_steps.cpp
  Status put_certificates(const plan::Step& step);
  Status move_certificates(const plan::Step& step);
  Status issue_certificates(const plan::Step& step);
  Status remove_certificates(const plan::Step& step);
  Result<tls::Pair> authority();
  Result<Secret> bundle_of(const plan::WantedCertificate& wanted);
  bool is_put(const observe::Balancer& there, const plan::WantedCertificate& wanted);

  // run.cpp
  /// Polls until the condition holds. `condition` gives true, false or an error that ends it.
  Status poll(std::chrono::milliseconds timeout, const std::string& what,
              const std::function<Result<bool>()>& condition);
  Status poll(std::chrono::milliseconds timeout, std::chrono::milliseconds interval,
              const std::string& what, const std::function<Result<bool>()>& condition);
  Status await_action(const digitalocean::Action& action, const std::string& what);
  /// Repeats a request while what it is about is busy with another one.
  Status when_idle(const std::string& what, const std::function<Status()>& request);
  /// Attempts until it is as wanted, and waits for each action. An attempt looks first and gives no
  /// action when nothing is left to do: what an interrupted run asked for may come about meanwhile.
  /// An answer that got lost, twice at most, is followed by another look as well, and so is the
  /// first refusal: the API refuses what came about between the look and the request.
  Status bring_about(const std::string& what,
                     const std::function<Result<std::optional<digitalocean::Action>>()>& attempt);
  void stage(const plan::Step& step, const std::string& text);
  void tell(Event event);
  observe::Target target(const std::string& server) const;
  lockfile::Server server(const std::string& name) const;
  const stack::Service& service(const std::string& name) const;

  const stack::Stack stack_;
  State state_;
  /// What came of asking for a server's droplet.
  struct Requested {
    std::int64_t droplet = 0;
    std::string how;  ///< "accepted", "found again"
    std::optional<Error> error;
  };
  mutable std::mutex requested_mutex_;
  std::map<std::string, Requested> requested_;  ///< By server.
  std::set<std::string> known_before_;  ///< Servers whose intent an earlier run has written down.
  std::set<std::string> retiring_;      ///< Servers whose older containers the plan takes away.
  std::set<std::string> starting_;      ///< Servers that the plan starts a container on.
  std::set<std::string> destroyed_volumes_;  ///< Those that the plan deletes.
  std::mutex images_mutex_;
  std::map<std::string, plan::ImageState> images_;
  std::map<std::string, std::string> restart_;
  const std::map<std::string, plan::Held> held_;
  Tools& tools_;
  const Options& options_;
  /// Those of the stack, by its tag, at a glance: for a droplet that is missing from it a step goes
  /// on waiting, or asks for it itself.
  SharedList<digitalocean::Droplet> droplets_;
  SharedList<digitalocean::Firewall> firewalls_;
  RegistryLogins logins_;
  ActionWatch actions_;
  std::mutex releases_mutex_;
  std::map<std::string, int> releases_;  ///< Numbers of this run's containers, by service.
  /// Services whose new release failed somewhere, and how.
  std::map<std::string, ErrorKind> given_up_;
  SharedAnswer statistics_;    ///< HAProxy's, for all steps that wait for what it sees.
  std::mutex balancer_mutex_;  ///< Held while HAProxy's configuration on disk is changed.
  struct Edit {
    std::function<void(haproxy::Backend&)> change;
    std::optional<Status> result;
  };
  /// HAProxy's configuration as the last edit left it; absent: it has to be read.
  std::optional<std::string> on_disk_;
  std::mutex edits_mutex_;
  std::vector<Edit*> edits_;  ///< That wait; whoever is next does all of them.
  std::mutex events_mutex_;
  std::map<std::string, std::chrono::milliseconds> started_;  ///< By step.

  friend class Scheduler;
};

}  // namespace paas::reconcile
