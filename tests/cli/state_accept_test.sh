#!/bin/bash
# `paasctl state accept` with a lockfile of before a password was rotated, on a machine that has seen no lockfile of the
# stack: what runs on the servers proves that it is older. With a local cloud of records only and servers that are played.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/ssh_fixture.sh
source "$cli_source/tests/cli/ssh_fixture.sh"
# shellcheck source=tests/cli/cloud_fixture.sh
source "$cli_source/tests/cli/cloud_fixture.sh"
export FAKE_ENGINES=$cli_folder/engines
mkdir "$FAKE_ENGINES"
cat >paas.yaml <<'END'
stack: shop
cloud: local
region: nyc3
ssh: {from: [0.0.0.0/0]}
images: {postgres: {pull: "postgres:16"}, app: {pull: "app:1"}}
services:
  db: {type: db, image: postgres, port: 5432, scheme: postgresql, credentials: {user: app, database: app, env: {POSTGRES_PASSWORD: "{password}"}, set: [/usr/local/bin/set-password]}}
  jobs: {type: worker, image: app, links: [db]}
END
run paasctl up --yes
check_equal "status of up" 0 "$status"
cp paas.lock older.lock
run paasctl secret rotate db --yes
check_equal "status of secret rotate" 0 "$status"
rotated=$(jq .services.jobs.releases[-1].number paas.lock)
cp older.lock paas.lock
rm -r "$XDG_STATE_HOME/paasctl/lockfiles"

run paasctl up --yes
check_equal "status of up with the older one" 65 "$status"
check_contains "it says what is newer" "the lockfile is older than the servers: shop-jobs-1 runs release $rotated of jobs" "$errors"
run paasctl state accept --yes
check_equal "status of state accept" 0 "$status"
check_contains "it says what happens to the password" "note: db gets a new password with the next \`up\`" "$errors"
check_equal "the password is to be set" pending "$(jq -r .services.db.rotation.state paas.lock)"
check_equal "releases go on above the one that runs" "$rotated" "$(jq .services.jobs.releases[-1].number paas.lock)"
check_equal "and that is known to run" "$rotated" "$(jq '.servers["shop-jobs-1"].release' paas.lock)"
run paasctl up --yes
check_equal "status of up" 0 "$status"
check_equal "the password was set" null "$(jq .services.db.rotation paas.lock)"
run paasctl plan --detailed-exitcode
check_equal "nothing is left to do" 0 "$status"
check_equal "nothing was made beside it" 2 "$(api 'droplets?tag_name=paas:shop' | jq '.droplets | length')"
run paasctl state accept --yes
check_contains "accepting it again" "there is nothing to accept" "$errors"
run paasctl plan --refresh cloud
check_contains "a look at the cloud alone does not say that all is well" "as far as could be seen" "$output"
cli_end
