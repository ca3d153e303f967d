// Servers that are there only while their droplets are, and whose connections break.
#pragma once

#include <mutex>
#include <string>

#include "crash/support/operation.hpp"
#include "crash/support/world.hpp"
#include "observe/machines.hpp"
#include "ports/clock.hpp"
#include "reconcile/support/fuse.hpp"
#include "reconcile/support/rig_machines.hpp"

namespace paas::crash {

/// Puts the way to a server in front of what is done on it: the droplet behind the address is
/// active and has booted, and its host key is one of those that are accepted.
class Servers : public observe::Machines {
 public:
  Servers(World& world, reconcile::testing::Fuse& fuse, Operations& operations, Clock& clock,
          std::recursive_mutex& mutex)
      : world_(world),
        fuse_(fuse),
        operations_(operations),
        clock_(clock),
        mutex_(mutex),
        machines_(world.insides, fuse) {}

  using Target = observe::Target;
  Status await_ssh(const Target& target, Milliseconds timeout) override;
  Status await_cloud_init(const Target& target, Milliseconds timeout) override;
  Status await_docker(const Target& target, Milliseconds timeout) override;
  Result<std::string> make_host_key(const Target& target) override;
  Status use_host_key(const Target& target, const std::string& public_key) override;
  Status mount_volume(const Target& target, const observe::VolumeMount& mount) override;
  Status unmount_volume(const Target& target, const observe::VolumeMount& mount) override;
  Result<observe::Machine> look(const Target& target, const std::string& stack,
                                bool is_balancer) override;
  Status write_file(const Target& target, const std::string& path, std::string_view content,
                    std::uint32_t mode) override;
  Status rewrite_in_place(const Target& target, const std::string& path,
                          std::string_view content) override;
  Result<ProcessResult> run(const Target& target, const observe::RemoteCommand& command) override;
  Result<bool> send_image(const Target& target, const docker::SavedImage& image,
                          const observe::OnBytes& on_bytes) override;
  Result<std::string> pull_image(const Target& target, const std::string& reference,
                                 const std::optional<docker::RegistryLogin>& login) override;
  Status start_container(const Target& target, const docker::ContainerSpec& spec) override;
  Status resume_container(const Target& target, const std::string& name) override;
  Status stop_container(const Target& target, const std::string& name) override;
  Status remove_container(const Target& target, const std::string& name) override;
  Result<std::optional<docker::ContainerInfo>> container(const Target& target,
                                                         const std::string& name) override;
  Result<std::string> recent_logs(const Target& target, const std::string& name,
                                  int lines) override;
  Result<bool> healthy(const Target& target, const std::string& container, int port,
                       const std::string& path, int timeout_ms) override;
  Result<observe::ContainerHealth> await_health(const Target& target,
                                                const observe::HealthQuestion& question,
                                                Milliseconds wait) override;
  Result<observe::ContainerHealth> await_end(const Target& target, const std::string& container,
                                             Milliseconds wait) override;
  Result<std::string> balancer_command(const Target& target, const std::string& command) override;
  Status put_certificate(const Target& target,
                         const observe::CertificateFile& certificate) override;
  Status remove_certificate(const Target& target, const std::string& name) override;
  Result<Secret> issued_certificates(const Target& target,
                                     const std::vector<std::string>& hosts) override;
  Status take_issued_certificates(const Target& target, const Secret& issued) override;
  Status issue_certificates(const Target& target, const observe::AcmeOrder& order,
                            Milliseconds timeout) override;
  Result<bool> edit_balancer(const Target& target, std::string_view before,
                             std::string_view after) override;
  Status install_balancer(const Target& target, std::string_view configuration,
                          Reload reload) override;

 private:
  const cloud::Droplet* droplet_at(const std::string& address) const;
  /// Whether SSH lets this run in now.
  Status reach(const Target& target);
  /// What befalls the server itself.
  void disturb(FaultKind kind, const Target& target);
  Error error_of(FaultKind kind, const Target& target) const;
  /// Counts the operation and goes there; the fault that befalls it.
  Result<std::optional<FaultKind>> arrive(const Target& target, const std::string& what);
  /// Does `work` on the server unless the way there or a fault stands before it.
  template <typename Work>
  auto on(const Target& target, const std::string& what, const Work& work) -> decltype(work());

  World& world_;
  reconcile::testing::Fuse& fuse_;
  Operations& operations_;
  Clock& clock_;
  std::recursive_mutex& mutex_;
  reconcile::testing::RigMachines machines_;
};

}  // namespace paas::crash
