#!/bin/bash
# The commands of `paasctl state`, with a local cloud of records only and servers that are played.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/ssh_fixture.sh
source "$cli_source/tests/cli/ssh_fixture.sh"
# shellcheck source=tests/cli/cloud_fixture.sh
source "$cli_source/tests/cli/cloud_fixture.sh"
# Numbers of droplets and keys have four digits here; identifiers and addresses are by chance.
cli_words='s/[0-9a-f]\{8\}-[0-9a-f-]\{27\}/UUID/g; s/account [0-9a-f]*/account ACCOUNT/; s/[0-9a-f]\{32\}/LINEAGE/g
  s/local:[0-9a-f]*/local:CLOUD/; s/serial [0-9]*/serial N/g; s/\b1[0-9]\{3\}\b/ID/g; s/-[0-9]*T[0-9]*Z\(-2\)\?/-TIME/
  s/ \(198\|10\)\.[0-9.]*/ ADDRESS/g; s/   */ /g'
cat >paas.yaml <<'END'
stack: shop
cloud: local
region: nyc3
ssh: {from: [0.0.0.0/0]}
images: {jobs: {pull: "registry.example.com/jobs:1"}}
services: {jobs: {type: worker, image: jobs, scale: {min: 1, max: 3}}}
END

# Without a lockfile there is nothing to look at.
for command in "state show" "state rm web" "state accept" "state key export --to a.key" "state key import"; do
  read -ra words <<<"$command"
  run paasctl "${words[@]}"
  check_equal "status of paasctl $command without a lockfile" 65 "$status"
  check_contains "paasctl $command without a lockfile" "there is no lockfile paas.lock" "$errors"
done
refused state_rebuild_nothing 1 state rebuild --yes
check "nothing was made of nothing" test ! -e paas.lock

# The server is made; its engine cannot pull, so that no container ever runs on it.
run paasctl up --yes
check_equal "status of up where no image can be had" 1 "$status"
lineage=$(jq -r .lineage paas.lock)
serial=$(jq .serial paas.lock)
first=$(jq -r '.servers["shop-jobs-1"].droplet.id' paas.lock)
network=$(jq -r .vpc.id paas.lock)
add_droplet() {
  api droplets -d "$(jq -n --arg name "$1" --arg vpc "$2" --argjson tags "$3" \
    '{$name, region: "nyc3", size: "s-1vcpu-1gb", image: "debian-12-x64", vpc_uuid: $vpc, $tags}')" | jq .droplet.id
}

# What it says, and never its secrets.
run paasctl state show
check_equal "status of state show" 0 "$status"
check_contains "state show names the server" "server/shop-jobs-1" "$output"
run paasctl state show -o json
check_equal "state show tells the serial" "$serial" "$(jq .serial <<<"$output")"
check_equal "state show shows no secret" "" "$(grep -E 'paas1:|PRIVATE' <<<"$output")"

# The key travels in a file of its owner's, and is printed nowhere.
key=$(<"$XDG_CONFIG_HOME/paasctl/keys/$lineage")
refused state_key_export_nowhere 64 state key export
run paasctl state key export --to shop.key
check_equal "state key export prints nothing" "" "$output"
check_contains "state key export warns" "opens every secret" "$errors"
check_equal "state key export does not show the key" "" "$(grep -F "$key" <<<"$errors")"
check_equal "the file has the key" "$key" "$(<shop.key)"
check_equal "the file is its owner's only" 600 "$(stat -c %a shop.key)"
refused state_key_export_exists 1 state key export --to shop.key
mv "$XDG_CONFIG_HOME" "$cli_folder/old-config"
refused state_key_export_missing 77 state key export --to missing.key
head -c 32 /dev/zero | base64 >other.key
refused state_key_import_other 65 state key import other.key
echo short >short.key
refused state_key_import_short 65 state key import short.key
refused state_key_import_absent 1 state key import absent.key
check "no key was stored" test ! -e "$XDG_CONFIG_HOME/paasctl/keys/$lineage"
paasctl state key import <shop.key 2>"$cli_folder/errors" || fail "state key import" "$(<"$cli_folder/errors")"
check_equal "state key import stores the key" "$key" "$(<"$XDG_CONFIG_HOME/paasctl/keys/$lineage")"
check_equal "for its owner only" 600 "$(stat -c %a "$XDG_CONFIG_HOME/paasctl/keys/$lineage")"
run paasctl state key import shop.key
check_equal "the same key again is no error" 0 "$status"
cp other.key "$XDG_CONFIG_HOME/paasctl/keys/$lineage"
refused state_key_import_exists 1 state key import shop.key
cp shop.key "$XDG_CONFIG_HOME/paasctl/keys/$lineage"
rm -- *.key

# An older lockfile put back is refused, whatever the command, and the way out works.
cp paas.lock older.lock
run paasctl scale jobs=2
check_equal "two servers" 2 "$(jq '.servers | length' paas.lock)"
cp paas.lock newest.lock
cp older.lock paas.lock
refused state_older 65 up
refused state_older_status 65 status
run paasctl state show
check_equal "it can be looked at" 0 "$status"
refused state_accept_unconfirmed 64 state accept
run paasctl state accept --yes
check_equal "status of state accept" 0 "$status"
check "its serial is above all that were seen" test "$(jq .serial paas.lock)" -gt "$(jq .serial newest.lock)"
check_equal "the number that is in use is not given out again" 3 "$(jq .services.jobs.next_number paas.lock)"
run paasctl state accept --yes
check_contains "accepting it again" "there is nothing to accept" "$errors"

