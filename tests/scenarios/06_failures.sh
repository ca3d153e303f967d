#!/bin/bash
# What goes wrong behind paasctl's back is seen by plan and mended by up; nothing is made twice or left over.
# shellcheck source=tests/lib/scenario.sh
source "$(dirname "$0")/../lib/scenario.sh"
# shellcheck source=tests/lib/stack.sh
source "$source_root/tests/lib/stack.sh"
use_example
sed -i 's/scale: {min: 2, max: 4}/scale: {min: 1, max: 4}/' paas.yaml
check "the local cloud starts" paasctl cloud up
record_traffic_with_cloud "$source_root/../shared/do-api/conformance"

# killed_when PATTERN COMMAND: kills it without warning when its progress shows this. Only paasctl itself: what it
# had started has to find out.
killed_when() {
  local pattern=$1 run deadline=$((SECONDS + 400))
  shift
  "$PAASCTL" "$@" --yes --progress plain >"$folder/killed" 2>&1 &
  run=$!
  until grep -q -- "$pattern" "$folder/killed"; do
    kill -0 "$run" 2>/dev/null || fail "it ended before \"$pattern\"" "$(cat "$folder/killed")"
    ((SECONDS < deadline)) || fail "it never said \"$pattern\"" "$(cat "$folder/killed")"
    sleep 0.1
  done
  kill -9 "$run"
  wait "$run" 2>/dev/null || true
  say "killed when it said \"$pattern\""
}

say "Killed in the middle of up"
killed_when 'create firewall' up
killed_when 'accepted' up
killed_when ': active' up
killed_when 'prepare server' up
killed_when 'sent ' up
killed_when 'healthy' up
bring_up
check_nothing_left_over
check_equal "no number was spent on a killed run" zipkick-backend-1 "$(servers_of backend)"
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode
visits=$(get / | jq .visits)

say "A rebooted droplet"
network_of() {
  # shellcheck disable=SC2016
  inside "$1" 'ip -4 -o address show scope global | awk "/ eth/ {print \$2, \$4}" | sort
    iptables -t mangle -S paas-inbound && iptables -t mangle -S paas-outbound'
}
# When the first process of a server's machine started: later after a reboot.
boot_of() {
  inside "$1" 'cut -d " " -f 22 /proc/1/stat'
}
rebooted() {
  local now
  now=$(boot_of "$1") && [[ -n $now && $now != "$before" ]]
}
reboot() {
  before=$(boot_of "$1")
  check "$1 is rebooted" api POST "/droplets/$(droplet_of "$1")/actions" '{"type": "reboot"}'
  eventually 60 "it was off" rebooted "$1"
}
kept=$(network_of db-1)
container=$(containers_of db | awk '{print $3}')
reboot db-1
eventually 60 "its container runs again" inside db-1 'docker ps --quiet | grep -q .'
check_equal "it is the same container" "$container" "$(containers_of db | awk '{print $3}')"
check_equal "addresses and firewall are as before" "$kept" "$(network_of db-1)"
check "its volume is mounted" inside db-1 'mountpoint /mnt/zipkick-db'
eventually 30 "the stack answers" get /
check_equal "nothing was forgotten" true "$(get / | jq ".visits > $visits")"
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode

say "A rebooted load balancer"
kept=$(network_of lb-1)
serving=$(rotation_running lb-1)
check_equal "a frontend and a backend are in rotation" "backend frontend" "$(cut -d / -f 1 <<<"$serving" | xargs)"
reboot lb-1
all_serve() { [[ $(rotation_running lb-1) == "$serving" ]]; }
eventually 60 "the same servers are in rotation" all_serve
check_equal "addresses and firewall are as before" "$kept" "$(network_of lb-1)"
check_equal "it has its reserved address" "$(droplet_of lb-1)" "$(api GET "/reserved_ips/$address" | jq -r .reserved_ip.droplet.id)"
eventually 30 "the stack answers there" get /
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode

