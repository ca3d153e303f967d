# shellcheck shell=bash
# What a fresh Debian machine needs to build, run and test paasctl; sourced by tests/run and examples/zipkick/run.
#
#   setup_help SCRIPT ARGUMENTS...         prints a script's first comment, and exits, when asked for help
#   setup_packages build|engine|test ...   installs what is missing of these lists
#   setup_engine                           makes sure that a Docker Engine answers, and exports DOCKER_HOST
#   setup_base_image TAG                   makes the Debian image that the example's Dockerfiles start from
#   setup_step TITLE COMMAND ...           runs a command with its output in a log that is shown when it fails
#   setup_refuse_skipped REPORT            fails when tests were skipped and PAASCTL_REQUIRE_SCENARIOS is set
#
# All of it can be called again at any time and then does only what is still missing. setup_engine returns 3,
# with the reason in setup_engine_missing, where no engine can be started.

setup_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
setup_cache=${XDG_CACHE_HOME:-$HOME/.cache}/paasctl
# What one checkout has compiled serves another.
export CCACHE_BASEDIR=$setup_root CCACHE_NOHASHDIR=1

setup_help() {
  if [[ ${2:-} == -h || ${2:-} == --help ]]; then
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$1"
    exit
  fi
}

# The packages of a list.
setup_list() {
  case $1 in
    # Compiler and libraries, and the clients that paasctl calls.
    build)
      echo g++ cmake ninja-build pkg-config ccache libcli11-dev libyaml-cpp-dev libcurl4-openssl-dev \
        libfmt-dev libssl-dev nlohmann-json3-dev libcpp-httplib-dev libexpected-dev doctest-dev \
        openssh-client ca-certificates curl
      ;;
    # What the local cloud runs on, and what makes its machine images. An engine from elsewhere is left alone.
    engine)
      # A client may be there without an engine.
      { command -v dockerd && command -v docker; } >/dev/null || echo docker.io
      echo debootstrap debian-archive-keyring wget iptables iproute2 e2fsprogs util-linux
      ;;
    test)
      echo haproxy socat wrk shellcheck mandoc zsh bash-completion clang-format-14 jq python3 python3-jsonschema python3-h2 openssl \
        openssh-server procps clang-14 libclang-rt-14-dev python3-digitalocean python3-libcloud packer \
        golang-go golang-github-digitalocean-godo-dev certbot pebble util-linux docker-registry git
      ;;
  esac
}

# Fails, with their names, when tests of this report of ctest were skipped where none may be.
setup_refuse_skipped() {
  if [[ -n ${PAASCTL_REQUIRE_SCENARIOS:-} ]] && grep -q '<skipped' "$1"; then
    setup_say "error: no test may be skipped here, and these were:"
    grep -B 1 '<skipped' "$1" | sed -n 's/.*<testcase name="\([^"]*\)".*/  \1/p' >&2
    return 1
  fi
}

setup_say() {
  printf '%s\n' "$*" >&2
}

setup_step() {
  local title=$1 started=$SECONDS status=0 log
  shift
  log=$(mktemp)
  printf '%s ... ' "$title" >&2
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if ((status == 0)); then
    setup_say "$((SECONDS - started)) s"
  else
    setup_say "failed (status $status); the last lines of its output:"
    tail -n 20 "$log" >&2
  fi
  rm -f "$log"
  return "$status"
}

# Goes on as root where that is possible: machines need it. SCRIPT must be an absolute path.
setup_become_root() {
  if ((EUID != 0)) && command -v sudo >/dev/null && sudo -v; then
    exec sudo --preserve-env=DOCKER_HOST,XDG_CACHE_HOME,http_proxy,https_proxy,no_proxy,PAASCTL_REQUIRE_SCENARIOS "$@"
  fi
}

# Gives what root has built back to the user who called sudo.
setup_hand_back() {
  [[ -z ${SUDO_UID:-} ]] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$@"
}

# Runs a command as root.
setup_as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    sudo "$@"
  fi
}

