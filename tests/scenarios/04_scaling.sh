#!/bin/bash
# Scaling under traffic loses no request, reloads nothing and changes nobody else. All of it goes through the
# conformance proxy where DigitalOcean's document lies beside this checkout: no fault on either side.
# shellcheck source=tests/lib/scenario.sh
source "$(dirname "$0")/../lib/scenario.sh"
# shellcheck source=tests/lib/stack.sh
source "$source_root/tests/lib/stack.sh"
use_example
check "the local cloud starts" paasctl cloud up
conformance=$source_root/../shared/do-api/conformance
record_traffic_with_cloud "$conformance"
bring_up

say "Up again"
asked=$(asked_to_change)
check_status "up again" 0 paasctl up --yes
check_equal "asks the cloud for no change" "$asked" "$(asked_to_change)"

say "Scaling under traffic"
worker=$(haproxy_worker lb-1)
loaded=$(reloads)
others=$(containers_of frontend backend db cache)
environment=$(environment_in frontend-1; environment_in backend-1)
traffic_begin /

unchanged() {
  check_equal "HAProxy's worker is the same" "$worker" "$(haproxy_worker lb-1)"
  check_equal "no reload is counted" "$loaded" "$(reloads)"
  check_equal "nobody's container changed" "$others" "$(containers_of frontend backend db cache | grep -v "^zipkick-$1 ")"
  check_equal "who serves is what is written" "$(rotation_running lb-1)" "$(rotation_on_disk lb-1)"
  check "what is written is valid" inside lb-1 'haproxy -c -f /etc/haproxy/haproxy.cfg'
}

"$PAASCTL" scale frontend=3 >"$folder/first" 2>&1 &
first=$!
eventually 20 "a run holds the guard" grep -q "paasctl scale" paas.lock.guard
check_status "a second run at the same time" 75 paasctl scale backend=3
check_contains "is told which one it is" "pid $first" "$errors"
wait "$first" || fail "scale frontend=3" "$(cat "$folder/first")"
say "ok: scale frontend=3"
check_equal "three frontends serve" 3 "$(rotation_running lb-1 | grep -c ^frontend/)"
the_third_answers() { get / | grep -q zipkick-frontend-3; }
eventually 30 "the third answers" the_third_answers
unchanged frontend-3

check "scale frontend 2" paasctl scale frontend 2
check_equal "two frontends serve" 2 "$(rotation_running lb-1 | grep -c ^frontend/)"
check_lacks "its droplet is gone" frontend-3 "$(api GET '/droplets?per_page=200' | jq -r '.droplets[].name')"
unchanged frontend-3
check_equal "nobody's environment changed" "$environment" "$(environment_in frontend-1; environment_in backend-1)"

check "server up backend" paasctl server up backend
check_equal "three backends serve" 3 "$(rotation_running lb-1 | grep -c ^backend/)"
check "server down backend-1" paasctl server down backend-1
others=$(grep -v '^zipkick-backend-1 ' <<<"$others")
unchanged backend-3
check_equal "the one that was named is gone" "backend/zipkick-backend-2.r1 backend/zipkick-backend-3.r1" "$(rotation_running lb-1 | grep ^backend/ | xargs)"
traffic_end

say "Bounds"
check_status "more than max is refused" 64 paasctl scale frontend=5
check_status "less than min is refused" 64 paasctl server down frontend-1
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode

say "Down"
check "the stack goes down" paasctl down --yes
check_equal "its volume is kept" 1 "$(api GET /volumes | jq '.volumes | length')"
check_equal "no droplet is left" 0 "$(api GET /droplets | jq '.droplets | length')"
check_equal "no firewall is left" 0 "$(api GET /firewalls | jq '.firewalls | length')"
check_equal "no reserved address is left" 0 "$(api GET /reserved_ips | jq '.reserved_ips | length')"
check_equal "no tag is left but the volume's" paas:zipkick "$(api GET /tags | jq -r '.tags[].name')"
check_equal "no key is left" 0 "$(api GET /account/keys | jq '.ssh_keys | length')"
check_status "a volume goes only by its name" 64 paasctl down --yes --volumes
check_equal "it is still there" 1 "$(api GET /volumes | jq '.volumes | length')"
check "also without its volume" paasctl down --yes --volumes --confirm zipkick-db
check_equal "no volume is left" 0 "$(api GET /volumes | jq '.volumes | length')"
check_equal "nor its tag" "" "$(api GET /tags | jq -r '.tags[].name')"
check_traffic_with_cloud
