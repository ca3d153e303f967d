# shellcheck shell=bash
# What the tests of the binary start with: a private home, no token, no Docker Engine, and checks.
#
# A check that fails is told and the script goes on; cli_end gives the exit status. Golden files are accepted
# with PAASCTL_ACCEPT=1, and the run that accepts one fails, so that an accepting run never counts as passed.

set -uo pipefail

: "${PAASCTL:?must name the binary to test}"
PAASCTL=$(realpath "$PAASCTL")
cli_source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cli_golden=$cli_source/tests/cli/golden
cli_folder=$(mktemp -d "${TMPDIR:-/tmp}/paasctl-cli.XXXXXX")
cli_failures=0
cli_checks=0

export HOME=$cli_folder/home XDG_CONFIG_HOME=$cli_folder/config XDG_STATE_HOME=$cli_folder/state
export XDG_CACHE_HOME=$cli_folder/cache XDG_DATA_HOME=$cli_folder/data
mkdir -p "$HOME" "$cli_folder/bin" "$cli_folder/work"
export DOCKER_HOST=unix://$cli_folder/no-engine.sock NO_COLOR=1 LC_ALL=C.UTF-8
unset DIGITALOCEAN_ACCESS_TOKEN DIGITALOCEAN_TOKEN DIGITALOCEAN_API_URL PAASCTL_KEY SSH_AUTH_SOCK
ln -s "$PAASCTL" "$cli_folder/bin/paasctl"
PATH=$cli_folder/bin:$PATH
cd "$cli_folder/work" || exit 1

cli_clean() {
  if [[ -d $XDG_STATE_HOME/paasctl/cloud ]]; then
    paasctl cloud down >/dev/null 2>&1
  fi
  rm -rf "$cli_folder"
}
trap cli_clean EXIT

# needs PROGRAM...: skips the test where one of them is not installed.
needs() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || { echo "skipped: $program is not installed"; exit 77; }
  done
}

fail() {
  printf 'FAILED: %s\n' "$1"
  [[ -z ${2:-} ]] || printf '%s\n' "$2" | sed 's/^/    | /'
  cli_failures=$((cli_failures + 1))
}

# check TITLE COMMAND...: the command succeeds.
check() {
  local title=$1 seen
  shift
  cli_checks=$((cli_checks + 1))
  if ! seen=$("$@" 2>&1); then
    fail "$title ($*)" "$seen"
  fi
}

# check_equal TITLE EXPECTED ACTUAL
check_equal() {
  cli_checks=$((cli_checks + 1))
  [[ $2 == "$3" ]] || fail "$1" "expected: $2
     got: $3"
}

# check_contains TITLE PART TEXT
check_contains() {
  cli_checks=$((cli_checks + 1))
  [[ $3 == *"$2"* ]] || fail "$1: \"$2\" is not in" "$3"
}

# run COMMAND...: keeps $status, $output and $errors. Nothing is on its standard input.
run() {
  status=0
  "$@" >"$cli_folder/output" 2>"$cli_folder/errors" </dev/null || status=$?
  output=$(<"$cli_folder/output")
  errors=$(<"$cli_folder/errors")
}

# What differs from run to run, as words. cli_words is more of sed's commands, for what differs in one test only.
cli_normalise() {
  sed -e "s|$cli_folder/work|WORK|g" -e "s|$cli_folder|FOLDER|g" -e 's/127\.0\.0\.1:[0-9]\{2,5\}/127.0.0.1:PORT/g' \
    -e 's/pid [0-9]* on [^,]*, /pid N on HOST, /' -e 's/(request [0-9a-f-]*)/(request ID)/' -e 's/[0-9]\{4\}-[0-9-]*T[0-9:]*Z/TIME/g' \
    -e "${cli_words:-}"
}

# golden NAME TEXT: the text is the golden file's.
golden() {
  local file=$cli_golden/$1.txt seen difference
  cli_checks=$((cli_checks + 1))
  seen=$(cli_normalise <<<"$2")
  if difference=$(diff -u "$file" <(printf '%s\n' "$seen") 2>&1); then
    return
  fi
  if [[ -n ${PAASCTL_ACCEPT:-} ]]; then
    printf '%s\n' "$seen" >"$file"
    fail "$1 is accepted as it is now; run again without PAASCTL_ACCEPT" "$difference"
  else
    fail "$1 is not as its golden file says (PAASCTL_ACCEPT=1 accepts it)" "$difference"
  fi
}

# refused NAME STATUS ARGUMENTS...: paasctl ends with this status, prints no result, says what golden NAME says,
# and leaves the working folder as it was.
refused() {
  local name=$1 expected=$2 before
  shift 2
  before=$(cli_world)
  run paasctl "$@"
  check_equal "$name: exit status of: paasctl $*" "$expected" "$status"
  check_equal "$name: standard output of: paasctl $*" "" "$output"
  golden "$name" "\$ paasctl $*
$errors"
  check_equal "$name: the folder is as it was" "$before" "$(cli_world)"
}

# Every file here with its content's hash and rights; the guard's file may come and go.
cli_world() {
  find . -type f ! -name '*.guard' -exec sh -c 'for f; do stat -c "%n %a" "$f"; sha256sum <"$f"; done' sh {} + | sort
}

cli_end() {
  echo "$cli_checks checks, $cli_failures failed"
  ((cli_checks > 0 && cli_failures == 0)) || exit 1
}
