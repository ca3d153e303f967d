// Renders the cloud-config document. All scripts in it are for Debian's /bin/sh.
#include "ssh/user_data.hpp"

#include <fmt/format.h>

#include <string_view>

#include "base/text.hpp"

namespace paas::ssh {
namespace {

struct File {
  std::string_view path;
  std::string_view mode;
  std::string content;
};

// Clear of the ranges of VPCs (10.0.0.0/8 by default) and of an outer Docker (172.17 to 172.29).
constexpr std::string_view docker_settings = R"({
  "bip": "172.30.0.1/24",
  "default-address-pools": [{"base": "172.30.128.0/17", "size": 24}],
  "log-driver": "json-file",
  "log-opts": {"max-size": "10m", "max-file": "3"},
  "live-restore": false
}
)";

constexpr std::string_view docker_order = R"([Unit]
# A container with a restart policy must find its volume mounted and the metadata address closed.
Requires=paas-volumes.service paas-metadata-guard.service
After=paas-volumes.service paas-metadata-guard.service
)";

constexpr std::string_view guard_unit = R"([Unit]
Description=Keep containers from the metadata address
Before=docker.service
PartOf=docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/paas-metadata-guard

[Install]
WantedBy=multi-user.target
)";

constexpr std::string_view guard_script = R"(#!/bin/sh
# Any process on a droplet can read its user data; containers are kept from it. Docker keeps what
# it finds in DOCKER-USER, so the rule is there before the first container starts.
set -eu
iptables -w -N DOCKER-USER 2>/dev/null || true
iptables -w -C DOCKER-USER -d 169.254.169.254/32 -j DROP 2>/dev/null ||
  iptables -w -I DOCKER-USER -d 169.254.169.254/32 -j DROP
)";

constexpr std::string_view volumes_unit = R"([Unit]
Description=Mount the volumes of this server
Before=docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=180
ExecStart=/usr/local/sbin/paas-mount-volumes

[Install]
WantedBy=multi-user.target
)";

constexpr std::string_view volumes_script = R"(#!/bin/sh
# Mounts each volume of /etc/paas/volumes (lines: DEVICE MOUNTPOINT) that is not mounted yet.
# A device may appear late: it is waited for, up to a minute for all of them together.
set -u
list=/etc/paas/volumes
[ -f "$list" ] || exit 0
left=60
status=0
while read -r device mountpoint _; do
  case $device in '' | '#'*) continue ;; esac
  if mountpoint -q "$mountpoint"; then
    continue
  fi
  while [ ! -b "$device" ] && [ "$left" -gt 0 ]; do
    sleep 1
    left=$((left - 1))
  done
  if [ ! -b "$device" ]; then
    echo "the device $device is not there" >&2
    status=1
    continue
  fi
  mkdir -p "$mountpoint" && mount -t ext4 -o noatime "$device" "$mountpoint" || status=1
done <"$list"
exit "$status"
)";

// Words are put in their places: @VERSION@, @BALANCER@ (yes or no), and @ACME@ (another package).
constexpr std::string_view prepare_script = R"(#!/bin/sh
# Prepares this machine as a server of a stack; quick where an image has everything already.
set -eu
exec >>/var/log/paas-prepare.log 2>&1
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export DEBIAN_FRONTEND=noninteractive

missing_packages() {
  for pair in dockerd=docker.io haproxy=haproxy socat=socat curl=curl mkfs.ext4=e2fsprogs \
    iptables=iptables ip=iproute2@ACME@; do
    command -v "${pair%%=*}" >/dev/null || printf '%s ' "${pair#*=}"
  done
}

# Mirrors fail for a moment, and a machine that has just booted may be updating its own lists.
try() {
  for pause in 2 5 10 20 0; do
    "$@" && return 0
    sleep "$pause"
  done
  return 1
}

# Lists that could not be fetched are a warning to apt, so it is the installation that decides.
fetch_and_install() {
  apt-get -q -o DPkg::Lock::Timeout=300 update || true
  # shellcheck disable=SC2086
  apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold \
    install --no-install-recommends $packages
}

docker_has_settings() {
  ip -4 -o address show dev docker0 2>/dev/null | grep -q ' 172\.30\.0\.1/24 '
}

keep_enabled() {
  systemctl is-enabled --quiet "$1" || systemctl enable --quiet "$1"
}

start_docker() {
  keep_enabled docker.service
  # An engine that an image starts by itself may have been quicker than these files.
  if systemctl is-active --quiet docker.service && ! docker_has_settings; then
    systemctl stop docker.service
    ip link delete docker0 2>/dev/null || true
  fi
  systemctl start paas-volumes.service paas-metadata-guard.service docker.service
  try curl -fsS -o /dev/null --max-time 10 --unix-socket /var/run/docker.sock http://docker/_ping
}

settle_haproxy() {
  if [ @BALANCER@ = yes ]; then
    keep_enabled haproxy.service
    systemctl start haproxy.service
  else
    # What "systemctl disable" does, without its half a second for the old style's links.
    rm -f /etc/systemd/system/multi-user.target.wants/haproxy.service
    systemctl stop --no-block haproxy.service
  fi
}

echo "$(date -u +%T) preparing, version @VERSION@"
install -d -m 0700 /etc/paas
install -d -m 0755 /var/lib/paas
# Reads the new units and settings as well, so that Docker, once installed, starts with them.
systemctl enable --quiet paas-volumes.service paas-metadata-guard.service
packages=$(missing_packages)
if [ -n "$packages" ]; then
  echo "$(date -u +%T) installing $packages"
  try fetch_and_install
