#!/bin/bash
# A plan that was written to a file is applied as it was shown, also in another folder, or refused with what has
# moved. With a local cloud of records only.
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
services: {jobs: {type: worker, image: jobs, env: {API_TOKEN: tell-nobody}, scale: {min: 1, max: 2}}}
END

run paasctl plan
shown=$output
check_contains "the plan has what the stack costs" "Cost a month: droplets \$0.00 before, \$6.00 after (+\$6.00)." "$output"
run paasctl plan --out stack.plan
check_equal "status of plan --out" 0 "$status"
check_equal "the plan is shown as ever" "$shown" "$output"
check_contains "it is said what applies it" "\`paasctl up stack.plan\`" "$errors"
check_equal "the file is for its owner" 600 "$(stat -c %a stack.plan)"
check_equal "it has no secret" "" "$(grep tell-nobody stack.plan)"
check_equal "it has the steps that are printed" "$(paasctl plan -o json | jq -c .steps)" "$(jq -c .plan.steps stack.plan)"
check "an older plan is written over" paasctl plan --out stack.plan

refused plan_out_other 1 plan --out paas.yaml
refused plan_out_cloud 64 plan --out other.plan --refresh cloud
refused plan_file_stack 65 up paas.yaml
refused plan_file_absent 65 up absent.plan
refused plan_file_loss 64 up stack.plan --accept-loss
head -c 100 stack.plan >cut.plan
refused plan_file_cut 65 up cut.plan
run paasctl up stack.plan --dry-run
check_equal "what holds is shown" "0 $shown" "$status $output"

# The next job has the same checkout, somewhere else. Its engine cannot pull, so that the last steps fail.
mkdir elsewhere
cp paas.yaml stack.plan elsewhere
cd elsewhere || exit 1
run paasctl up stack.plan --progress none
check_contains "the plan is applied without a question" "the registry cannot be reached" "$errors"
check_equal "the server that was shown is made" shop-jobs-1 "$(api droplets | jq -r '.droplets[].name')"
sed -i 's/"serial": [0-9]*/"serial": 20/' paas.lock
refused plan_file_applied 1 up stack.plan

# What moves after the plan was shown.
check "another plan" paasctl plan --out stack.plan
sed -i 's/API_TOKEN: tell-nobody/API_TOKEN: another/' paas.yaml
refused plan_file_edited 1 up stack.plan
sed -i 's/API_TOKEN: another/API_TOKEN: tell-nobody/' paas.yaml
check "as it was it holds" paasctl up stack.plan --dry-run
# A rule was added by hand, and then another one: the step is the same, and what it takes away is not.
add_rule() {
  api "firewalls/$(jq -r .firewalls.jobs.id paas.lock)/rules" -d "{\"inbound_rules\": [{\"protocol\": \"tcp\",
    \"ports\": \"$1\", \"sources\": {\"addresses\": [\"0.0.0.0/0\"]}}]}"
}
add_rule 25
check "a plan that takes the rule away" paasctl plan --out stack.plan
add_rule 26
refused plan_file_firewall 1 up stack.plan
check "a plan that takes both away" paasctl plan --out stack.plan

id=$(jq -r '.servers["shop-jobs-1"].droplet.id' paas.lock)
api "droplets/$id/actions" -d '{"type": "power_off"}' >/dev/null
until [[ $(api "droplets/$id" | jq -r .droplet.status) == off ]]; do :; done
refused plan_file_world 1 up stack.plan

# Only what was shown is done: what a server needs that was off is for the next plan.
check "a plan of a server that is off" paasctl plan --out stack.plan
run paasctl up stack.plan --progress none
check_equal "status of up" 0 "$status"
check_contains "it is said what comes next" "shop-jobs-1 is on now: \`paasctl plan\` shows what else" "$errors"
check_equal "the server is on" active "$(api "droplets/$id" | jq -r .droplet.status)"
cli_end
