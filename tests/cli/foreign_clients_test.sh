#!/bin/bash
# Clients of DigitalOcean's API that know nothing of paasctl work with the local cloud as they are: here Debian's
# python3-digitalocean, python3-libcloud and godo, the library of doctl and Terraform's provider, against one of records.
# What they say and hear is held to DigitalOcean's document where it lies beside this checkout. Scenario 13 has packer,
# which needs a machine.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/clients/clients.sh
source "$cli_source/tests/clients/clients.sh"
clients_are_installed || {
  echo "skipped: python3-digitalocean, python3-libcloud, go or godo is not installed"
  exit 77
}
# shellcheck source=tests/cli/cloud_fixture.sh
source "$cli_source/tests/cli/cloud_fixture.sh"
PAASCTL_TEST_TOKEN=$(jq -r .token "$XDG_STATE_HOME/paasctl/cloud/endpoint.json")
export PAASCTL_TEST_TOKEN
clients_record "$(jq -r .url "$XDG_STATE_HOME/paasctl/cloud/endpoint.json")" "$cli_folder"
check "python3-digitalocean is content" clients_run python_digitalocean.py
check "python3-libcloud is content" clients_run libcloud_driver.py
check "godo is content" clients_run_go godo
check_equal "nothing is left of them" '0 0 0 0' \
  "$(for kind in droplets volumes reserved_ips account/keys; do api "$kind" | jq .meta.total; done | xargs)"
run clients_judge 55
check_equal "neither side differs from the published document" "" "$output"
check_equal "status of the judgement" 0 "$status"
clients_end
cli_end
