#!/bin/bash
# Faults of a local cloud of records, from the command line.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"

# What cannot be is refused before a cloud is asked, and says what was meant.
refused fault_unknown 64 cloud fault add stuk
refused fault_missing 64 cloud fault add
refused fault_path 64 cloud fault add cut --path /v2/droplet
refused fault_method 64 cloud fault add cut --method POTS
refused fault_option 64 cloud fault add stuck --path /v2/droplets
refused fault_option_missing 64 cloud fault add status
refused fault_share 64 cloud fault add cut --share half
refused fault_time 64 cloud fault add delay --time soon
refused fault_number 64 cloud fault add cut --nth first
refused fault_size 64 cloud fault add sold-out --size s-1vcpu-1gbb
refused fault_rm_nothing 64 cloud fault rm
refused fault_rm_text 64 cloud fault rm all
refused fault_rm_all_and_one 64 cloud fault rm --all 7
refused fault_cloud_down 69 cloud fault add cut
refused fault_ls_cloud_down 69 cloud fault ls

# shellcheck source=tests/cli/cloud_fixture.sh
source "$cli_source/tests/cli/cloud_fixture.sh"
status_of() { api "$1" -o /dev/null -w '%{http_code}' "${@:2}"; }

run paasctl cloud fault ls
check_equal "status of fault ls" 0 "$status"
check_equal "there are none" 1 "$(wc -l <<<"$output")"

run paasctl cloud fault add status --status 503 --path /v2/account --nth 2
check_equal "status of fault add" 0 "$status"
id=$output
check_contains "it says what it does" "status on * /v2/account" "$errors"
check_equal "the first request is let through" 200 "$(status_of account)"
check_equal "the second is not" 503 "$(status_of account)"
check_equal "the third is" 200 "$(status_of account)"
check_equal "others are" 200 "$(status_of droplets)"
run paasctl cloud fault ls -o json
check_equal "how often it was asked and struck" "$id 3 1 done" \
  "$(jq -r '.[] | "\(.id) \(.matched) \(.hits) \(.state)"' <<<"$output")"
run paasctl cloud fault ls
check_contains "the table says when" "from request 2, once" "$output"

# Connections end, before and after the change.
run paasctl cloud fault add cut --method POST --path /v2/tags --after --times 1
status_of tags -d '{"name": "made"}' >/dev/null
check_equal "curl has no answer" 56 $?
check_equal "the tag is made" 200 "$(status_of tags/made)"
run paasctl cloud fault add half --path /v2/sizes
status_of sizes >/dev/null
check_equal "curl has half an answer" 18 $?
run paasctl cloud fault add html --path /v2/regions
check_contains "a page for people" "<html>" "$(api regions)"

# Droplets and their machines.
droplet='{"name": "web-1", "region": "nyc3", "size": "s-1vcpu-1gb", "image": "debian-12-x64"}'
run paasctl cloud fault add stuck --times 1
stuck=$output
made=$(api droplets -d "$droplet" | jq .droplet.id)
check_equal "it is new" new "$(api "droplets/$made" | jq -r .droplet.status)"
run paasctl cloud fault rm "$stuck"
check_equal "status of fault rm" 0 "$status"
for _ in $(seq 1000); do
  [[ $(api "droplets/$made" | jq -r .droplet.status) == active ]] && break
done
check_equal "it boots" active "$(api "droplets/$made" | jq -r .droplet.status)"
run paasctl cloud fault add freeze --droplet web-1
check_equal "status of fault add freeze" 0 "$status"
frozen=$output
run paasctl cloud fault ls -o json
check_equal "it is frozen" active "$(jq -r ".[] | select(.id == $frozen) | .state" <<<"$output")"
refused fault_again 1 cloud fault add freeze --droplet web-1
refused fault_droplet 1 cloud fault add kill --droplet wep-1
check "it thaws" paasctl cloud fault rm "$frozen"
check "it loses its power" paasctl cloud fault add kill --droplet web-1
check_equal "it is off" off "$(api "droplets/$made" | jq -r .droplet.status)"
refused fault_off 1 cloud fault add freeze --droplet web-1
refused fault_rm_absent 1 cloud fault rm 7

# Faults outlive the cloud's process, and go all at once.
check "the cloud is stopped" paasctl cloud down
check "and started" paasctl cloud up
check_contains "the page for people is still there" "<html>" "$(api regions)"
run paasctl cloud fault rm --all
check_equal "status of fault rm --all" 0 "$status"
check_equal "regions are regions" 200 "$(status_of regions)"
run paasctl cloud fault ls -o yaml
check_equal "there are none left" "[]" "$output"

# The shell offers the faults, and their options.
check_contains "faults are completed" "action-error" "$(paasctl __complete -- cloud fault add ac)"
check_contains "so are their options" "--retry-after" "$(paasctl __complete -- cloud fault add status --re)"
cli_end
