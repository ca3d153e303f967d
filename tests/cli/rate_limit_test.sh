#!/bin/bash
# Who runs a command is told that it waits for the API's rate limit, without having asked for more words.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/cloud_fixture.sh
source "$cli_source/tests/cli/cloud_fixture.sh"
cat >paas.yaml <<'END'
stack: shop
cloud: local
region: nyc3
ssh: {from: [0.0.0.0/0]}
images:
  site: {pull: "registry.example.com/site:1"}
services:
  web: {type: web, image: site, port: 8000}
lb: {listen: [80]}
END

# limited FAULT...: the next request meets the fault, and one only.
limited() {
  paasctl cloud fault add "$@" --times 1 >/dev/null 2>&1 || fail "the fault is added"
}
waits_told() { grep -c 'rate limit is used up; waiting 3\.' <<<"$errors"; }

run paasctl plan
check_equal "status of plan" 0 "$status"
limited status --status 429 --retry-after 3
run paasctl plan
check_equal "status of plan that was refused once" 0 "$status"
check_equal "its wait is told in one line" 1 "$(waits_told)"
limited status --status 429 --retry-after 3
run paasctl plan -q
check_equal "status of a quiet plan that was refused once" 0 "$status"
check_equal "it says nothing" "" "$errors"
run paasctl cloud fault ls -o json
check_equal "each fault struck" "1 1" "$(jq -r '[.[].hits] | join(" ")' <<<"$output")"

# A request that is tried again is worth a line to those who want more.
limited status --status 503
run paasctl plan
check_equal "status of plan whose request failed once" 0 "$status"
check_equal "nothing is told of the second try" 0 "$(grep -c 'try 1 of 5' <<<"$errors")"
limited status --status 503
run paasctl plan -v
check_equal "it is with -v" 1 "$(grep -c '503.*(try 1 of 5)' <<<"$errors")"

cli_end
