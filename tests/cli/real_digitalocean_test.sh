#!/bin/bash
# tests/real-digitalocean/run, which is for the real API, against a local cloud of records: it costs nothing without
# being asked, it compares, and however it ends it leaves nothing behind and touches nothing that is not its own.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/ssh_fixture.sh
source "$cli_source/tests/cli/ssh_fixture.sh"
# shellcheck source=tests/cli/cloud_fixture.sh
source "$cli_source/tests/cli/cloud_fixture.sh"
real=$cli_source/tests/real-digitalocean/run
export FAKE_ENGINES=$cli_folder/engines TMPDIR=$cli_folder/temporary XDG_RUNTIME_DIR=$cli_folder/run
mkdir "$FAKE_ENGINES" "$TMPDIR" "$XDG_RUNTIME_DIR"
# Machines of records are there at once.
export PAASCTL PAASCTL_REAL_PAUSE_SECONDS=0.2 PAASCTL_REAL_POLL_SECONDS=0.05 PAASCTL_REAL_SWEEP_SECONDS=60
url=$(jq -r .url "$XDG_STATE_HOME/paasctl/cloud/endpoint.json")
token=$(jq -r .token "$XDG_STATE_HOME/paasctl/cloud/endpoint.json")
# shellcheck disable=SC2120 # Most runs have no arguments.
real() {
  DIGITALOCEAN_API_URL=$url DIGITALOCEAN_TOKEN=$token PAASCTL_REAL_DIGITALOCEAN=1 "$real" "$@"
}

# A database alone: what stands for a machine here has no HAProxy.
mkdir small
cat >small/paas.yaml <<'END'
stack: small
cloud: local
region: nyc3
size: s-1vcpu-1gb
ssh: {from: [0.0.0.0/0]}
images: {postgres: {pull: "postgres:16"}}
services:
  db: {type: db, image: postgres, port: 5432, scheme: postgresql, volume: {size: 1GiB, mount: /var/lib/postgresql/data}}
END
# shellcheck disable=SC2120
small() {
  PAASCTL_REAL_STACK=$cli_folder/work/small/paas.yaml PAASCTL_REAL_SCALE=none real "$@"
}

# Somebody has something in the account already, under names that come near.
api droplets -d '{"name": "real-db-1", "region": "nyc3", "size": "s-1vcpu-1gb", "image": "debian-12-x64", "tags": ["paas:real"]}' >/dev/null
api volumes -d '{"name": "real-db", "region": "nyc3", "size_gigabytes": 1}' >/dev/null
api reserved_ips -d '{"region": "nyc3"}' >/dev/null
api firewalls -d '{"name": "real-db", "tags": ["paas:real"]}' >/dev/null
everything() {
  local list
  for list in droplets volumes reserved_ips firewalls vpcs account/keys tags snapshots; do
    api "$list?per_page=200" | jq -r --arg list "$list" 'to_entries[] | select(.value | type == "array") | .value[] |
      "\($list) \(.name // .ip)"'
  done | sort
}
until [[ $(api droplets | jq -r '.droplets[0].status') == active ]]; do :; done
before=$(everything)
nothing_left() {
  check_equal "$1: the account is as it was" "$before" "$(everything)"
  check_equal "$1: nothing is left here" "" "$(find "$TMPDIR" -mindepth 1)"
}
# ended TITLE STATUS: what the run said is shown where it ended otherwise.
ended() {
  check_equal "$1: status" "$2" "$status"
  [[ $status == "$2" ]] || printf '%s\n%s\n' "$output" "$errors" | sed 's/^/    | /'
}

# Without being asked it does nothing, not even a request: nobody listens there.
run env DIGITALOCEAN_API_URL=http://127.0.0.1:1 DIGITALOCEAN_TOKEN=x "$real"
ended "not asked for" 64
check_contains "it says how to ask" "PAASCTL_REAL_DIGITALOCEAN=1 DIGITALOCEAN_TOKEN=" "$errors"
check_equal "it prints nothing" "" "$output"
run env DIGITALOCEAN_API_URL=http://127.0.0.1:1 DIGITALOCEAN_TOKEN=x PAASCTL_REAL_DIGITALOCEAN=yes "$real"
ended "asked for in other words" 64
run env PAASCTL_REAL_DIGITALOCEAN=1 "$real"
ended "no token" 77
run env PAASCTL_REAL_DIGITALOCEAN=1 DIGITALOCEAN_TOKEN=x DIGITALOCEAN_API_URL=http://192.0.2.1 "$real"
ended "an address that would see the token" 64
run env PAASCTL_REAL_DIGITALOCEAN=1 DIGITALOCEAN_TOKEN=wrong DIGITALOCEAN_API_URL="$url" "$real"
ended "a wrong token" 77
run real --sweep shop
ended "a sweep of what is no run's" 64

