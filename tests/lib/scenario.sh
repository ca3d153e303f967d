# shellcheck shell=bash
# What every scenario starts with: a private home, checks that end the scenario, and an end that cleans up.
#
# A scenario is a bash script tests/scenarios/NN_name.sh that sources this file. It drives the built binary
# against local clouds of its own with real machines, and looks at the state of the world before it looks at
# output. Status 77 means skipped: no Docker Engine answers here. PAASCTL_REQUIRE_SCENARIOS=1 makes that a
# failure. PAASCTL_KEEP=1 leaves the machines and the folder for a look at them.

set -euo pipefail

source_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scenario_name=$(basename "$0" .sh)
scenario_started=$SECONDS

# --- What a scenario says -----------------------------------------------------------------------------------

say() {
  printf '[%4d s] %s\n' "$((SECONDS - scenario_started))" "$*"
}

fail() {
  say "FAILED: $1"
  if [[ -n ${2:-} ]]; then
    printf '%s\n' "$2" | sed 's/^/         | /'
  fi
  exit 1
}

skip() {
  if [[ -n ${PAASCTL_REQUIRE_SCENARIOS:-} ]]; then
    fail "this scenario may not be skipped here: $1"
  fi
  say "skipped: $1"
  trap - EXIT
  exit 77
}

# --- What it needs ------------------------------------------------------------------------------------------

