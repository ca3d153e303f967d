#!/bin/bash
# Makes the local cloud's machine image from Debian packages and brings it into Docker as TAG.
#
#   node_image.sh bare|full|base TAG
#
# bare  what a fresh Debian droplet has: systemd, sshd, cloud-init, iptables
# full  the same with Docker Engine, HAProxy and socat, as a snapshot would have them
# base  only the trimmed Debian, to build container images on where no registry can be reached
#
# Runs as root. The engine is the one that DOCKER_HOST names; progress goes to standard error.
# Downloaded packages and the unpacked Debian are kept in ${XDG_CACHE_HOME:-~/.cache}/paasctl/packages for the
# next image, which then takes half the time.
# Exit status: 0 made, 64 usage, 69 something that it needs is missing, 1 failed.
set -euo pipefail

readonly suite=bookworm
readonly keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() {
  printf '%s\n' "$*" >&2
}

refuse() {
  say "error: $1"
  exit "${2:-69}"
}

# Packages beside Debian's required ones, by kind of image.
packages_of() {
  case $1 in
    base) ;;
    bare | full)
      echo systemd systemd-sysv openssh-server cloud-init python3 iptables iproute2 procps \
        ca-certificates curl e2fsprogs kmod less netbase
      ;;&
    full) echo docker.io haproxy socat ;;
  esac
}

# Prints "URI SUITE" a line for the parts of Debian that the host's own apt configuration names. apt itself is
# asked, so both the deb822 and the one-line form are understood. A repository of another vendor often has a
# suite of the same name: its origin tells it apart once its lists were fetched, its path before that.
host_sources() {
  command -v apt-get >/dev/null || return 0
  # The words in $() are apt's, not the shell's.
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' 'Created-By: Packages' \
    2>/dev/null | awk -v suite="$suite" '
      $3 != "main" || $1 !~ /^(https?|file|copy):/ { next }
      $2 != suite && $2 != suite "-updates" && $2 != suite "-security" { next }
      $4 == "Debian" || ($4 !~ /^[A-Za-z]/ && $1 ~ /debian/) { sub(/\/$/, "", $1); print $1, $2 }' |
    awk '!seen[$0]++'
}

# Prints the apt settings of the host that decide whether the mirror can be reached, as apt.conf lines.
host_apt_settings() {
  command -v apt-config >/dev/null || return 0
  apt-config dump |
    grep -E '^Acquire::(https?::(Proxy|Verify|Timeout)|Check-Valid-Until|Check-Date|Retries|ForceIPv4)' |
    grep -v ' "";$' || true
}

# Runs a stage with its output in a log, which is shown only when the stage fails.
stage() {
  local title=$1 started=$SECONDS status=0
  shift
  say "node image ($kind): $title ..."
  "$@" >>"$work/log" 2>&1 || status=$?
  if ((status != 0)); then
    say "node image ($kind): $title failed (status $status); the last lines of its output:"
    tail -n 25 "$work/log" >&2
    exit 1
  fi
  say "node image ($kind): $title: $((SECONDS - started)) s"
}

in_root() {
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    ${http_proxy:+"http_proxy=$http_proxy"} ${https_proxy:+"https_proxy=$https_proxy"} \
    chroot "$root" "$@"
}

fetch() {
  local mirror proxy
  mirror=$(awk -v suite="$suite" '$2 == suite { print $1; exit }' "$work/sources")
  # debootstrap downloads with wget, which does not read apt's configuration.
  proxy=$(sed -n 's/^Acquire::http::Proxy "\(.*\)";$/\1/p' "$work/apt-settings")
  if [[ -n $proxy && -z ${http_proxy:-} ]]; then
    export http_proxy=$proxy
  fi
  debootstrap --foreign --variant=minbase --force-check-gpg --keyring="$keyring" \
    --include=ca-certificates --cache-dir="$packages" "$suite" "$root" "$mirror"
}

