#!/bin/bash
# Several local clouds run side by side: each has its own address and token, ranges and records.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"

for cloud in one two; do
  run paasctl cloud up --metadata-only --state "$cli_folder/$cloud" --address 127.0.0.1:0
  check_equal "status of cloud up ($cloud)" 0 "$status"
done
clouds_end() {
  local cloud
  for cloud in one two; do
    paasctl cloud down --state "$cli_folder/$cloud" >/dev/null 2>&1
  done
  cli_clean
}
trap clouds_end EXIT

field() { jq -r ".$2" "$cli_folder/$1/endpoint.json"; }
for what in url token; do
  check "the two have different values of $what" test "$(field one "$what")" != "$(field two "$what")"
done

# ask CLOUD PATH [ARGUMENTS]: with the token of TOKEN_OF, the cloud itself unless it says otherwise.
ask() {
  curl -s -H "Authorization: Bearer $(field "${token_of:-$1}" token)" -H 'Content-Type: application/json' \
    "$(field "$1" url)/v2/$2" "${@:3}"
}
droplet='{"name": "web-1", "region": "nyc3", "size": "s-1vcpu-1gb", "image": "debian-12-x64", "tags": ["mine"]}'
check_equal "one makes a droplet" web-1 "$(ask one droplets -d "$droplet" | jq -r .droplet.name)"
check_equal "the other has none" 0 "$(ask two droplets | jq .meta.total)"
check_equal "nor its tag" 0 "$(ask two tags | jq .meta.total)"
check_equal "nor its network" 0 "$(ask two vpcs | jq .meta.total)"
check_equal "the token of one is none for the other" unauthorized "$(token_of=one ask two droplets | jq -r .id)"
check "one is stopped" paasctl cloud down --state "$cli_folder/one"
check_equal "the other goes on" active "$(ask two account | jq -r .account.status)"
check "one comes back" paasctl cloud up --state "$cli_folder/one"
check_equal "with its droplet" web-1 "$(ask one droplets | jq -r '.droplets[].name')"
cli_end
