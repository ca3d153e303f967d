#!/bin/bash
# A constant load, while all that a stack goes through happens to it: none of a hundred thousand requests fails.
# shellcheck source=tests/lib/scenario.sh
source "$(dirname "$0")/../lib/scenario.sh"
# shellcheck source=tests/lib/stack.sh
source "$source_root/tests/lib/stack.sh"
command -v wrk >/dev/null || skip "wrk is not installed"
use_example
sed -i '/^  frontend:/,/^  backend:/s/scale: {min: 2, max: 4}/scale: {min: 2, max: 6}/' paas.yaml
check "the local cloud starts" paasctl cloud up
bring_up

connections=8
wanted=100000

requests() {
  total load | jq .requests
}

# Says what was done, how long it took and how many requests there have been.
under_load() {
  local title=$1 began=$EPOCHREALTIME
  shift
  "$@"
  say "    $title: $(awk -v from="$began" -v to="$EPOCHREALTIME" 'BEGIN {printf "%.1f", to - from}') s, $(requests) requests so far"
}

release() {
  sed -i "/^  frontend:/,/^  backend:/s/GREETING: \"[^\"]*\"/GREETING: \"release $1\"/" paas.yaml
  check "deploy $1" paasctl deploy frontend
}

broken_release() {
  sed -i "/^  frontend:/,/^  backend:/s/MODE: frontend/MODE: broken/" paas.yaml
  check_status "a broken release is taken back" 1 paasctl deploy frontend
  sed -i "/^  frontend:/,/^  backend:/s/MODE: broken/MODE: frontend/" paas.yaml
}

worker=$(haproxy_worker lb-1)
loaded=$(reloads)
say "A constant load of $connections connections"
load_begin load "$connections"
under_load "scaled to six" check "from two to six" paasctl scale frontend=6
check_equal "six serve" 6 "$(rotation_running lb-1 | grep -c ^frontend/)"
for number in 1 2 3 4 5; do
  under_load "release $number" release "$number"
done
check_contains "the fifth runs" "GREETING=release 5" "$(environment_in frontend-6)"
under_load "a failed release" broken_release
check_contains "the fifth still runs" "GREETING=release 5" "$(environment_in frontend-6)"
under_load "rolled back" check "rollback" paasctl rollback frontend
check_contains "the fourth runs" "GREETING=release 4" "$(environment_in frontend-6)"
weights() {
  check "a server is drained" paasctl lb drain frontend-3
  check_equal "five serve" 5 "$(rotation_serving)"
  check "another one gets half of its share" paasctl lb weight frontend-4 5
  check "the first one is back" paasctl lb enable frontend-3
  check "the other as well" paasctl lb enable frontend-4
  check_equal "six serve" 6 "$(rotation_serving)"
}
# How many frontends HAProxy gives requests to.
rotation_serving() {
  inside lb-1 "echo 'show stat' | socat - /run/haproxy/admin.sock" |
    awk -F, '$1 == "frontend" && $2 ~ /^zipkick/ && $18 ~ /^UP/ && $19 > 0' | wc -l
}
under_load "drained and weighed" weights
under_load "scaled to two" check "from six to two" paasctl scale frontend=2
check_equal "two serve" 2 "$(rotation_running lb-1 | grep -c ^frontend/)"
check_equal "HAProxy's worker is the same" "$worker" "$(haproxy_worker lb-1)"
check_equal "no reload is counted" "$loaded" "$(reloads)"
under_load "a rule changed" check "a rule is added" paasctl lb rules add --path /extra --to backend --position 1 --apply
check_equal "that is one reload" "$((loaded + 1))" "$(reloads)"
number=6
while (($(requests) < wanted)); do
  under_load "release $number" release "$number"
  number=$((number + 1))
done
load_end
check_equal "who serves is what is written" "$(rotation_running lb-1)" "$(rotation_on_disk lb-1)"
say "$(total load | jq -c .)"
check "at least $wanted requests" test "$(requests)" -ge "$wanted"
check_equal "none failed" 0 "$(total load | jq .failed)"

say "A web server is killed"
load_begin killed "$connections"
pieces=$(wc -l <"$folder/killed")
docker kill "$(machine_of frontend-2)" >/dev/null
only_one_serves() { [[ $(rotation_running lb-1 | grep -c ^frontend/) == 1 ]]; }
eventually 60 "HAProxy has noticed" only_one_serves
more_pieces() { (($(wc -l <"$folder/killed") > pieces + 2)); }
eventually 120 "requests go on" more_pieces
load_end
say "$(total killed | jq -c .)"
check "it costs at most the requests in flight on it" test "$(total killed | jq .failed)" -le "$connections"