# What dpkg leaves out stays left out when a machine installs more packages later.
write_package_settings() {
  mkdir -p "$root/etc/dpkg/dpkg.cfg.d" "$root/etc/apt/apt.conf.d"
  cat >"$root/etc/dpkg/dpkg.cfg.d/90paas" <<'CONFIG'
force-unsafe-io
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/lintian/*
path-exclude=/usr/share/bug/*
CONFIG
  # A proxy on the host's loopback is of use to this recipe only.
  grep -vE 'Proxy.*//(localhost|127\.|\[::1\])' "$work/apt-settings" >"$root/etc/apt/apt.conf.d/90paas" || true
  cat >>"$root/etc/apt/apt.conf.d/90paas" <<'CONFIG'
Acquire::Languages "none";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
CONFIG
}

unpack() {
  write_package_settings
  in_root /debootstrap/debootstrap --second-stage
  rm -rf "$root/debootstrap" "$root"/var/cache/apt/archives/*.deb
  # Renamed when complete, for another run may read it.
  tar -C "$root" --numeric-owner --one-file-system --xattrs --exclude='./proc/*' --exclude='./sys/*' \
    -cf "$work/debian.tar" .
  mv "$work/debian.tar" "$unpacked"
}

reuse() {
  tar -C "$root" --numeric-owner --xattrs --xattrs-include='*' -xpf "$unpacked"
  write_package_settings
}

add_packages() {
  awk '{ print "deb", $1, $2, "main" }' "$work/sources" >"$root/etc/apt/sources.list"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  # For the packages' own scripts. This runs in a mount namespace of its own, so it goes with it.
  mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
  # Nothing may be started while packages are installed into a folder.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  cp "$work/apt-settings" "$root/etc/apt/apt.conf.d/00build"
  mount --bind "$packages" "$root/var/cache/apt/archives"
  in_root apt-get update
  in_root apt-get -y dist-upgrade
  # shellcheck disable=SC2046
  in_root apt-get -y install $(packages_of "$kind")
  umount "$root/var/cache/apt/archives"
  rm "$root/usr/sbin/policy-rc.d" "$root/etc/apt/apt.conf.d/00build"
}

# The first process of a machine: puts back what a restarted container has lost, then becomes systemd.
write_machine_init() {
  cat >"$root/usr/local/sbin/paas-machine-init" <<'INIT'
#!/bin/sh
# Restores the machine's firewall and devices before anything else runs, then becomes systemd.
# The rules live in the network namespace, which is a new one after every restart of the container.
folder=/etc/paas-machine

if [ -f "$folder/firewall.rules" ]; then
  # --noflush keeps the rules by which Docker's embedded name server is reached.
  if ! iptables-restore --noflush <"$folder/firewall.rules"; then
    echo "paas-machine-init: the firewall's rules could not be restored; not starting without them" >&2
    exit 1
  fi
  # The local cloud has no IPv6: nothing of it may pass beside the rules above.
  ip6tables-restore 2>/dev/null <<'RULES' || true
*mangle
:PREROUTING DROP [0:0]
:POSTROUTING DROP [0:0]
-A PREROUTING -i lo -j ACCEPT
-A POSTROUTING -o lo -j ACCEPT
COMMIT
RULES
fi

# Docker's embedded name server listens on the machine's own loopback, which the containers of a nested engine
# cannot use. A link-local address that leads to it serves both, as a data centre's resolver would.
resolver=169.254.169.253
for flavour in nft legacy; do
  rules=$(iptables-$flavour-save -t nat 2>/dev/null | grep '^-A DOCKER_OUTPUT -d 127\.0\.0\.11') || continue
  {
    echo '*nat'
    echo "$rules" | sed "s|-d 127\.0\.0\.11\(/32\)\{0,1\}|-d $resolver|"
    echo "-A OUTPUT -d $resolver -j DOCKER_OUTPUT"
    echo "-A PREROUTING -d $resolver -j DOCKER_OUTPUT"
    echo COMMIT
    # The bridges of the nested engine may pass on to the loopback, as below; the machine's own networks may not.
    echo '*raw'
    echo '-A PREROUTING -i eth+ -d 127.0.0.0/8 -j DROP'
    echo COMMIT
  } | iptables-$flavour-restore --noflush || continue
  echo 1 >/proc/sys/net/ipv4/conf/default/route_localnet
  # Written in place: the file is mounted by Docker.
  text=$(sed "s|127\.0\.0\.11|$resolver|" /etc/resolv.conf) && printf '%s\n' "$text" >/etc/resolv.conf
  break
done

if [ -f "$folder/boot.sh" ]; then
  /bin/sh "$folder/boot.sh" || echo "paas-machine-init: $folder/boot.sh failed with status $?" >&2
fi

exec /sbin/init
INIT
  chmod 755 "$root/usr/local/sbin/paas-machine-init"
  mkdir -p "$root/etc/paas-machine"
  chmod 700 "$root/etc/paas-machine"
}

configure_cloud_init() {
  mkdir -p "$root/var/lib/cloud/seed/nocloud-net" "$root/etc/cloud/cloud.cfg.d"
  # The stages are Debian's without what a container has no use for (partitions, growing of file systems,
  # keyboards, other package managers), which takes a second off every boot.
  cat >"$root/etc/cloud/cloud.cfg.d/90_paas.cfg" <<'CONFIG'
datasource_list: [NoCloud, None]
disable_root: false
ssh_pwauth: false
ssh_genkeytypes: [ed25519, ecdsa]
preserve_hostname: false
manage_etc_hosts: false
network: {config: disabled}
apt: {preserve_sources_list: true}
cloud_init_modules:
  - seed_random
  - bootcmd
  - write-files
  - set_hostname
  - update_hostname
  - ca-certs
  - users-groups
  - ssh
cloud_config_modules:
  - set-passwords
  - timezone
  - disk_setup
  - mounts
  - apt-configure
  - runcmd
cloud_final_modules:
  - package-update-upgrade-install
  - write-files-deferred
  - scripts-vendor
  - scripts-per-once
  - scripts-per-boot
  - scripts-per-instance
  - scripts-user
  - final-message
  - power-state-change
CONFIG
  # Nobody but root, as on a droplet.
  sed -i '/^users:/,/- default/d' "$root/etc/cloud/cloud.cfg"
  # Looking for other clouds' marks on every boot finds nothing here.
  echo 'policy: enabled' >"$root/etc/cloud/ds-identify.cfg"
}

configure_services() {
  mkdir -p "$root/etc/ssh/sshd_config.d" "$root/etc/systemd/journald.conf.d"
  printf 'PermitRootLogin prohibit-password\nPasswordAuthentication no\nUseDNS no\nAddressFamily inet\n' \
    >"$root/etc/ssh/sshd_config.d/90-paas.conf"
  printf '[Journal]\nReadKMsg=no\nRuntimeMaxUse=16M\nSystemMaxUse=32M\n' \
    >"$root/etc/systemd/journald.conf.d/90-paas.conf"
  # Units that cannot work in a container, would change the host's kernel, or wake up for nothing.
  local unit
  for unit in systemd-udevd.service systemd-udev-trigger.service systemd-udev-settle.service \
    systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-networkd-wait-online.service \
    systemd-networkd.service systemd-logind.service systemd-remount-fs.service \
    systemd-modules-load.service systemd-sysctl.service systemd-random-seed.service \
    systemd-firstboot.service systemd-machine-id-commit.service systemd-pstore.service \
    getty@tty1.service getty-static.service console-getty.service getty.target \
    sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount \
    dev-hugepages.mount dev-mqueue.mount proc-sys-fs-binfmt_misc.automount proc-sys-fs-binfmt_misc.mount \
    apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
    dpkg-db-backup.timer cloud-init-hotplugd.socket; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
  done
  in_root systemctl set-default multi-user.target
  in_root systemctl enable ssh.service
  # cloud-init restarts sshd while connections arrive. A child that has just been forked still
  # holds the port then, and Debian's unit would leave sshd down for good, or, with IPv6, sshd
  # would be content with that.
  mkdir -p "$root/etc/systemd/system/ssh.service.d"
  printf '[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartPreventExitStatus=\nRestartSec=1\n' \
    >"$root/etc/systemd/system/ssh.service.d/90-paas.conf"
  if [[ $kind == full ]]; then
    in_root systemctl enable docker.service haproxy.service
  fi
}

configure() {
  if [[ $kind != base ]]; then
    write_machine_init
    configure_cloud_init
    configure_services
  fi
}

# Takes out what every machine must make for itself, and what nobody reads.
trim() {
  rm -f "$root"/etc/ssh/ssh_host_*
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb \
    "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old "$root"/var/log/* \
    "$root"/tmp/* "$root"/var/tmp/* \
    "$root"/usr/share/doc "$root"/usr/share/man/* "$root"/usr/share/info "$root"/usr/share/locale/* \
    "$root"/usr/share/lintian "$root"/usr/share/bug "$root"/var/lib/docker
  rm -f "$root/etc/hostname" "$root/etc/resolv.conf" "$root/var/lib/dbus/machine-id" \
    "$root/var/lib/systemd/random-seed"
  mkdir -p "$root/var/log/apt"
  if [[ $kind != base ]]; then
    : >"$root/etc/machine-id"
  fi
}

bring_in() {
  local changes=(--change "LABEL paas.node=$kind")
  if [[ $kind == base ]]; then
    changes+=(--change 'CMD ["/bin/bash"]')
  else
    changes+=(--change 'CMD ["/usr/local/sbin/paas-machine-init"]')
  fi
  tar -C "$root" --numeric-owner --one-file-system --xattrs --xattrs-include=security.capability -c . |
    docker import "${changes[@]}" - "$tag"
}

build() {
  root=$work/root
  mkdir -p "$root" "$packages"
  host_sources >"$work/sources"
  host_apt_settings >"$work/apt-settings"
  if ! awk -v suite="$suite" '$2 == suite { found = 1 } END { exit !found }' "$work/sources"; then
    refuse "apt on this machine names no mirror of Debian $suite: add one to /etc/apt/sources.list.d"
  fi
  # Updates of a week are quicker fetched than all of it.
  unpacked=$packages/debian-$suite.tar
  if [[ -n $(find "$unpacked" -mtime -7 2>/dev/null) ]]; then
    stage "unpacking the Debian 12 of an earlier run" reuse
  else
    stage "fetching Debian 12 from $(awk 'NR == 1 { print $1 }' "$work/sources")" fetch
    stage "unpacking it" unpack
  fi
  stage "adding packages" add_packages
  stage "configuring it" configure
  stage "trimming it" trim
  stage "bringing it into Docker as $tag" bring_in
}

clean_up() {
  local status=$?
  trap - EXIT INT TERM HUP
  if [[ -n ${builder:-} ]]; then
    # unshare ignores what is milder. It takes its whole process namespace with it, and the mounts go with the
    # last process of that.
    kill -KILL "$builder" 2>/dev/null || true
    wait "$builder" 2>/dev/null || true
  fi
  if [[ -n ${work:-} ]]; then
    rm -rf --one-file-system "$work"
  fi
  exit "$status"
}

main() {
  if [[ ${1:-} == --inside ]]; then
    kind=$2 tag=$3 work=$4 packages=$5
    build
    return
  fi
  if [[ $# != 2 || ! $1 =~ ^(bare|full|base)$ ]]; then
    say "usage: node_image.sh bare|full|base TAG"
    exit 64
  fi
  ((EUID == 0)) || refuse "making a machine image needs root"
  local tool
  for tool in debootstrap docker unshare tar wget; do
    command -v "$tool" >/dev/null || refuse "$tool is missing (apt-get install debootstrap docker.io wget)"
  done
  [[ -r $keyring ]] || refuse "$keyring is missing (apt-get install debian-archive-keyring)"
  docker version >/dev/null 2>&1 || refuse "no Docker Engine answers at ${DOCKER_HOST:-its default socket}"

  trap clean_up EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  # Not /tmp, which may be small, in memory, or mounted without devices.
  work=$(mktemp -d "${TMPDIR:-/var/tmp}/paasctl-node.XXXXXXXX")
  builder=
  local cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/paasctl/packages
  unshare --mount --propagation private --pid --fork --kill-child -- \
    bash "${BASH_SOURCE[0]}" --inside "$1" "$2" "$work" "$cache" &
  builder=$!
  local status=0
  wait "$builder" || status=$?
  builder=
  exit "$status"
}

main "$@"