say "A droplet deleted behind its back"
check "the frontend's droplet is deleted" api DELETE "/droplets/$(droplet_of frontend-1)"
gone() { ! droplets | grep -q frontend-1; }
eventually 30 "it is gone" gone
check_status "plan sees it" 2 paasctl plan --detailed-exitcode
check_contains "and tells why" "its droplet was deleted" "$output"
check_status "up" 0 paasctl up --yes
check_equal "another one takes its place, under a name that was never used" zipkick-frontend-2 "$(servers_of frontend)"
eventually 30 "the stack answers" get /
check_equal "who serves is what is written" "$(rotation_running lb-1)" "$(rotation_on_disk lb-1)"
check_nothing_left_over

say "A container that crashes"
cp web/main.py "$folder/main.py"
containers=$(containers_of frontend backend)
sed -i 's/^def main():/&\n    sys.exit("this edition is broken")/' web/main.py
traffic_begin /
check_status "up fails" 1 paasctl up --yes
traffic_end
check_contains "it tells the program's last words" "this edition is broken" "$errors"
check_equal "the old containers go on, and nothing else is left" "$containers" "$(containers_of frontend backend)"
check_equal "not even stopped" 1 "$(inside frontend-2 'docker ps --all --quiet' | wc -l)"
cp "$folder/main.py" web/main.py
check_status "up with the mended program" 0 paasctl up --yes
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode

say "The load balancer and the database are replaced"
visits=$(get / | jq .visits)
environment=$(environment_in frontend-2 | grep BACKEND_)
check "server replace lb-1" paasctl server replace lb-1
check_equal "the public address is the same" "$address" "$(lockfile .lb.reserved_ip)"
check_equal "it is assigned to the new one" "$(droplet_of lb-2)" \
  "$(api GET "/reserved_ips/$address" | jq -r .reserved_ip.droplet.id)"
eventually 30 "the stack answers there" get /
check_equal "containers know it under the same name" "$environment" "$(environment_in frontend-2 | grep BACKEND_)"
check_status "a database's server goes only by its name" 64 paasctl server replace db-1
check "server replace db-1" paasctl server replace db-1 --confirm zipkick-db-1
check_equal "the new one has the volume" "$(droplet_of db-2)" "$(api GET /volumes | jq -r '.volumes[].droplet_ids[]')"
check_contains "its client has the new address" "DB_HOST=$(address_of db-2)" "$(environment_in backend-1)"
eventually 30 "the stack answers" get /
check_equal "the data is the same" true "$(get / | jq ".visits > $visits and .note != null")"
check_nothing_left_over
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode

say "A server that does not answer"
inside backend-1 'systemctl stop ssh'
check_status "up does not call that done" 69 paasctl up --yes
check_contains "it names the server" "whether zipkick-backend-1 is as the stack says is unknown" "$errors"
check_lacks "and does not say that all is well" "everything is as the stack says" "$errors"
check_status "plan neither" 69 paasctl plan --detailed-exitcode
inside backend-1 'systemctl start ssh'
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode

say "A host key that changed"
# shellcheck disable=SC2016
inside backend-1 'rm /etc/ssh/ssh_host_ed25519_key* && ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key && systemctl restart ssh'
memory=$(cloud_memory)
check_status "up stops" 77 paasctl up --yes
check_contains "it names the server" zipkick-backend-1 "$errors"
check_contains "and says what is wrong" "host key" "$errors"
check_equal "nothing was changed" "$memory" "$(cloud_memory)"
check_status "exec stops as well" 77 paasctl exec backend-1 -- true

say "Killed in the middle of down"
killed_when 'deletion accepted' down
check_status "down again" 0 paasctl down --yes
check_equal "no droplet is left" 0 "$(api GET /droplets | jq '.droplets | length')"
check_equal "the volume is kept" 1 "$(api GET /volumes | jq '.volumes | length')"
check_traffic_with_cloud