# The address of the engine that answers: the one that was named, the machine's, or the one of an earlier run.
find_engine() {
  # shellcheck source=tests/lib/setup.sh
  source "$source_root/tests/lib/setup.sh"
  local socket
  for socket in ${DOCKER_HOST:-unix:///var/run/docker.sock "unix://$(setup_engine_folder)/docker.sock"}; do
    if setup_answers "$socket"; then
      export DOCKER_HOST=$socket
      return 0
    fi
  done
  return 1
}

: "${PAASCTL:?must name the binary to test}"
((EUID == 0)) || skip "the local cloud needs root"
[[ -z ${PAASCTL_NO_ENGINE:-} ]] || skip "$PAASCTL_NO_ENGINE"
find_engine || skip "no Docker Engine answers (tests/run starts one)"
# Images take minutes, so all scenarios share their cache.
export XDG_CACHE_HOME=${XDG_CACHE_HOME:-$HOME/.cache}

folder=$(mktemp -d "${TMPDIR:-/tmp}/paasctl-$scenario_name.XXXXXX")
export HOME=$folder/home XDG_CONFIG_HOME=$folder/config XDG_STATE_HOME=$folder/state XDG_DATA_HOME=$folder/data
export XDG_RUNTIME_DIR=$folder/run
mkdir -p "$HOME" "$XDG_CONFIG_HOME" "$XDG_STATE_HOME" "$XDG_DATA_HOME" "$XDG_RUNTIME_DIR"
chmod 700 "$XDG_RUNTIME_DIR"
# Only what the scenario says itself decides what is driven.
unset DIGITALOCEAN_ACCESS_TOKEN DIGITALOCEAN_TOKEN DIGITALOCEAN_API_URL PAASCTL_KEY SSH_AUTH_SOCK
cd "$folder"

# --- Running the binary -------------------------------------------------------------------------------------

# Runs paasctl with its output passed on, as a user would see it.
paasctl() {
  "$PAASCTL" "$@"
}

# Runs a command and keeps what came of it in $status, $output and $errors. Does not end the scenario.
run() {
  status=0
  "$@" >"$folder/output" 2>"$folder/errors" || status=$?
  output=$(cat "$folder/output")
  errors=$(cat "$folder/errors")
}

# --- Checks: the first that fails ends the scenario ---------------------------------------------------------

# check TITLE COMMAND...: the command succeeds.
check() {
  local title=$1 seen status=0
  shift
  seen=$("$@" 2>&1) || status=$?
  ((status == 0)) || fail "$title (status $status of: $*)" "$seen"
  say "ok: $title"
}

# check_fails TITLE COMMAND...: the command does not succeed.
check_fails() {
  local title=$1 seen
  shift
  if seen=$("$@" 2>&1); then
    fail "$title (succeeded: $*)" "$seen"
  fi
  say "ok: $title"
}

# check_equal TITLE EXPECTED ACTUAL
check_equal() {
  [[ $2 == "$3" ]] || fail "$1" "expected: $2
     got: $3"
  say "ok: $1"
}

# check_contains TITLE PART TEXT
check_contains() {
  [[ $3 == *"$2"* ]] || fail "$1: \"$2\" is not in" "$3"
  say "ok: $1"
}

# check_lacks TITLE PART TEXT
check_lacks() {
  [[ $3 != *"$2"* ]] || fail "$1: \"$2\" is in" "$3"
  say "ok: $1"
}

# check_status TITLE EXPECTED COMMAND...: the exit status; output and errors are kept as run() does.
check_status() {
  local title=$1 expected=$2
  shift 2
  run "$@"
  ((status == expected)) || fail "$title: status $status, expected $expected" "$output
$errors"
  say "ok: $title"
}

# eventually SECONDS TITLE COMMAND...: the command succeeds within this time.
eventually() {
  local seconds=$1 title=$2 deadline=$((SECONDS + $1)) seen status
  shift 2
  while true; do
    status=0
    seen=$("$@" 2>&1) || status=$?
    ((status != 0)) || break
    ((SECONDS < deadline)) || fail "$title: not within $seconds s (status $status of: $*)" "$seen"
    sleep 0.2
  done
  say "ok: $title"
}

# --- The example --------------------------------------------------------------------------------------------

# Copies the example, so that its lockfile is the scenario's own, and goes there.
use_example() {
  cp -r "$source_root/examples/zipkick" "$folder/zipkick"
  rm -f "$folder/zipkick"/paas.lock*
  setup_base_image zipkick-base:12
  cd "$folder/zipkick"
}

# Brings the stack in this folder up and keeps its public address in $address.
bring_up() {
  check_status "the stack comes up" 0 paasctl up --yes
  address=$(sed -n 's|^https\{0,1\}://\(.*\)/$|\1|p' <<<"$output")
  [[ -n $address ]] || fail "up prints the address of the load balancer" "$output"
}

# Asks the stack for a path through its load balancer.
get() {
  curl --silent --show-error --fail --max-time 10 "http://$address$1"
}

# --- The end ------------------------------------------------------------------------------------------------

# What this scenario's machines are waiting for, or what ended them.
show_what_there_was() {
  local cloud machine
  cloud=$("$PAASCTL" cloud status -o json 2>/dev/null | jq -r '.name // empty')
  [[ -n $cloud ]] || return 0
  say "its machines ($(cut -d ' ' -f 1-3 /proc/loadavg) is this machine's load):"
  # Each machine expands it.
  # shellcheck disable=SC2016
  for machine in $(docker ps --all --format '{{.Names}}' --filter "label=paas.cloud=$cloud"); do
    docker inspect -f '{{.Config.Hostname}} {{.Name}}: {{.State.Status}} {{.State.ExitCode}}' "$machine"
    docker logs --tail 5 "$machine" 2>&1
    timeout 20 docker exec "$machine" sh -c \
      'cloud-init status; systemctl list-jobs --no-legend; cat /proc/uptime
      for unit in $(systemctl --failed --no-legend --plain | cut -d " " -f 1); do
        systemctl status --no-pager --lines 0 "$unit"
        journalctl --no-pager --lines 20 --unit "$unit"
      done' 2>&1
  done | sed 's/^/         | /'
}

scenario_end() {
  local status=$?
  trap - EXIT INT TERM
  set +e
  cd /
  # What a check that failed left running in the background.
  jobs -p | xargs -r kill 2>/dev/null
  if ((status != 0)); then
    show_what_there_was
  fi
  if [[ -n ${PAASCTL_KEEP:-} ]]; then
    say "machines and data are left; the data is in $folder"
    exit "$status"
  fi
  if ! "$PAASCTL" cloud down --purge >"$folder/purge.log" 2>&1; then
    say "paasctl cloud down --purge failed:"
    tail -n 20 "$folder/purge.log"
    ((status != 0)) || status=1
  fi
  if ((status != 0)); then
    say "$scenario_name failed; its data is in $folder"
  else
    rm -rf "$folder"
    say "$scenario_name passed"
  fi
  exit "$status"
}
trap scenario_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
