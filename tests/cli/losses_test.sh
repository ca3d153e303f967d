#!/bin/bash
# A volume, and a database's server without one, is destroyed only when its name is typed or given. With a local cloud
# of records only.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/ssh_fixture.sh
source "$cli_source/tests/cli/ssh_fixture.sh"
# shellcheck source=tests/cli/cloud_fixture.sh
source "$cli_source/tests/cli/cloud_fixture.sh"
cat >paas.yaml <<'END'
stack: shop
cloud: local
region: nyc3
ssh: {from: [0.0.0.0/0]}
images: {postgres: {pull: "postgres:16"}}
services:
  store: {type: db, image: postgres, port: 5432, scheme: postgresql, volume: {size: 1GiB, mount: /data}}
  notes: {type: db, image: postgres, port: 5432, scheme: postgresql}
  jobs: {type: worker, image: postgres, scale: {min: 1, max: 2}}
END

# The servers are made; their engine cannot pull. From here on the lockfile says that it could.
run paasctl up --progress none
check_equal "the servers are ready" "true true true" "$(jq -r '.servers[].prepared' paas.lock | xargs)"
check_equal "none holds data yet" "false false false" "$(jq -r '.servers[].holds_data' paas.lock | xargs)"
jq '.servers[].release = 1 | .servers["shop-notes-1"].holds_data = true | .serial += 1' paas.lock >changed.lock
cat changed.lock >paas.lock
rm changed.lock
droplets() {
  api droplets | jq -r '.droplets[].name' | sort | xargs
}
volumes() {
  api volumes | jq -r '.volumes[].name' | xargs
}

# Nobody to ask: the command that would do it is told.
refused loss_down 64 down --yes
refused loss_down_volumes 64 down --volumes
refused loss_down_one_named 64 down --yes --volumes --confirm shop-store
refused loss_replace 64 server replace notes-1
sed 's/size: 1GiB/&/; s/scheme: postgresql}/scheme: postgresql, size: s-2vcpu-2gb}/' paas.yaml >larger.yaml
cp paas.lock larger.lock
refused loss_up 64 up -f larger.yaml
refused loss_scale 64 scale notes=1 -f larger.yaml
refused loss_push 64 deps push -f larger.yaml
refused loss_without_option 64 server up jobs -f larger.yaml
run paasctl up --dry-run -f larger.yaml
check_contains "the plan calls it out" "  ! destroys server shop-notes-1, with the data of notes that is on no volume" "$output"
check_contains "and what is done" "- delete server shop-notes-1" "$output"
rm larger.yaml larger.lock
check_equal "all are there" "shop-jobs-1 shop-notes-1 shop-store-1" "$(droplets)"

# The name has to be the name.
run python3 "$cli_source/tests/cli/on_terminal.py" 'to destroy it:' 'y^M' paasctl server replace notes-1
check_equal "status of another answer" 1 "$status"
check_contains "what is said" "not confirmed, nothing was changed" "$output"
run python3 "$cli_source/tests/cli/on_terminal.py" 'to destroy it:' '^C' paasctl server replace notes-1
check_equal "status of an interruption" 130 "$status"
check_equal "all are still there" "shop-jobs-1 shop-notes-1 shop-store-1" "$(droplets)"

# A server whose data stays on a volume goes by its name as well; then as far as its engine can.
refused loss_replace_kept 64 server replace store-1
run paasctl server replace store-1 --confirm shop-store-1 --progress none
check_contains "nothing is asked for store-1" "the registry cannot be reached" "$errors"

# A droplet that the lockfile does not know may be a database's.
body=$(jq -n --arg vpc "$(jq -r .vpc.id paas.lock)" '{name: "shop-notes-7", region: "nyc3", size: "s-1vcpu-1gb",
  image: "debian-12-x64", vpc_uuid: $vpc, tags: ["paas:shop", "paas:shop:notes"]}')
api droplets -d "$body" >/dev/null
until [[ $(api 'droplets?tag_name=paas:shop' | jq -r '.droplets[].name') == *shop-notes-7* ]]; do :; done
run paasctl state verify --refresh cloud --remove-orphans --yes
check_equal "status without its name" 64 "$status"
check_contains "what would be lost" "this would destroy droplet shop-notes-7 (" "$errors"
check_contains "what would do it" "--remove-orphans --yes --confirm shop-notes-7\`" "$errors"
check_contains "the orphan stays" shop-notes-7 "$(droplets)"
run paasctl state verify --refresh cloud --remove-orphans --yes --confirm shop-notes-7
check_equal "named, it goes" "" "$(droplets | grep shop-notes-7)"

# What was lost with a lockfile is which servers hold data: here is none of them known.
mkdir rebuilt
cp paas.yaml rebuilt
cd rebuilt || exit 1
run paasctl state rebuild --yes
check_equal "status of state rebuild" 0 "$status"
check_equal "what may hold data" "shop-notes-1 shop-store-2" \
  "$(jq -r '.servers | to_entries[] | select(.value.holds_data).key' paas.lock | xargs)"
run paasctl up --progress none --yes
check_equal "status of up" 64 "$status"
check_contains "what would be lost" "server shop-notes-1, with the data of notes that is on no volume" "$errors"
cd .. || exit 1
rm -r rebuilt
check_contains "the server is there" shop-notes-1 "$(droplets)"

# Typed, it goes, and so does the rest of the stack; the volume stays until it is named.
run python3 "$cli_source/tests/cli/on_terminal.py" 'to destroy it:' 'shop-notes-1^M' paasctl down
check_equal "status of down" 0 "$status"
check_contains "it is asked once" "Destroy 4 servers of stack shop?" "$output"
check_equal "the servers are gone" "" "$(droplets)"
check_equal "the volume is kept" shop-store "$(volumes)"
run paasctl down --yes
check_contains "down says what it costs to keep" "volume shop-store (1 GiB) is kept with its data and goes on costing money" "$errors"
refused loss_volume 64 down --yes --volumes

# A page with status 404, as a proxy in between may send it, says nothing about the volume.
run paasctl cloud fault add status --status 404 --body '<html>' --method DELETE --path '/v2/volumes/*' --times 5
run paasctl down --yes --volumes --confirm shop-store --progress none
check_equal "status of a deletion that the API did not answer" 69 "$status"
check_contains "what was answered" "the API answered 404 in a form that is not the API's" "$errors"
check_equal "the lockfile still knows it" 1 "$(jq '.volumes | length' paas.lock)"
check_equal "and it is there" shop-store "$(volumes)"
check "with its name it goes" paasctl down --yes --volumes --confirm shop-store
check_equal "the volume is gone" "" "$(volumes)"
cli_end