# A machine that has seen nothing has the cloud as its witness.
mv "$XDG_STATE_HOME/paasctl/lockfiles" "$cli_folder/seen"
cp paas.lock accepted.lock
cp older.lock paas.lock
refused state_older_in_cloud 65 down --yes
rm -rf "$XDG_STATE_HOME/paasctl/lockfiles"
mv "$cli_folder/seen" "$XDG_STATE_HOME/paasctl/lockfiles"
cp accepted.lock paas.lock
rm ./*.lock.* older.lock newest.lock accepted.lock 2>/dev/null

# What the lockfile does not know is told, and removed with consent only.
run paasctl state verify
check_equal "status of state verify with an orphan" 1 "$status"
golden state_verify "$output"
run paasctl state verify -o json
second=$(jq -r '.orphans[] | select(.name == "shop-jobs-2") | .id' <<<"$output")
foreign=$(add_droplet shop-jobs-9 "" '["paas:shop", "paas:shop:jobs"]')
run paasctl state verify --remove-orphans
check_equal "without a terminal nothing is removed" 64 "$status"
check_equal "the orphan is there" shop-jobs-2 "$(api "droplets/$second" | jq -r .droplet.name)"
run paasctl state verify --remove-orphans --yes
check_equal "status while another lockfile's droplet is there" 1 "$status"
check_equal "the orphan is gone" not_found "$(api "droplets/$second" | jq -r .id)"
check_equal "what lies in another network stays" shop-jobs-9 "$(api "droplets/$foreign" | jq -r .droplet.name)"
api "droplets/$foreign" -X DELETE >/dev/null
check_equal "its own server stays" shop-jobs-1 "$(api "droplets/$first" | jq -r .droplet.name)"

# Forgetting touches the lockfile only.
refused state_rm_unknown 1 state rm jobs-7
refused state_rm_unconfirmed 64 state rm jobs-1
refused state_rm_network 65 state rm network/shop --yes
run paasctl state rm jobs-1 --yes
check_equal "status of state rm" 0 "$status"
check_equal "state rm prints the address" server/shop-jobs-1 "$output"
check_equal "the lockfile does not know it" 0 "$(jq '.servers | length' paas.lock)"
check_equal "the droplet is there" shop-jobs-1 "$(api "droplets/$first" | jq -r .droplet.name)"

# A lockfile is made anew only where it is lost.
refused state_rebuild_there 65 state rebuild --yes
mv paas.lock lost.lock
refused state_rebuild_backup 65 state rebuild --yes
rm paas.lock.backup
run paasctl state rebuild
check_equal "without a terminal nothing is rebuilt" 64 "$status"
check "no lockfile was written" test ! -e paas.lock
echo '{"version": 1, "line' >paas.lock
run paasctl state rebuild --yes
check_equal "status of state rebuild" 0 "$status"
golden state_rebuild "$errors
$output"
check_equal "what was there is kept" '{"version": 1, "line' "$(cat paas.lock.replaced-*)"
check_equal "its droplet is known" "$first" "$(jq -r '.servers["shop-jobs-1"].droplet.id' paas.lock)"
check_equal "it leaves, because nobody could look at it" true "$(jq '.servers["shop-jobs-1"].leaving' paas.lock)"
check_equal "its network is known" "$network" "$(jq -r .vpc.id paas.lock)"
check "it is another lineage" test "$(jq -r .lineage paas.lock)" != "$lineage"
run paasctl state rebuild --force --yes --trust-host-keys
check_equal "status of state rebuild with host keys" 0 "$status"
check_contains "the host key is told" "shop-jobs-1 shows host key SHA256:" "$errors"
check_equal "it stays" false "$(jq '.servers["shop-jobs-1"].leaving' paas.lock)"
check_equal "its host key is pinned" "ssh-ed25519" "$(jq -r '.servers["shop-jobs-1"].host_key' paas.lock | cut -d' ' -f1)"
check_equal "both that were there are kept" 2 "$(find . -name 'paas.lock.replaced-*' | wc -l)"
run paasctl up --yes
check_equal "nothing was made beside it" 1 "$(api 'droplets?tag_name=paas:shop' | jq '.droplets | length')"

# A droplet that was made by hand becomes a server.
handmade=$(add_droplet handmade "$network" '[]')
elsewhere=$(add_droplet elsewhere "" '[]')
# Networks appear late, as DigitalOcean's do: an active droplet may lack its addresses yet.
is_ready() { api "droplets/$1" | jq -e '.droplet | .status == "active" and (.networks.v4 | length > 1)' > /dev/null; }
until is_ready "$handmade" && is_ready "$elsewhere"; do :; done
refused state_import_unknown 1 state import nothing --as jobs
refused state_import_service 1 state import handmade --as job
refused state_import_untrusted 64 state import handmade --as jobs
run paasctl state import "$elsewhere" --as jobs --trust-host-keys
check_equal "status of an import from another network" 65 "$status"
check_contains "an import from another network" "is not in the stack's private network" "$errors"
run paasctl state import handmade --as jobs --trust-host-keys
check_equal "status of state import" 0 "$status"
check_equal "state import prints its name" shop-jobs-2 "$output"
check_equal "the droplet has the name" shop-jobs-2 "$(api "droplets/$handmade" | jq -r .droplet.name)"
check_equal "the lockfile knows it" "$handmade" "$(jq -r '.servers["shop-jobs-2"].droplet.id' paas.lock)"
check_contains "it was told the stack's key" authorized_keys "$(cat "$FAKE_SSH_LOG")"
run paasctl state import shop-jobs-2 --as jobs --trust-host-keys
check_equal "it is a server already" 1 "$status"
cli_end
