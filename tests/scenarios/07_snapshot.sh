#!/bin/bash
# A machine image is made from a builder that never held a secret, and servers are created from it.
# shellcheck source=tests/lib/scenario.sh
source "$(dirname "$0")/../lib/scenario.sh"
# shellcheck source=tests/lib/stack.sh
source "$source_root/tests/lib/stack.sh"
use_example

# One server with a secret in its environment: the canary.
canary=canary-$(od -An -N 12 -tx1 /dev/urandom | tr -d ' \n')
site_stack snap "min: 1, max: 3" "CANARY: \"$canary\""
check "the local cloud starts" paasctl cloud up
record_traffic_with_cloud "$source_root/../shared/do-api/conformance"
bring_up
check_contains "a plain image first" debian-12 "$(api GET "/droplets/$(droplet_of site-1)" | jq -r .droplet.image.slug)"
own_keys=$(inside site-1 'cat /etc/ssh/ssh_host_*.pub; cat /etc/machine-id' | awk '{print ($2 == "" ? $1 : $2)}')
stack_key=$(lockfile .ssh_key.public_key | awk '{print $2}')

say "A machine image"
check_status "image save --snapshot" 0 paasctl image save site --snapshot
snapshot=$(awk '{print $2}' <<<"$output")
check_equal "the cloud has it" "$snapshot" "$(api GET '/snapshots?resource_type=droplet' | jq -r '.snapshots[].id')"
check_equal "the builder is gone" "$(lockfile '.servers | keys[]')" "$(api GET /droplets | jq -r '.droplets[].name' | sort)"
check_equal "also from the lockfile" 0 "$(lockfile '.temporary // {} | length')"

say "What is in it"
images=$(docker image ls --quiet --filter "label=paas.cloud=$(cloud_name)" | sort -u)
[[ -n $images ]] || images=$(docker image ls --format '{{.Repository}}:{{.Tag}}' | grep -F "$(cloud_name)" || true)
check_equal "the machine image is one image of the engine" 1 "$(wc -w <<<"$images")"
volume=$(docker volume ls --quiet --filter "label=paas.cloud=$(cloud_name)" | grep -- -image-)
check_equal "with one volume of what its Docker Engine has" 1 "$(wc -w <<<"$volume")"
# Searches it and its Docker Engine's data with its own tools and nothing running. What is printed must be what is
# expected; a search that cannot be made ends the scenario.
check_search() {
  local title=$1 expected=$2 found
  found=$(docker run --rm --network none --entrypoint sh --volume "$volume:/var/lib/docker:ro" "$images" -c "$3") ||
    fail "$title: the search failed" "$found"
  check_equal "$title" "$expected" "$found"
}
# The search for files with this in them; that there are none is no failure.
files_with() {
  printf "{ grep -rls -e '%s' / --exclude-dir=proc --exclude-dir=sys || test \$? = 1; }" "$1"
}
for word in "$canary" "$stack_key" "$own_keys"; do
  check "there is something to search for" test "${#word}" -gt 20
done
check_search "Docker and images are in it" yes \
  'test -x /usr/sbin/dockerd && ls /var/lib/docker/image/overlay2/imagedb/content/sha256 | grep -q . && echo yes'
check_search "what is in it is found" /etc/debian_version "$(files_with '^12[.][0-9]') | grep -x /etc/debian_version"
check_search "the canary is nowhere" "" "$(files_with "$canary")"
check_search "nor the stack's key" "" "$(files_with "$stack_key")"
check_search "no environment" "" 'test ! -e /etc/paas || find /etc/paas -type f'
check_search "no host keys" "" 'find /etc/ssh -name "ssh_host_*"; find /etc/ssh -name "paas_*"'
check_search "no private key of any kind" "" \
  "grep -rlsE '^-----BEGIN [A-Z ]*PRIVATE KEY-----' /etc /root /home /var/lib/cloud /tmp /opt || test \$? = 1"
check_search "no machine-id" "" 'cat /etc/machine-id; test ! -s /var/lib/dbus/machine-id || cat /var/lib/dbus/machine-id'
check_search "nobody is let in" "" 'find / -xdev -name authorized_keys -size +0'
check_search "no user data" "" 'find /var/lib/cloud -name "user-data*" -size +0'
check_search "no container was ever made" "" 'ls /var/lib/docker/containers'

say "Servers from it"
check_status "scale site=2" 0 paasctl scale site=2
check_equal "the new server is made from it" "$snapshot" "$(api GET "/droplets/$(droplet_of site-2)" | jq -r .droplet.image.id)"
check_contains "its container was started" "healthy" "$errors"
check_lacks "its image was there already: nothing is sent" "sent " "$errors"
check_equal "both serve" 2 "$(rotation_running lb-1 | grep -c ^site/)"
check_contains "with the environment of the stack" "CANARY=$canary" "$(environment_in site-2)"
for word in $own_keys; do
  check_lacks "its keys and identifiers are its own" "$word" "$(inside site-2 'cat /etc/ssh/ssh_host_*.pub /etc/machine-id')"
done
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode

say "It is listed and removed"
check_status "image ls --snapshot" 0 paasctl image ls --snapshot -o json
check_equal "it is the one of the service" "$snapshot site" "$(jq -r '.[] | .id + " " + .service' <<<"$output")"
check_status "image rm --snapshot" 0 paasctl image rm site --snapshot --yes
check_equal "the cloud has none" 0 "$(api GET '/snapshots?resource_type=droplet' | jq '.snapshots | length')"
check_status "its server goes on: nothing is left to do" 0 paasctl plan --detailed-exitcode

say "A droplet that was made by hand"
ssh-keygen -q -t ed25519 -N "" -C somebody -f "$folder/own_key"
key=$(api POST /account/keys "$(jq -n --arg key "$(cat "$folder/own_key.pub")" '{name: "somebody", public_key: $key}')" | jq .ssh_key.id)
handmade=$(api POST /droplets "$(jq -n --arg vpc "$(lockfile .vpc.id)" --argjson key "$key" '{name: "handmade", region: "nyc3",
  size: "s-1vcpu-1gb", image: "debian-12-x64", vpc_uuid: $vpc, ssh_keys: [$key]}')" | jq .droplet.id)
# With the agent of whoever made it.
with_own_key() {
  # shellcheck disable=SC2016
  ssh-agent sh -c 'key=$1; shift; ssh-add -q "$key" && exec "$@"' - "$folder/own_key" "$PAASCTL" "$@"
}
eventually 120 "state import takes it over" with_own_key state import handmade --as site --trust-host-keys
imported=$(api GET "/droplets/$handmade" | jq -r .droplet.name)
check_equal "it has a server's name" "$handmade" "$(droplet_of "$imported")"
check_status "up" 0 paasctl up --yes
check_contains "it serves" "site/$imported." "$(rotation_running lb-1)"
check_contains "with the environment of the stack" "CANARY=$canary" "$(environment_in "$imported")"
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode
check_traffic_with_cloud
