#!/bin/bash
# A bad day, as users can have it with `paasctl cloud fault`: the API is unwell, capacity is gone, machines die, stand
# still, are cut off and fill up. Each time the user is told what it is, the next `up` comes to what the stack says, and
# nothing is made twice or left over.
# shellcheck source=tests/lib/scenario.sh
source "$(dirname "$0")/../lib/scenario.sh"
# shellcheck source=tests/lib/stack.sh
source "$source_root/tests/lib/stack.sh"
use_example
sed -i 's/scale: {min: 2, max: 4}/scale: {min: 1, max: 4}/' paas.yaml
check "the local cloud starts" paasctl cloud up

# fault NAME OPTIONS...: adds one and keeps its number in $fault.
fault() {
  check_status "fault: $*" 0 paasctl cloud fault add "$@"
  fault=$output
}
mended() {
  check "the fault is removed" paasctl cloud fault rm "$@"
}
settled() {
  check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode
  check_nothing_left_over
}

say "The API is unwell while everything is made"
fault status --status 429 --retry-after 1 --nth 4 --times 2
fault status --status 500 --method GET --share 10% --seed 5
# Of few requests a small share may strike none.
fault html --method GET --nth 9 --times 2
fault cut --method GET --nth 15 --times 2
fault delay --time 300ms --share 20% --seed 13
fault cut --method POST --path /v2/droplets --after --times 1
fault half --method POST --path /v2/volumes --times 1
fault status --status 500 --method POST --path /v2/firewalls --after --times 1
check_status "up, where answers to what makes something are lost" 69 paasctl up --yes
check_contains "it says that it does not know whether there is a volume" "whether the request took effect is unknown" "$errors"
check_contains "and what to do" "hint: " "$errors"
bring_up
run paasctl cloud fault ls -o json
check_equal "each of them struck" "" "$(jq -r '.[] | select(.hits == 0) | "\(.fault) \(.target)"' <<<"$output")"
mended --all
settled
eventually 30 "the stack answers" get /

say "There is no capacity"
fault sold-out --size s-1vcpu-1gb
check_status "scale frontend=2" 1 paasctl scale frontend=2
check_contains "it says which size, and where" "s-1vcpu-1gb in nyc3" "$errors"
check_contains "and what to do" "choose another size or region" "$errors"
check_equal "no droplet was made" 1 "$(droplets | grep -c frontend)"
eventually 10 "the stack answers" get /
mended "$fault"

say "A droplet stays new"
fault stuck --times 1
"$PAASCTL" up --yes --progress plain >"$folder/stuck" 2>&1 &
stuck=$!
eventually 60 "the droplet is accepted" grep -q accepted "$folder/stuck"
made=$(api GET '/droplets?per_page=200' | jq '.droplets[] | select(.status == "new") | .id')
kill -TERM "$stuck"
eventually 10 "it says that a second signal stops at once" grep -q 'stops at once' "$folder/stuck"
kill -TERM "$stuck"
status=0
wait "$stuck" || status=$?
check_equal "it was interrupted" 130 "$status"
check_contains "it says how to go on" "goes on where this one stopped" "$(cat "$folder/stuck")"
mended "$fault"
check_status "up" 0 paasctl up --yes
check_equal "the same droplet is the server" "$made" "$(lockfile '[.servers[].droplet.id]' | grep -o "$made" || true)"
settled
two_serve() { [[ $(rotation_running lb-1 | grep -c frontend/) == 2 ]]; }
check "two frontends serve" two_serve

say "A database whose machine loses its power"
visits=$(get / | jq .visits)
fault kill --droplet zipkick-db-1
check_status "plan sees it" 2 paasctl plan --detailed-exitcode
check_contains "and says that it is off" "zipkick-db-1" "$output"
check_status "up" 0 paasctl up --yes
settled
eventually 30 "the stack answers" get /
check_equal "nothing was forgotten" true "$(get / | jq ".visits > $visits")"

say "A machine that reboots by itself"
fault reboot --droplet zipkick-cache-1
eventually 60 "up finds everything as it should be when it has booted" paasctl up --yes
eventually 60 "the stack answers" get /
settled

say "A machine that stands still"
fault freeze --droplet zipkick-backend-1
check_status "up" 69 paasctl up --yes
check_contains "it names the server" "whether zipkick-backend-1 is as the stack says is unknown" "$errors"
mended "$fault"
eventually 30 "the stack answers" get /
settled

say "A machine that is cut off"
frontend=$(servers_of frontend | head -n 1)
fault unplug --droplet "$frontend"
check_status "up" 69 paasctl up --yes
check_contains "it names the server" "whether $frontend is as the stack says is unknown" "$errors"
eventually 30 "the other one serves" get /
mended "$fault"
eventually 60 "both serve again" two_serve
settled

say "A machine whose disk is full"
fault fill-disk --droplet "$frontend"
sed -i 's/Welcome to zipkick/Welcome back/' paas.yaml
check_status "up with a change" 1 paasctl up --yes
check_contains "it names the server" "$frontend" "$errors"
check_contains "and says what it is" "no space left on device" "${errors,,}"
eventually 10 "the stack answers" get /
mended "$fault"
check_status "up" 0 paasctl up --yes
settled
greets() { [[ $(get / | jq -r .greeting) == "Welcome back" ]]; }
eventually 10 "the change is there" greets

say "The end of the day"
fault status --status 500 --share 15% --seed 3
fault cut --method DELETE --after --times 2
check_status "down" 0 paasctl down --yes --volumes --confirm zipkick-db
mended --all
for list in droplets volumes reserved_ips firewalls account/keys tags; do
  check_equal "nothing is left in $list" 0 "$(api GET "/$list" | jq .meta.total)"
done
check_equal "no machine is left" "" "$(docker ps --all --quiet --filter "label=paas.cloud=$(cloud_name)" --filter label=paas.droplet)"
