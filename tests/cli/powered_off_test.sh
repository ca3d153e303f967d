#!/bin/bash
# What has to change on a server that is off is done in the run that powers it on; with a local cloud of records only.
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
images: {jobs: {pull: "registry.example.com/jobs:1"}}
services: {jobs: {type: worker, image: jobs}}
END

# The server is made; its engine cannot pull, so that no container ever runs on it.
run paasctl up --yes
check_equal "status of up where no image can be had" 1 "$status"
check_equal "the server is ready" true "$(jq '.servers["shop-jobs-1"].prepared' paas.lock)"
id=$(jq -r '.servers["shop-jobs-1"].droplet.id' paas.lock)
api "droplets/$id/actions" -d '{"type": "power_off"}' >/dev/null
until [[ $(api "droplets/$id" | jq -r .droplet.status) == off ]]; do :; done

run paasctl plan
golden powered_off_plan "$output"
run paasctl up --yes --progress none
check_equal "status of up" 1 "$status"
golden powered_off_up "$errors"
check_equal "the server is on" active "$(api "droplets/$id" | jq -r .droplet.status)"
cli_end
