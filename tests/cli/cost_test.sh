#!/bin/bash
# What a stack costs is asked of the provider, and a list of prices that cannot be had makes no plan fail. With a local
# cloud of records only.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/stack_fixture.sh
source "$cli_source/tests/cli/stack_fixture.sh"
# shellcheck source=tests/cli/cloud_fixture.sh
source "$cli_source/tests/cli/cloud_fixture.sh"
write_stack
sed -i 's/^cloud: local/cloud: digitalocean/; s/scheme: redis}/scheme: redis, size: c-2, volume: {size: 5GiB, mount: \/data}}/' paas.yaml
eval "$(paasctl cloud env)"

price() {
  api 'sizes?per_page=200' | jq --arg size "$1" '.sizes[] | select(.slug == $size).price_monthly'
}
sum=$(jq -n "3 * $(price s-1vcpu-1gb) + $(price c-2)")
run paasctl plan -o json
check_equal "status of plan" 0 "$status"
check_equal "nothing is paid for before" "0" "$(jq .cost.before <<<"$output" | jq floor)"
check_equal "the sum is the API's prices" "$sum" "$(jq '.cost.after | floor' <<<"$output")"
check_equal "droplets are counted by size" '[["c-2",0,1],["s-1vcpu-1gb",0,3]]' \
  "$(jq -c '[.cost.droplets[] | [.size, .before, .after]]' <<<"$output")"
check_equal "a volume has no price, and is told" '{"before":0,"after":5}' "$(jq -c .cost.unpriced.volumes_gigabytes <<<"$output")"
run paasctl plan
check_contains "for people" "Cost a month: droplets \$0.00 before, \$$sum.00 after (+\$$sum.00)." "$output"
check_contains "what is not in the sum" "without a price in the API: volumes of 0 GiB, then 5 GiB; reserved IPs: 0, then 1." "$output"

sed 's/size: c-2/size: c-3/' paas.yaml >unknown.yaml
run paasctl plan -f unknown.yaml
check_equal "status with a size that has no price" 0 "$status"
check_contains "it is told" "The API has no price for c-3." "$output"
check_contains "the sum is unknown" "unknown after." "$output"

coproc python3 "$cli_source/tests/cli/failing_proxy.py" "$DIGITALOCEAN_API_URL" /v2/sizes
read -r url <&"${COPROC[0]}"
DIGITALOCEAN_API_URL=$url run paasctl plan --detailed-exitcode
check_equal "status without a list of prices" 2 "$status"
check_contains "why there is none" "The prices could not be read: listing droplet sizes" "$output"
eval "exec ${COPROC[1]}>&-"
wait
cli_end
