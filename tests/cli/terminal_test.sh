#!/bin/bash
# What is asked on a terminal, and what becomes of the answers; with a local cloud of records only.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/stack_fixture.sh
source "$cli_source/tests/cli/stack_fixture.sh"
needs python3 jq curl
write_stack
sed -i 's/^cloud: local/cloud: digitalocean/' paas.yaml
run paasctl cloud up --metadata-only
check_equal "status of cloud up" 0 "$status"
eval "$(paasctl cloud env)"
api() {
  curl -s -H "Authorization: Bearer $DIGITALOCEAN_ACCESS_TOKEN" -H 'Content-Type: application/json' \
    "$DIGITALOCEAN_API_URL/v2/$1" "${@:2}"
}
id=$(api droplets -d '{"name": "shop-web-1", "region": "nyc3", "size": "s-1vcpu-1gb", "image": "debian-12-x64",
  "tags": ["shop"]}' | jq .droplet.id)
write_lockfile "$DIGITALOCEAN_API_URL" "$id"
before=$(cli_world)

# answered KEYS: takes the stack down on a terminal, with this answer.
answered() {
  run python3 "$cli_source/tests/cli/on_terminal.py" '[y/N]' "$1" paasctl down
}
changed_nothing() {
  check_equal "$1: the droplet is there" "$id" "$(api "droplets/$id" | jq .droplet.id)"
  check_equal "$1: the lockfile is as it was" "$before" "$(cli_world)"
}
answered 'no^M'
check_equal "no: status" 1 "$status"
check_contains "it is asked what shall be destroyed" "Destroy 1 server of stack shop?" "$output"
check_contains "no: what is said" "not confirmed, nothing was changed" "$output"
changed_nothing no
answered '^M'
check_equal "no answer: status" 1 "$status"
changed_nothing "no answer"
answered '^C'
check_equal "interrupted: status" 130 "$status"
check_contains "interrupted: what is said" "interrupted, nothing was changed" "$output"
changed_nothing interrupted
answered 'y^M'
check_equal "yes: status" 0 "$status"
check_equal "yes: the droplet is gone" null "$(api "droplets/$id" | jq .droplet.id)"
cli_end
