#!/bin/bash
# How a local cloud of records is started, comes back as it was, and is ended.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"

# What cannot be is refused before anything is written.
refused cloud_up_address 64 cloud up --metadata-only --address nowhere
refused cloud_up_latency 64 cloud up --metadata-only --latency soon
check_equal "nothing was written" "" "$(find "$XDG_STATE_HOME" -type f 2>/dev/null)"

# A port that is free now: somebody listened on it until just before.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
run paasctl cloud up --metadata-only --address "127.0.0.1:$port" --latency 60ms
check_equal "status of cloud up" 0 "$status"
check_equal "it listens where it was told" "http://127.0.0.1:$port" "$output"
eval "$(paasctl cloud env)"

# request: the seconds that an answer took. A slow machine only makes it longer.
request() {
  curl -s -o /dev/null -w '%{time_total}' -H "Authorization: Bearer $DIGITALOCEAN_TOKEN" "$DIGITALOCEAN_API_URL/v2/account"
}
check "an answer takes the latency at least" python3 -c 'import sys; sys.exit(float(sys.argv[1]) < 0.06)' "$(request)"

# The same again is done already; anything else is not, and says so.
run paasctl cloud up
check_equal "status of cloud up without options" 0 "$status"
check_equal "it is the one that runs" "http://127.0.0.1:$port" "$output"
run paasctl cloud up --metadata-only --address "127.0.0.1:$port" --latency 60ms
check_equal "status of cloud up with the same options" 0 "$status"
refused cloud_up_other_address 65 cloud up --address 127.0.0.1:1
refused cloud_up_other_latency 65 cloud up --latency 1s
check_equal "it has the latency that it had" 60 "$(jq .latency_ms "$XDG_STATE_HOME/paasctl/cloud/settings.json")"

# It comes back as it was, except for what is asked for.
check "it is ended" paasctl cloud down
run paasctl cloud up
check_equal "status of cloud up after cloud down" 0 "$status"
check_equal "it listens where it did" "http://127.0.0.1:$port" "$output"
check "it has the latency that it had" python3 -c 'import sys; sys.exit(float(sys.argv[1]) < 0.06)' "$(request)"
check "it is ended once more" paasctl cloud down
run paasctl cloud up --address 127.0.0.1:0
check_equal "status of cloud up at another address" 0 "$status"
eval "$(paasctl cloud env)"
check "the latency stays" python3 -c 'import sys; sys.exit(float(sys.argv[1]) < 0.06)' "$(request)"

# Limits are the real ones' on request, and stay.
check "it is ended" paasctl cloud down
run paasctl cloud up --rate-limits on --droplet-limit 2 --latency 0ms
check_equal "status of cloud up with limits" 0 "$status"
refused cloud_up_other_limits 65 cloud up --rate-limits off
refused cloud_up_rate_limits 64 cloud up --rate-limits maybe
eval "$(paasctl cloud env)"
check_equal "how many droplets the account may have" 2 \
  "$(curl -s -H "Authorization: Bearer $DIGITALOCEAN_TOKEN" "$DIGITALOCEAN_API_URL/v2/account" | jq .account.droplet_limit)"
statuses=$(for _ in $(seq 260); do
  printf 'url = "%s/v2/account"\noutput = /dev/null\n' "$DIGITALOCEAN_API_URL"
done | curl -s -K - -H "Authorization: Bearer $DIGITALOCEAN_TOKEN" -w '%{http_code}\n' | sort | uniq -c | xargs)
check_equal "beyond 250 a minute it refuses" "249 200 11 429" "$statuses"
check "it is ended" paasctl cloud down
check "without limits again" paasctl cloud up --rate-limits off --latency 60ms

# A folder that is named by its way from here is found from elsewhere.
check "a cloud in a folder of its own" paasctl cloud up --metadata-only --state practice
run paasctl cloud status --state practice -o json
name=$(jq .name <<<"$output")
mkdir elsewhere
cd elsewhere || exit 1
run paasctl cloud status --state ../practice -o json
check_equal "its name does not depend on the way to it" "$name" "$(jq .name <<<"$output")"
check "it is gone" paasctl cloud down --purge --state ../practice
cd .. || exit 1
check_equal "its folder too" "" "$(compgen -G practice)"

# A process that was killed: its cloud is stopped, and comes back.
kill -9 "$(jq .pid "$XDG_STATE_HOME/paasctl/cloud/endpoint.json")"
while [[ $(paasctl cloud status -o json | jq -r .status) == running ]]; do :; done
run paasctl cloud status -o json
check_equal "a killed cloud is stopped" stopped "$(jq -r .status <<<"$output")"
check "it can be ended" paasctl cloud down
check "and brought back" paasctl cloud up
check "it is gone in the end" paasctl cloud down --purge
check_equal "nothing of the cloud is left" "" "$(find "$XDG_STATE_HOME/paasctl" -type f 2>/dev/null)"
check "which can be said again" paasctl cloud down --purge
refused cloud_down_absent 0 cloud down

# Machines are where they were made, whatever DOCKER_HOST names by now.
check "a cloud whose machines are on an engine that has gone" paasctl cloud up --metadata-only --state moved
check "it is stopped" paasctl cloud down --state moved
jq --arg socket "$cli_folder/earlier.sock" '.metadata_only = false | .engine_socket = $socket' moved/settings.json >settings.json
mv settings.json moved/settings.json
jq '.settings.metadata_only = false' moved/state.json >state.json
mv state.json moved/state.json
mkdir moved/world
refused cloud_purge_other_engine 69 cloud down --purge --state moved
DOCKER_HOST=unix://$cli_folder/earlier.sock refused cloud_purge_engine 69 cloud down --purge --state moved
check "what is not removed is not forgotten" test -s moved/state.json
cli_end
