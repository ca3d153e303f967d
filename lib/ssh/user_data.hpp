// cloud-init user data that turns a plain Debian into a server of a stack.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "ports/process.hpp"

namespace paas::ssh {

struct UserData {
  Secret host_private_key;  ///< First host key; rotated over the first connection.
  std::string host_public_key;
  /// Runs HAProxy; elsewhere it is installed, because all servers start from the same snapshots,
  /// and switched off.
  bool balancer = false;
  /// Gets certificates for itself: certbot is installed.
  bool acme = false;
};

/// A cloud-config document (ASCII, below 64 KiB), the same for all droplets of one request: their
/// host names come from the metadata, which has the droplets' names. It sets the host key, writes
/// Docker's settings (address range 172.30.0.0/16 for its bridges, logs capped), keeps containers
/// from the metadata address and Docker from starting before the volumes are mounted, installs
/// docker.io haproxy socat curl only where they are missing, and ends by writing
/// /var/lib/paas/ready. The same text serves bare and prepared images.
///
/// Volumes: a line "DEVICE MOUNTPOINT" for each in /etc/paas/volumes; the program
/// /usr/local/sbin/paas-mount-volumes mounts what is not mounted yet, at every boot and when it is
/// called. docker.service requires the unit that runs it, so restarting paas-volumes.service
/// restarts Docker: call the program instead.
std::string user_data(const UserData& options);

/// The same for a machine that was made by hand: a script for Debian's /bin/sh that writes the
/// files and runs the preparation. Host name and host key stay as they are. It may be run again.
std::string preparation_script(const UserData& options);

/// Version of the text above; changes whenever servers made with it differ.
int user_data_version();

/// The command that ends once the server is ready, or once cloud-init has ended without making it
/// ready, or after `limit`. It costs the server nothing while it waits.
std::vector<std::string> wait_ready_command(std::chrono::seconds limit);
/// What the end of that command means. Errors: timed_out; failed with cloud-init's own words and
/// the end of the preparation's log.
Status ready_status(const ProcessResult& result);

}  // namespace paas::ssh
