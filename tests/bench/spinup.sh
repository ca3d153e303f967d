#!/bin/bash
# How long after `paasctl scale` a new server answers its first request through the load balancer: a warm one, one from a
# machine image, and one from the plain image; beside what a machine without paasctl needs to boot, and what a change of
# HAProxy's servers takes by itself. Prints a table; nothing is judged. ROUNDS can be set.
# shellcheck source=tests/lib/scenario.sh
source "$(dirname "$0")/../lib/scenario.sh"
# shellcheck source=tests/lib/stack.sh
source "$source_root/tests/lib/stack.sh"
rounds=${ROUNDS:-5}
use_example
site_stack spin "min: 1, max: 4"
check "the local cloud starts" paasctl cloud up
bring_up

between() {
  awk -v from="$1" -v to="$2" 'BEGIN {printf "%.2f\n", to - from}'
}
quietly() {
  run "$@"
  ((status == 0)) || fail "$*" "$output$errors"
}
# row TITLE: the middle, least and most of the seconds on standard input.
row() {
  sort -n | awk -v title="$1" '{all[NR] = $1} END {printf "%-54s %6s s   (%s to %s)\n", title, all[int((NR + 1) / 2)], all[1], all[NR]}'
}

# From the command to the first answer of the second server; the first one serves all the time.
first_answer() {
  local name=$1 began
  /usr/bin/python3 "$source_root/tests/lib/first_answer.py" "http://$address/healthz" "$name\"" >"$folder/answered" &
  local asking=$!
  began=$EPOCHREALTIME
  quietly "$PAASCTL" scale site=2
  wait "$asking" || fail "the new server never answered"
  between "$began" "$(cat "$folder/answered")"
}
scale_down() {
  quietly "$PAASCTL" scale site=1
}

# From the request to sshd's first word, of a machine that no stack knows: boot IMAGE.
boot() {
  local began id public
  began=$EPOCHREALTIME
  id=$(api POST /droplets "$(jq -n --argjson image "$1" '{name: "plain", region: "nyc3", size: "s-1vcpu-1gb", image: $image}')" | jq .droplet.id)
  # An address is there before the machine is.
  until public=$(api GET "/droplets/$id" | jq -er '.droplet.networks.v4[] | select(.type == "public") | .ip_address'); do :; done
  until timeout 60 bash -c "exec 3<>/dev/tcp/$public/22 && read -r line <&3 && [[ \$line == SSH-* ]]" 2>/dev/null; do :; done
  between "$began" "$EPOCHREALTIME"
  api DELETE "/droplets/$id"
  while api GET "/droplets/$id" >/dev/null 2>&1; do :; done
}

# every COMMAND...: in each round, and what is to be done in between.
every() {
  local round
  for ((round = 1; round <= rounds; round++)); do
    "$@"
    [[ $1 != first_answer ]] || scale_down
  done
}

say "$rounds rounds: the middle, and from the least to the most"
every boot '"debian-12-x64"' | row "a machine's own boot, plain image"
every first_answer spin-site-2 | row "scale to the first answer, plain image"
quietly "$PAASCTL" image save site --snapshot
snapshot=$(awk '{print $2}' <<<"$output")
every boot "$snapshot" | row "a machine's own boot, machine image"
every first_answer spin-site-2 | row "scale to the first answer, machine image"
sed -i 's/scale: {min: 1, max: 4}/scale: {min: 1, max: 4, warm: 1}/' paas.yaml
quietly "$PAASCTL" up --yes
# The warm one has another number in each round.
first_warm_answer() {
  first_answer "$(lockfile '.servers | to_entries[] | select(.value.warm) | .key')"
  scale_down
}
every first_warm_answer | row "scale to the first answer, warm server"

# As paasctl does it: added out of rotation, let in, taken out, deleted.
inside lb-1 "cat >/tmp/change.py <<'END'
import socket, time
def order(line):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect('/run/haproxy/admin.sock')
        connection.sendall((line + chr(10)).encode())
        connection.shutdown(socket.SHUT_WR)
        said = b''
        while part := connection.recv(65536):
            said += part
    return said.decode().strip()
for _ in range(100):
    began = time.perf_counter()
    order('add server site/bench 127.0.0.1:9 weight 1')
    order('enable server site/bench')
    print(f'{time.perf_counter() - began:.5f}')
    order('set server site/bench state maint')
    time.sleep(0.01)
    left = order('del server site/bench')
    assert 'eleted' in left, left
END
python3 /tmp/change.py" | row "HAProxy's change itself (add, enable), 100 rounds"
