// Servers over OpenSSH: commands on shared connections, Docker's API on a forwarded socket.
#pragma once

#include "observe/machines.hpp"
#include "ports/clock.hpp"
#include "ports/http.hpp"
#include "ssh/connections.hpp"

namespace paas::observe {

class SshMachines : public Machines {
 public:
  SshMachines(ssh::Connections& connections, Http& http, Clock& clock);

  Status await_ssh(const Target& target, std::chrono::milliseconds timeout) override;
  Status await_cloud_init(const Target& target, std::chrono::milliseconds timeout) override;
  Status await_docker(const Target& target, std::chrono::milliseconds timeout) override;
  Result<std::string> make_host_key(const Target& target) override;
  Status use_host_key(const Target& target, const std::string& public_key) override;
  Status mount_volume(const Target& target, const VolumeMount& mount) override;
  Status unmount_volume(const Target& target, const VolumeMount& mount) override;
  Result<Machine> look(const Target& target, const std::string& stack, bool is_balancer) override;
  Status write_file(const Target& target, const std::string& path, std::string_view content,
                    std::uint32_t mode) override;
  Status rewrite_in_place(const Target& target, const std::string& path,
                          std::string_view content) override;
  Result<ProcessResult> run(const Target& target, const RemoteCommand& command) override;
  Result<bool> send_image(const Target& target, const docker::SavedImage& image,
                          const OnBytes& on_bytes) override;
  Result<std::string> pull_image(const Target& target, const std::string& reference,
                                 const std::optional<docker::RegistryLogin>& login) override;
  Status start_container(const Target& target, const docker::ContainerSpec& spec) override;
  Status resume_container(const Target& target, const std::string& container) override;
  Status stop_container(const Target& target, const std::string& container) override;
  Status remove_container(const Target& target, const std::string& container) override;
  Result<std::optional<docker::ContainerInfo>> container(const Target& target,
                                                         const std::string& name) override;
  Result<std::string> recent_logs(const Target& target, const std::string& container,
                                  int lines) override;
  Result<bool> healthy(const Target& target, const std::string& container, int port,
                       const std::string& path, int timeout_ms) override;
  Result<ContainerHealth> await_health(const Target& target, const HealthQuestion& question,
                                       std::chrono::milliseconds wait) override;
  Result<ContainerHealth> await_end(const Target& target, const std::string& container,
                                    std::chrono::milliseconds wait) override;
  Result<std::string> balancer_command(const Target& target, const std::string& command) override;
  Status put_certificate(const Target& target, const CertificateFile& certificate) override;
  Status remove_certificate(const Target& target, const std::string& name) override;
  Status issue_certificates(const Target& target, const AcmeOrder& order,
                            std::chrono::milliseconds timeout) override;
  Result<Secret> issued_certificates(const Target& target,
                                     const std::vector<std::string>& hosts) override;
  Status take_issued_certificates(const Target& target, const Secret& issued) override;
  Result<bool> edit_balancer(const Target& target, std::string_view before,
                             std::string_view after) override;
  Status install_balancer(const Target& target, std::string_view configuration,
                          Reload reload) override;

  /// Docker's API on a server.
  Result<docker::Engine> engine(const Target& target);

 private:
  Result<std::string> shell(const Target& target, const std::string& script,
                            const std::vector<std::string>& arguments, std::string input = {});
  Status make_file_system(const Target& target, const VolumeMount& mount);
  tl::unexpected<Error> silent_engine(const Target& target, std::string_view said);
  /// False: the file there has not the SHA-256 that is expected; empty: any will do.
  Result<bool> put_balancer_file(const Target& target, std::string_view configuration,
                                 const std::string& expected, Reload reload);

  ssh::Connections& connections_;
  Http& http_;
  Clock& clock_;
};

}  // namespace paas::observe
