# shellcheck shell=bash
# shellcheck disable=SC2154 # api.sh sets what is used here
# What the local cloud assumes about DigitalOcean's API, asked of the API; for tests/real-digitalocean/run.
#
#   behaviours STACK REGION SIZE   makes a network, a droplet and a firewall of its own beside the stack, compares, and
#                                  deletes them. What it leaves when it is cut short is the sweep's: its names and tag
#                                  are the stack's.

# The status of an answer and the identifier of its error: "422 unprocessable_entity".
told() {
  printf '%s %s' "$api_status" "$(api_field '.id // "-" | tostring')"
}

# until SECONDS COMMAND...: asks once a second until the command succeeds; prints for how long. Fails when it is over.
seconds_until() {
  local patience=$1 began=$SECONDS
  shift
  until "$@"; do
    ((SECONDS - began < patience)) || {
      printf 'not within %s s' "$patience"
      return 1
    }
    sleep "${PAASCTL_REAL_POLL_SECONDS:-1}"
  done
  printf '%s s' $((SECONDS - began))
}

droplet_is() {
  api GET "/v2/droplets/$probe" && [[ $(api_field .droplet.status) == "$1" && $(api_field .droplet.locked) == false ]]
}

droplet_has_networks() {
  api GET "/v2/droplets/$probe" && [[ $(api_field '[.droplet.networks.v4[].type] | sort | join(" ")') == "private public" ]]
}

droplet_is_tagged() {
  api GET "/v2/droplets?tag_name=$probe_tag" && [[ $(api_field ".droplets[] | select(.id == $probe) | .id") == "$probe" ]]
}

droplet_is_gone() {
  api GET "/v2/droplets/$probe" && [[ $api_status == 404 ]]
}

firewall_is_applied() {
  api GET "/v2/firewalls/$probe_firewall" && [[ $(api_field '.firewall.pending_changes | length') == 0 ]]
}

behaviours() {
  local stack=$1 region=$2 size=$3
  probe_name=$stack-probe probe_tag=paas:$stack
  answers_and_errors
  new_droplet "$region" "$size"
  busy_droplet
  firewall_of_droplet
  power
  destruction
}

answers_and_errors() {
  api GET /v2/account
  compare "GET /v2/account" 200 "$api_status"
  compare "its rate limit's headers" "ratelimit-limit ratelimit-remaining ratelimit-reset" \
    "$(tr -d '\r' <"$api_folder/headers" | sed -n 's/^\(ratelimit-[a-z]*\):.*/\1/Ip' | tr '[:upper:]' '[:lower:]' | sort | xargs)"
  api GET '/v2/sizes?per_page=1'
  compare "a page of one names the next" "1 true true" \
    "$(api_field '"\(.sizes | length) \(.links.pages.next != null) \(.meta.total > 1)"')"
  api GET /v2/droplets/1
  compare "a droplet that is nobody's" "404 not_found" "$(told)"
  api GET '/v2/droplets?name=x&tag_name=y'
  compare "name and tag together" "4?? *" "$(told)"
  api POST /v2/droplets "$(jq -nc --arg name "$probe_name" '{$name, region: "nowhere1", size: "none", image: "none"}')"
  compare "a droplet in a region that is none" "422 unprocessable_entity" "$(told)"
}

new_droplet() {
  local body
  api POST /v2/vpcs "$(jq -nc --arg name "$probe_name" --arg region "$1" '{$name, $region}')"
  compare "a network" 201 "$api_status"
  probe_vpc=$(api_field .vpc.id)
  body=$(jq -nc --arg name "$probe_name" --arg region "$1" --arg size "$2" --arg vpc_uuid "$probe_vpc" \
    --arg tag "$probe_tag" '{$name, $region, $size, image: "debian-12-x64", $vpc_uuid, tags: [$tag]}')
  # Sixty-four KiB and one byte; should it be taken, the sweep takes the droplet.
  api POST /v2/droplets "$(jq -c '.user_data = "#" * 65537 | .name += "-long"' <<<"$body")"
  compare "user data over 64 KiB" "422 unprocessable_entity" "$(told)"
  api POST /v2/droplets "$body"
  compare "a droplet: status of the answer, of the droplet, addresses" "202 new 0" \
    "$api_status $(api_field '"\(.droplet.status) \(.droplet.networks.v4 | length)"')"
  probe=$(api_field .droplet.id)
  [[ $probe =~ ^[0-9]+$ ]] || return 1
  compare "its tags in that answer" "" "$(api_field '.droplet.tags | join(" ")')"
  compare "its first action" create "$(api_field '.links.actions[0].rel')"
}

busy_droplet() {
  api POST "/v2/droplets/$probe/actions" '{"type": "reboot"}'
  if [[ $api_status == 201 ]]; then
    measure "an action on a droplet that boots" "201: it had booted before it was asked"
  else
    compare "an action on a droplet that boots" "422 unprocessable_entity Droplet already has a pending event." \
      "$(told) $(api_field .message)"
  fi
  measure "until its tag lists it" "$(seconds_until 120 droplet_is_tagged)"
  measure "until it has both addresses" "$(seconds_until 300 droplet_has_networks)"
  measure "until it is active and unlocked" "$(seconds_until 300 droplet_is active)"
  api DELETE "/v2/vpcs/$probe_vpc"
  compare "deleting a network with a droplet in it" "403 *" "$(told)"
}

firewall_of_droplet() {
  api POST /v2/firewalls "$(jq -nc --arg name "$probe_name" --argjson id "$probe" '{$name, droplet_ids: [$id],
    inbound_rules: [{protocol: "tcp", ports: "22", sources: {addresses: ["0.0.0.0/0"]}}]}')"
  compare "a firewall: status of the answer, of the firewall" "202 waiting" "$api_status $(api_field .firewall.status)"
  probe_firewall=$(api_field .firewall.id)
  measure "until it has no pending changes" "$(seconds_until 120 firewall_is_applied)"
  api DELETE "/v2/firewalls/$probe_firewall"
  compare "deleting it" 204 "$api_status"
}

power() {
  api POST "/v2/droplets/$probe/actions" '{"type": "power_off"}'
  compare "power_off: status of the answer, of the action" "201 in-progress" "$api_status $(api_field .action.status)"
  measure "until it is off" "$(seconds_until 120 droplet_is off)"
  api POST "/v2/droplets/$probe/actions" '{"type": "power_off"}'
  compare "power_off of what is off" "422 unprocessable_entity" "$(told)"
  api GET "/v2/droplets/$probe/actions"
  compare "its actions, the newest first" "power_off create completed" \
    "$(api_field '[.actions[] | select(.type == "reboot" | not)] | "\(.[0].type) \(.[-1].type) \(.[0].status)"')"
  measure "its creation took, by its action" \
    "$(api_field '.actions[-1] | (.completed_at | fromdate) - (.started_at | fromdate)') s"
}

destruction() {
  api DELETE "/v2/droplets/$probe"
  compare "deleting it: status and body of the answer" "204 " "$api_status $api_body"
  measure "until it is not found" "$(seconds_until 120 droplet_is_gone)"
  api DELETE "/v2/droplets/$probe"
  compare "deleting it again" "404 not_found" "$(told)"
}