# The ceilings.
PAASCTL_REAL_MAX_USD=0.05 run real
ended "over the ceiling" 3
# Three droplets of the plan and three more at 0.00893 an hour, a GiB and an address, for one hour.
check_contains "what it would cost" ": \$0.061 at most" "$output"
check_contains "it says what would raise it" PAASCTL_REAL_MAX_USD "$errors"
nothing_left "over the ceiling"
PAASCTL_REAL_SIZE=none-such run real
ended "a size without a price" 3
nothing_left "a size without a price"

# The whole job.
run small
ended "the whole job" 0
nothing_left "the whole job"
check_contains "it compared" "deleting a network with a droplet in it" "$output"
check_equal "nothing differs" "" "$(grep DIFFERS <<<"$output")"
check_equal "the key is in no argument and no output" "" "$(grep -F "$token" <<<"$output$errors")"

# The second of three droplets is refused. A load balancer's address has been made by then, or not.
run paasctl cloud fault add status --status 422 --method POST --path /v2/droplets --nth 2
run real
ended "a failure in the middle" 1
check_contains "it says where" "FAILED: up" "$output"
nothing_left "a failure in the middle"
paasctl cloud fault rm --all 2>/dev/null

# A paasctl that is killed when it has made what costs money, and that cannot clean up either.
cat >"$cli_folder/crashing" <<END
#!/bin/bash
[[ \$1 != down ]] || kill -9 \$\$
[[ \$1 == up ]] || exec "$PAASCTL" "\$@"
coproc "$PAASCTL" "\$@" --progress json 2>&1
while read -r line; do
  [[ \$line != *'"event":"done","step":"create_server/'* ]] || break
done <&"\${COPROC[0]}"
kill -9 "\$COPROC_PID" \$\$
END
chmod +x "$cli_folder/crashing"
PAASCTL=$cli_folder/crashing run real
ended "a paasctl that crashes" 1
check_contains "what it made was found" "-db-1: status 204" "$output"
nothing_left "a paasctl that crashes"

# A droplet that never boots: until it is interrupted, and until the time is over.
run paasctl cloud fault add stuck
run python3 "$cli_source/tests/cli/signal_at.py" accepted -- env PAASCTL_REAL_DIGITALOCEAN=1 PAASCTL_REAL_SCALE=none \
  PAASCTL_REAL_STACK="$cli_folder/work/small/paas.yaml" DIGITALOCEAN_API_URL="$url" DIGITALOCEAN_TOKEN="$token" "$real"
ended "interrupted" 130
nothing_left "interrupted"
PAASCTL_REAL_MAX_SECONDS=4 run small
ended "the time is over" 1
check_contains "it says that the time is over" "PAASCTL_REAL_MAX_SECONDS are over" "$output"
nothing_left "the time is over"
paasctl cloud fault rm --all 2>/dev/null

# What cannot be deleted is told, with what removes it; what cannot be looked at is unknown.
run paasctl cloud fault add status --status 500 --method DELETE --path '/v2/volumes/*'
run paasctl cloud fault add status --status 422 --method POST --path /v2/droplets
PAASCTL_REAL_SWEEP_SECONDS=3 run small
ended "a volume that cannot be deleted" 2
left=$(sed -n 's/.*--sweep \(real-[0-9a-f]*\)$/\1/p' <<<"$output" | tail -n 1)
check_contains "it says what is left" "$left-db:" "$output"
check_contains "and what removes it" "$url/v2/volumes/$(api volumes | jq -r --arg name "$left-db" '.volumes[] | select(.name == $name) | .id')" "$output"
paasctl cloud fault rm --all 2>/dev/null
run paasctl cloud fault add html --path /v2/volumes
PAASCTL_REAL_SWEEP_SECONDS=1 run real --sweep "$left"
ended "an account that cannot be looked at" 2
check_contains "it says that it does not know" "IS UNKNOWN" "$output"
paasctl cloud fault rm --all 2>/dev/null
run real --sweep "$left"
ended "the sweep" 0
rm -rf "${TMPDIR:?}"/*
nothing_left "the sweep"
cli_end