fi
settle_haproxy
start_docker
echo @VERSION@ >/var/lib/paas/ready.new
mv /var/lib/paas/ready.new /var/lib/paas/ready
echo "$(date -u +%T) ready"
)";

std::string prepare_script_for(const UserData& options) {
  const auto script = text::replace_all(std::string(prepare_script), "@VERSION@",
                                        std::to_string(user_data_version()));
  const auto settled = text::replace_all(script, "@BALANCER@", options.balancer ? "yes" : "no");
  return text::replace_all(settled, "@ACME@", options.acme ? " certbot=certbot" : "");
}

/// What makes a plain Debian a server, with the script that uses it all at the end.
std::vector<File> files_of(const UserData& options) {
  return {
      {"/etc/docker/daemon.json", "0644", std::string(docker_settings)},
      {"/etc/systemd/system/docker.service.d/paas.conf", "0644", std::string(docker_order)},
      {"/etc/systemd/system/paas-metadata-guard.service", "0644", std::string(guard_unit)},
      {"/etc/systemd/system/paas-volumes.service", "0644", std::string(volumes_unit)},
      {"/usr/local/sbin/paas-metadata-guard", "0755", std::string(guard_script)},
      {"/usr/local/sbin/paas-mount-volumes", "0755", std::string(volumes_script)},
      {"/usr/local/sbin/paas-prepare", "0755", prepare_script_for(options)},
  };
}

/// What ssh_pwauth makes cloud-init write, there before sshd starts: with nothing to change
/// cloud-init does not restart sshd (cc_set_passwords, 22.4). A restart refuses connections for a
/// while, and sshd stays down when a connection of that moment still holds the old one's port.
File no_passwords() {
  return {"/etc/ssh/sshd_config.d/50-cloud-init.conf", "0600", "PasswordAuthentication no\n"};
}

/// A YAML block literal: each line with the indentation of its place.
std::string block(std::string_view content, int indentation) {
  std::string result = "|\n";
  for (const auto& line : text::lines(content)) {
    if (!line.empty()) result += std::string(indentation, ' ') + line;
    result += '\n';
  }
  return result;
}

/// Type and blob without the comment, which is free text.
std::string key_without_comment(const std::string& public_key) {
  const auto words = text::split(text::trim(public_key), ' ');
  return words.size() < 2 ? public_key : words[0] + " " + words[1];
}

// cloud-init has ended when it writes result.json, into a folder that every boot empties.
constexpr std::string_view wait_script = R"(left=$(($1 * 5))
while [ "$left" -gt 0 ]; do
  [ -e /var/lib/paas/ready ] && exit 0
  if [ -e /run/cloud-init/result.json ] || [ -e /run/cloud-init/disabled ]; then
    [ -e /var/lib/paas/ready ] && exit 0
    cloud-init status --long >&2
    tail -n 15 /var/log/paas-prepare.log >&2
    exit 1
  fi
  sleep 0.2
  left=$((left - 1))
done
tail -n 15 /var/log/paas-prepare.log >&2
exit 3
)";

}  // namespace

std::string user_data(const UserData& options) {
  std::string result = fmt::format(
      "#cloud-config\n"
      "# Written by paasctl, version {}.\n"
      "preserve_hostname: false\n"
      "locale: false\n"
      "disable_root: false\n"
      "ssh_pwauth: false\n"
      "ssh_deletekeys: true\n"
      "ssh_keys:\n"
      "  ed25519_private: {}"
      "  ed25519_public: {}\n"
      // Before sshd starts: an image made from a server may have its file.
      "bootcmd:\n"
      "  - [cloud-init-per, instance, paas-not-ready, rm, -f, /var/lib/paas/ready]\n"
      "write_files:\n",
      user_data_version(), block(options.host_private_key.reveal(), 4),
      key_without_comment(options.host_public_key));
  auto files = files_of(options);
  files.push_back(no_passwords());
  for (const auto& file : files) {
    result += fmt::format("  - path: {}\n    permissions: '{}'\n    content: {}", file.path,
                          file.mode, block(file.content, 6));
  }
  return result + "runcmd:\n  - [/usr/local/sbin/paas-prepare]\n";
}

std::string preparation_script(const UserData& options) {
  constexpr auto mark = "PAASCTL-END-OF-FILE";
  std::string script = "set -eu\numask 022\n";
  for (const auto& file : files_of(options)) {
    const auto folder = file.path.substr(0, file.path.rfind('/'));
    script += fmt::format("mkdir -p {}\ncat >{} <<'{}'\n{}{}\nchmod {} {}\n", folder, file.path,
                          mark, file.content, mark, file.mode, file.path);
  }
  return script +
         "/usr/local/sbin/paas-prepare || { tail -n 15 /var/log/paas-prepare.log >&2; exit 1; }\n";
}

int user_data_version() { return 1; }

std::vector<std::string> wait_ready_command(std::chrono::seconds limit) {
  return {"sh", "-c", std::string(wait_script), "wait-ready", std::to_string(limit.count())};
}

Status ready_status(const ProcessResult& result) {
  if (result.exit_status == 0) return {};
  const auto said = text::trim(result.error_output);
  if (result.exit_status == 3) {
    return fail(ErrorKind::timed_out,
                fmt::format("cloud-init has not finished; its preparation said last:\n{}", said));
  }
  return fail(ErrorKind::failed, fmt::format("cloud-init did not make the server ready:\n{}", said),
              "see /var/log/cloud-init-output.log on the server");
}

}  // namespace paas::ssh
