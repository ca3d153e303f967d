// Servers in memory behind their port: every command works at once unless a test says otherwise.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "observe/machines.hpp"
#include "reconcile/support/fuse.hpp"
#include "reconcile/support/insides.hpp"

namespace paas::reconcile::testing {

class RigMachines : public observe::Machines {
 public:
  RigMachines(Insides& insides, Fuse& fuse) : insides_(insides), fuse_(fuse) {}

  Status await_ssh(const observe::Target& target, std::chrono::milliseconds) override;
  Status await_cloud_init(const observe::Target&, std::chrono::milliseconds) override;
  Status await_docker(const observe::Target&, std::chrono::milliseconds) override;
  Result<std::string> make_host_key(const observe::Target& target) override;
  Status use_host_key(const observe::Target&, const std::string&) override;
  Status mount_volume(const observe::Target& target, const observe::VolumeMount& mount) override;
  Status unmount_volume(const observe::Target& target, const observe::VolumeMount& mount) override;
  Result<observe::Machine> look(const observe::Target& target, const std::string&, bool) override;
  Status write_file(const observe::Target&, const std::string&, std::string_view,
                    std::uint32_t) override;
  Status rewrite_in_place(const observe::Target& target, const std::string& path,
                          std::string_view content) override;
  Result<ProcessResult> run(const observe::Target& target,
                            const observe::RemoteCommand& command) override;
  Result<bool> send_image(const observe::Target&, const docker::SavedImage&,
                          const observe::OnBytes&) override;
  Result<std::string> pull_image(const observe::Target& target, const std::string& reference,
                                 const std::optional<docker::RegistryLogin>& login) override;
  Status start_container(const observe::Target& target, const docker::ContainerSpec& spec) override;
  Status resume_container(const observe::Target& target, const std::string& name) override;
  Status stop_container(const observe::Target& target, const std::string& name) override;
  Status remove_container(const observe::Target& target, const std::string& name) override;
  Result<std::optional<docker::ContainerInfo>> container(const observe::Target& target,
                                                         const std::string& name) override;
  Result<std::string> recent_logs(const observe::Target&, const std::string&, int) override;
  Result<bool> healthy(const observe::Target&, const std::string& container, int,
                       const std::string&, int) override;
  Result<observe::ContainerHealth> await_health(const observe::Target& target,
                                                const observe::HealthQuestion& question,
                                                std::chrono::milliseconds wait) override;
  Result<observe::ContainerHealth> await_end(const observe::Target& target,
                                             const std::string& container,
                                             std::chrono::milliseconds wait) override;
  Result<std::string> balancer_command(const observe::Target& target,
                                       const std::string& command) override;
  Status put_certificate(const observe::Target& target,
                         const observe::CertificateFile& certificate) override;
  Status remove_certificate(const observe::Target& target, const std::string& name) override;
  Status issue_certificates(const observe::Target& target, const observe::AcmeOrder& order,
                            std::chrono::milliseconds timeout) override;
  Result<Secret> issued_certificates(const observe::Target& target,
                                     const std::vector<std::string>& hosts) override;
  Status take_issued_certificates(const observe::Target& target, const Secret& issued) override;
  Result<bool> edit_balancer(const observe::Target& target, std::string_view before,
                             std::string_view after) override;
  Status install_balancer(const observe::Target& target, std::string_view configuration,
                          Reload reload) override;
  /// The server boots: containers run again, and HAProxy has what its file says.
  void boot(const std::string& server);

  /// Starting a container of one of these services fails.
  std::set<std::string> broken;
  /// Tags of images moved upstream: pulls bring another image than before.
  bool moved = false;
  /// Who pulled.
  std::vector<docker::RegistryLogin> pulled_as;
  /// How many pulls a registry still takes a password for; all where there is none of it.
  std::map<std::string, int> pulls_left;
  /// Hosts whose names do not lead here: an ACME server refuses them.
  std::set<std::string> elsewhere;
  /// How many certificates the ACME server was asked for.
  int ordered = 0;
  /// The ACME client's files cannot be read.
  bool is_silent_on_issued = false;
  /// Somebody edits HAProxy's configuration on disk just before it is changed; once.
  std::string edited_by_hand;
  /// HAProxy's configuration on disk cannot be read.
  bool unreadable = false;
  /// Entries that HAProxy finds down.
  std::set<std::string> dead;
  /// Containers that run and do not answer.
  std::set<std::string> unhealthy;
  /// Programs that set passwords end with an error.
  bool deaf = false;
  /// The connection breaks before a program with this last word, or whose path ends so, is run.
  std::string cut_off_from;
  /// What a hook ends with.
  int hook_status = 0;
  /// How often a hook is found running before it has ended.
  int hook_lasts = 0;
  /// The specifications of hooks' containers.
  std::vector<docker::ContainerSpec> hooks;
  /// Files that were written, with their modes.
  std::map<std::string, std::pair<std::string, std::uint32_t>> files;
  /// The run is interrupted while it waits for this container.
  std::string interrupted_at;
  /// The connection breaks whenever the end of this container is waited for.
  std::string lost_at;

 private:
  observe::Machine& inside(const observe::Target& target);
  /// What HAProxy runs and gives to its servers after a start or reload.
  void read_configuration(observe::Balancer& haproxy);
  Result<ProcessResult> set_password(const observe::Target& target,
                                     const observe::RemoteCommand& command);
  void check_logins();
  Status start_task(const observe::Target& target, const docker::ContainerSpec& spec);
  std::string answer_to(observe::Balancer& haproxy, const std::string& command);
  observe::Container* find(const observe::Target& target, const std::string& name);
  Status change_container(const observe::Target& target, const std::string& name,
                          const std::string& state);

  Insides& insides_;
  Fuse& fuse_;
  std::recursive_mutex mutex_;
};

}  // namespace paas::reconcile::testing
