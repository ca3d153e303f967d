// The port to the insides of servers: what is done on them, apart from how it travels.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "docker/engine.hpp"
#include "docker/image_transfer.hpp"
#include "observe/model.hpp"
#include "ports/process.hpp"

namespace paas::observe {

/// How a server is reached.
struct Target {
  std::string name;
  std::string address;
  std::string host_key;  ///< The accepted one; two with ";" between them while one is rotated.
};

/// A volume to be mounted on a server.
struct VolumeMount {
  std::string device;  ///< "/dev/disk/by-id/scsi-0DO_Volume_NAME"
  std::string folder;  ///< "/mnt/NAME"
};

/// A certificate for the load balancer.
struct CertificateFile {
  std::string name;
  std::vector<std::string> hosts;  ///< It is shown for these; empty: for those that stand in it.
  Secret bundle;                   ///< PEM: it, its chain and its key.
};

/// What certificates are asked of an ACME server with, one for each host.
struct AcmeOrder {
  std::string email;
  std::string directory;  ///< URL
  std::vector<std::string> hosts;
};

/// What a container is asked to find out whether it is healthy.
struct HealthQuestion {
  std::string container;
  std::optional<int> port;
  std::string path;  ///< Empty: whether the port takes a connection.
  int timeout_ms = 0;
  int restarts = 0;  ///< How often the engine had started it again before.
};

struct ContainerHealth {
  std::string state;  ///< "running", "exited" ...; empty: there is no such container.
  int restarts = 0;
  int exit_code = 0;
  bool answers = false;
};

/// A command on a server.
struct RemoteCommand {
  std::vector<std::string> arguments;
  std::string input;
  std::chrono::milliseconds timeout{120'000};
};

using OnBytes = std::function<void(std::uint64_t sent, std::uint64_t total)>;

class Machines {
 public:
  virtual ~Machines() = default;

  /// Waits until SSH answers with the pinned key. Error unauthorised for another key: never
  /// retried.
  virtual Status await_ssh(const Target& target, std::chrono::milliseconds timeout) = 0;
  /// Waits until cloud-init is done and Docker answers. Error failed with cloud-init's own message.
  virtual Status await_cloud_init(const Target& target, std::chrono::milliseconds timeout) = 0;
  virtual Status await_docker(const Target& target, std::chrono::milliseconds timeout) = 0;
  /// Makes a new host key on the server, not in use yet, or returns the one that an interrupted run
  /// made.
  virtual Result<std::string> make_host_key(const Target& target) = 0;
  /// Lets sshd use the key that make_host_key() made; from then on the old one is refused. The
  /// caller has written both keys down before, so that an interruption cannot shut it out. It may
  /// be in use already.
  virtual Status use_host_key(const Target& target, const std::string& public_key) = 0;
  /// Formats the device when it is empty (never otherwise) and mounts it now and at every boot.
  /// Error failed, with the device left alone, when it has no file system and is not empty.
  virtual Status mount_volume(const Target& target, const VolumeMount& mount) = 0;
  virtual Status unmount_volume(const Target& target, const VolumeMount& mount) = 0;

  /// Looks at containers, images, mounts and, for the load balancer, HAProxy.
  virtual Result<Machine> look(const Target& target, const std::string& stack,
                               bool is_balancer) = 0;

  virtual Status write_file(const Target& target, const std::string& path, std::string_view content,
                            std::uint32_t mode) = 0;
  /// Replaces the content of a file that is mounted into containers, keeping its inode.
  virtual Status rewrite_in_place(const Target& target, const std::string& path,
                                  std::string_view content) = 0;
  virtual Result<ProcessResult> run(const Target& target, const RemoteCommand& command) = 0;

  /// Sends what the server lacks of the image; whether anything was sent.
  virtual Result<bool> send_image(const Target& target, const docker::SavedImage& image,
                                  const OnBytes& on_bytes) = 0;
  /// Lets the server pull from a registry; the configuration's digest.
  virtual Result<std::string> pull_image(const Target& target, const std::string& reference,
                                         const std::optional<docker::RegistryLogin>& login) = 0;
  virtual Status start_container(const Target& target, const docker::ContainerSpec& spec) = 0;
  /// Starts one that exists.
  virtual Status resume_container(const Target& target, const std::string& container) = 0;
  /// Stops it if it runs, within its stop timeout.
  virtual Status stop_container(const Target& target, const std::string& container) = 0;
  virtual Status remove_container(const Target& target, const std::string& container) = 0;
  /// Nothing when there is no such container.
  virtual Result<std::optional<docker::ContainerInfo>> container(const Target& target,
                                                                 const std::string& name) = 0;
  /// The last lines that a container printed.
  virtual Result<std::string> recent_logs(const Target& target, const std::string& container,
                                          int lines) = 0;
  /// Asks a container as healthy() does, again and again for `wait`, until it answers, does not run
  /// or was started again more than `restarts` times. Without a port nobody is asked.
  virtual Result<ContainerHealth> await_health(const Target& target, const HealthQuestion& question,
                                               std::chrono::milliseconds wait) = 0;
  /// Waits for the end of a container for at most `wait`, and tells its state then, which is empty
  /// when there is no such container.
  virtual Result<ContainerHealth> await_end(const Target& target, const std::string& container,
                                            std::chrono::milliseconds wait) = 0;
  /// Asks the container once: an HTTP status below 400 at `path`, or a TCP connection when it is
  /// empty. The container's own address is asked, because the engine's proxy accepts connections
  /// before the program listens.
  virtual Result<bool> healthy(const Target& target, const std::string& container, int port,
                               const std::string& path, int timeout_ms) = 0;

  /// One line of commands of HAProxy's Runtime API. It can be seen in the server's list of
  /// processes, so nothing secret may be in it.
  virtual Result<std::string> balancer_command(const Target& target,
                                               const std::string& command) = 0;
  /// Puts a certificate in place, on disk and then in the running HAProxy, without a reload.
  virtual Status put_certificate(const Target& target, const CertificateFile& certificate) = 0;
  /// Takes it out of HAProxy and off the disk; what is not there is no error.
  virtual Status remove_certificate(const Target& target, const std::string& name) = 0;
  /// Has the ACME client get what is missing, and puts it in place; from then on it renews it by
  /// itself. Error failed with what the client said: others than those named in it are in place.
  virtual Status issue_certificates(const Target& target, const AcmeOrder& order,
                                    std::chrono::milliseconds timeout) = 0;
  /// What the ACME client has of these hosts, with its account, for another load balancer's; empty:
  /// it has nothing.
  virtual Result<Secret> issued_certificates(const Target& target,
                                             const std::vector<std::string>& hosts) = 0;
  /// Brings that there and puts the certificates in place. What is there of a host stays.
  virtual Status take_issued_certificates(const Target& target, const Secret& issued) = 0;
  /// Checks the text with `haproxy -c` and puts it in the place of `before`, without a reload;
  /// false, with nothing changed, when something else is there. Error invalid: the check failed.
  virtual Result<bool> edit_balancer(const Target& target, std::string_view before,
                                     std::string_view after) = 0;
  enum class Reload { no, yes };
  /// Checks the text with `haproxy -c` and puts it in place; with Reload::yes HAProxy takes it
  /// over, and it is verified that it did (a bad reload keeps the old worker, FACTS.md). Error
  /// invalid: the check failed, nothing was changed.
  virtual Status install_balancer(const Target& target, std::string_view configuration,
                                  Reload reload) = 0;
};

}  // namespace paas::observe