setup_apt() {
  setup_as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

setup_packages() {
  local list package missing=()
  for list in "$@"; do
    for package in $(setup_list "$list"); do
      if [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
        missing+=("$package")
      fi
    done
  done
  ((${#missing[@]} > 0)) || return 0
  if ! command -v apt-get >/dev/null; then
    setup_say "error: these packages are needed, and there is no apt-get to install them: ${missing[*]}"
    return 1
  fi
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    setup_say "error: packages are missing"
    setup_say "hint: as root, run: apt-get install ${missing[*]}"
    return 1
  fi
  setup_step "Reading the lists of packages" setup_apt update || return
  if [[ " $* " == *" test "* ]]; then
    setup_step "Installing ${#missing[@]} packages: ${missing[*]}" setup_install_stopped "${missing[@]}"
  else
    setup_step "Installing ${#missing[@]} packages: ${missing[*]}" setup_install "${missing[@]}"
  fi
}

setup_install() {
  setup_apt install --no-install-recommends "$@"
}

# Tests start the servers that they need themselves: nobody wants an SSH server that came with them.
setup_install_stopped() {
  local policy=/usr/sbin/policy-rc.d status=0
  if [[ -e $policy ]]; then
    setup_install "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' | setup_as_root sh -c "cat >$policy && chmod 755 $policy"
  setup_install "$@" || status=$?
  setup_as_root rm -f "$policy"
  return "$status"
}

# Succeeds when an engine answers at this address ("unix:///run/docker.sock").
setup_answers() {
  DOCKER_HOST=$1 timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

setup_engine() {
  setup_engine_missing=
  if [[ -n ${DOCKER_HOST:-} ]]; then
    setup_packages engine || setup_no_engine "its packages could not be installed" || return
    setup_answers "$DOCKER_HOST" || setup_no_engine "no Docker Engine answers at DOCKER_HOST=$DOCKER_HOST"
    return
  fi
  if ((EUID != 0)); then
    setup_no_engine "the local cloud needs root"
    return
  fi
  setup_packages engine || setup_no_engine "Docker Engine could not be installed" || return
  local folder socket
  folder=$(setup_engine_folder)
  for socket in unix:///var/run/docker.sock "unix://$folder/docker.sock"; do
    if setup_answers "$socket"; then
      export DOCKER_HOST=$socket
      return 0
    fi
  done
  setup_start_engine "$folder"
}

setup_no_engine() {
  # shellcheck disable=SC2034 # Read by those who source this.
  setup_engine_missing=$1
  return 3
}

# Where an engine of our own keeps its socket. A path of a socket has at most 107 bytes, and containerd's are
# below this one.
setup_engine_folder() {
  local folder=$setup_cache/engine
  if ((${#folder} > 60)); then
    folder=/var/lib/paasctl-engine/$(printf %s "$folder" | sha256sum | cut -c 1-12)
  fi
  printf '%s\n' "$folder"
}

# Starts an engine that outlives this shell. Several runs at once start one.
setup_start_engine() {
  local folder=$1 log=$1/engine.log pid mtu device guard
  mkdir -p "$folder"
  exec {guard}>"$folder/guard"
  flock "$guard"
  if setup_answers "unix://$folder/docker.sock"; then
    exec {guard}>&-
    export DOCKER_HOST=unix://$folder/docker.sock
    return 0
  fi
  # One that was killed leaves its number behind, which another process may have by now.
  pid=$(cat "$folder/dockerd.pid" 2>/dev/null || true)
  if [[ -n $pid && $(cat "/proc/$pid/comm" 2>/dev/null) != dockerd ]]; then
    rm -f "$folder/dockerd.pid"
  fi
  # Packets of containers must fit through a tunnel that the machine itself is behind.
  device=$(ip -4 route show default 2>/dev/null | sed -n '1s/.* dev \([^ ]*\).*/\1/p')
  mtu=$(cat "/sys/class/net/$device/mtu" 2>/dev/null || echo 1500)
  ((mtu < 1500)) || mtu=1500

  printf 'Starting a Docker Engine in %s ... ' "$folder" >&2
  local started=$SECONDS
  setsid dockerd --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/dockerd.pid" \
    --host "unix://$folder/docker.sock" --mtu "$mtu" >"$log" 2>&1 </dev/null {guard}>&- &
  pid=$!
  disown "$pid"
  # Its socket exists before it answers, so it is asked until it answers or has ended.
  while ! setup_answers "unix://$folder/docker.sock"; do
    if ! kill -0 "$pid" 2>/dev/null || ((SECONDS - started > 90)); then
      setup_say "failed; the last lines of $log:"
      tail -n 8 "$log" >&2
      kill "$pid" 2>/dev/null || true
      exec {guard}>&-
      setup_no_engine "no Docker Engine can be started here: $(setup_engine_failure "$log")"
      return
    fi
    sleep 0.2
  done
  exec {guard}>&-
  setup_say "$((SECONDS - started)) s (stop it with: kill $pid)"
  export DOCKER_HOST=unix://$folder/docker.sock
}

# The reason that dockerd gave.
setup_engine_failure() {
  local line
  line=$(sed -n 's/^failed to start daemon: //p' "$1" | tail -n 1)
  printf '%s\n' "${line:-see $1}"
}

# Another recipe makes another image: its tag carries the recipe's hash, and TAG follows it.
setup_base_image() {
  local tag=$1 recipe=$setup_root/lib/cloud/node_image.sh made
  made=$tag-$(sha256sum "$recipe" | cut -c 1-12)
  if ! docker image inspect "$made" >/dev/null 2>&1; then
    setup_say "Making the image $tag out of Debian packages"
    bash "$recipe" base "$made" >/dev/null || return
  fi
  docker tag "$made" "$tag"
}
