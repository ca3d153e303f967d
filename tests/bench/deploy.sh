#!/bin/bash
# How long a release takes: to one server and to three, back again, one that fails, and one that changes nothing; with
# how many commands over SSH, and how much of it is round trips, told by an added delay. Prints a table; nothing is
# judged. DELAY_MS and ROUNDS can be set.
# shellcheck source=tests/lib/scenario.sh
source "$(dirname "$0")/../lib/scenario.sh"
# shellcheck source=tests/lib/stack.sh
source "$source_root/tests/lib/stack.sh"
delay_ms=${DELAY_MS:-100}
rounds=${ROUNDS:-5}
use_example
sed -i -e '/^  frontend:/,/^  backend:/s/scale: {min: 2, max: 4}/scale: {min: 1, max: 4}/' paas.yaml
check "the local cloud starts" paasctl cloud up
bring_up

# Counts commands, and takes the way with the delay when there is one.
mkdir -p "$folder/bin" "$folder/way"
cat >"$folder/bin/ssh" <<'WRAPPER'
#!/bin/sh
echo >>"$BENCH_FOLDER/commands"
if test -e "$BENCH_FOLDER/delayed"; then
  exec /usr/bin/ssh -o ProxyCommand="socat - UNIX-CONNECT:$BENCH_FOLDER/way/%h" "$@"
fi
exec /usr/bin/ssh "$@"
WRAPPER
chmod +x "$folder/bin/ssh"
export BENCH_FOLDER=$folder PATH=$folder/bin:$PATH

# measure TITLE STATUS COMMAND: the middle of all rounds; PREPARE is called with the round before each.
measure() {
  local title=$1 wanted=$2 round began times=() commands=()
  shift 2
  for ((round = 1; round <= rounds; round++)); do
    serial=$((serial + 1))
    prepare
    : >"$folder/commands"
    began=$EPOCHREALTIME
    run "$PAASCTL" "$@"
    times+=("$(awk -v from="$began" -v to="$EPOCHREALTIME" 'BEGIN {printf "%.2f", to - from}')")
    commands+=("$(wc -l <"$folder/commands")")
    ((status == wanted)) || fail "$title" "$output$errors"
  done
  local middle=$((rounds / 2))
  printf '%-46s %7s s %6s commands\n' "$title" "$(printf '%s\n' "${times[@]}" | sort -n | sed -n "$((middle + 1))p")" \
    "$(printf '%s\n' "${commands[@]}" | sort -n | sed -n "$((middle + 1))p")"
}

new_greeting() {
  sed -i "/^  frontend:/,/^  backend:/s/GREETING: \"[^\"]*\"/GREETING: \"release $serial\"/" paas.yaml
}
nothing() { :; }
there_and_back() {
  new_greeting
  check_quietly deploy frontend
}
broken() {
  new_greeting
  sed -i "/^  frontend:/,/^  backend:/s/MODE: frontend/MODE: broken/" paas.yaml
}
mended() {
  sed -i "/^  frontend:/,/^  backend:/s/MODE: broken/MODE: frontend/" paas.yaml
}
check_quietly() {
  run "$PAASCTL" "$@"
  ((status == 0)) || fail "$*" "$output$errors"
}

serial=0
all() {
  local servers=$1
  prepare() { new_greeting; }
  measure "deploy to $servers, image there" 0 deploy frontend
  prepare() { nothing; }
  measure "deploy to $servers, nothing changed" 0 deploy frontend
  prepare() { there_and_back; }
  measure "rollback of $servers" 0 rollback frontend
  check_quietly deploy frontend
  prepare() { broken; }
  measure "deploy to $servers that fails and is taken back" 1 deploy frontend
  mended
}

say "Without a delay"
all 1
check_quietly scale frontend=3
all 3

say "With $delay_ms ms of round trip to each server"
mapfile -t addresses < <(lockfile ".servers[].public_address")
/usr/bin/python3 "$source_root/tests/bench/delayed_ssh.py" "$folder/way" "$delay_ms" "${addresses[@]}" >"$folder/delay" 2>&1 &
eventually 20 "the delay is there" grep -q ready "$folder/delay"
touch "$folder/delayed"
rounds=3
all 3
check_quietly scale frontend=1
all 1
