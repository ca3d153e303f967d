#!/bin/bash
# A warm server is booted, has the image and runs nothing; scaling up takes it first, under traffic, and refills behind.
# shellcheck source=tests/lib/scenario.sh
source "$(dirname "$0")/../lib/scenario.sh"
# shellcheck source=tests/lib/stack.sh
source "$source_root/tests/lib/stack.sh"
command -v wrk >/dev/null || skip "wrk is not installed"
use_example
site_stack warm "min: 1, max: 4, warm: 1"
check "the local cloud starts" paasctl cloud up
bring_up

# The names of the warm servers, as the lockfile has them; the service runs nowhere else than on the others.
warm() {
  lockfile '[.servers | to_entries[] | select(.value.warm) | .key] | sort | join(" ")'
}
digest_of() {
  inside "$1" 'docker ps --no-trunc --format "{{.Image}}"' | sort -u
}
check_warm() {
  local image server=$1
  image=$(digest_of "$2")
  check_equal "$server is warm" "$server" "$(warm)"
  check_equal "nothing runs on it" "" "$(inside "$server" 'docker ps --all --quiet')"
  check "it has the image of the release" inside "$server" "docker image inspect '$image'"
  check_equal "no environment lies on it" "" "$(inside "$server" 'ls /etc/paas/env 2>/dev/null || true')"
  check_lacks "it is not in rotation" "$server" "$(rotation_running lb-1)"
  check_equal "HAProxy's file is the same" "$(rotation_running lb-1)" "$(rotation_on_disk lb-1)"
}
check_warm warm-site-2 site-1
check_status "status" 0 paasctl status
check_contains "calls it warm" warm "$(grep '^warm-site-2 ' <<<"$output")"
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode

say "Scaling up under traffic"
loaded=$(reloads)
droplet=$(droplet_of site-2)
load_begin load 2
check_status "scale site=2 --timings -o json" 0 paasctl scale site=2 --timings -o json
check_equal "it is the same droplet" "$droplet" "$(droplet_of site-2)"
check_equal "both serve" "site/warm-site-1.r1 site/warm-site-2.r1" "$(rotation_running lb-1 | xargs)"
# When a stage of a server ended, in seconds since the command began.
ended() {
  jq --arg server "$1" --arg step "$2" \
    '[.timings.servers[] | select(.name == $server) | .stages[] | select(.step == $step) | .start + .seconds] | max' \
    <<<"$output"
}
check_equal "no droplet was made for it" null "$(ended warm-site-2 create_server)"
check_equal "it served before another one was there: $(ended warm-site-2 add_to_rotation) and $(ended warm-site-3 create_server) s" \
  true "$(jq -n "$(ended warm-site-2 add_to_rotation) < $(ended warm-site-3 create_server)")"
check_warm warm-site-3 site-2
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode

say "A release"
old=$(digest_of site-1)
echo '# Another release.' >>web/frontend.py
check_status "deploy" 0 paasctl deploy
check_equal "is another image" no "$([[ $(digest_of site-1) == "$old" ]] && echo yes || echo no)"
check_warm warm-site-3 site-1

load_end
check_equal "of $(total load | jq .requests) requests none failed" 0 "$(total load | jq .failed)"

say "A droplet that is gone"
api DELETE "/droplets/$(droplet_of site-2)"
droplet=$(droplet_of site-3)
it_is_gone() { ! droplets | grep -q warm-site-2; }
eventually 60 "it is gone" it_is_gone
check_status "up" 0 paasctl up --yes
check_equal "the warm one stands in for it" "$droplet" "$(droplet_of site-3)"
check_contains "and serves" site/warm-site-3 "$(rotation_running lb-1 | xargs)"
check_status "scale site=1" 0 paasctl scale site=1
check_equal "one serves" 1 "$(rotation_running lb-1 | wc -l)"
check_equal "one is warm" 1 "$(warm | wc -w)"
check_equal "nothing was reloaded" "$loaded" "$(reloads)"
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode
