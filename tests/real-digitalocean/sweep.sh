# shellcheck shell=bash
# shellcheck disable=SC2154 # api.sh sets what is used here
# Finds and deletes everything of one stack in a DigitalOcean account, past paasctl; for tests/real-digitalocean/run.
#
#   sweep STACK [ADDRESS]    looks and deletes until two looks in a row find nothing, or the patience is over. ADDRESS is
#                            the stack's reserved IP, which has no name that would tell. What is left then is said, with
#                            the commands that remove it, and the status is 1.
#
# Only names that these runs make are taken: real-, eight digits by chance, and what paasctl makes of that. An account's
# other things cannot be meant.

sweep_patience_seconds=${PAASCTL_REAL_SWEEP_SECONDS:-600}
# What was asked for just before a crash may appear after the first look.
sweep_pause_seconds=${PAASCTL_REAL_PAUSE_SECONDS:-15}
sweep_addresses=

is_name_of_run() {
  [[ $1 =~ ^real-[0-9a-f]{8}$ ]]
}

# sweep_list PATH MEMBER FILTER: what the filter makes of each item of a list; $stack and $addresses are the run's.
sweep_list() {
  local items
  items=$(api_all "$1" "$2") || return
  jq -r --arg stack "$sweep_stack" --arg addresses "$sweep_addresses" "$3" <<<"$items"
}

# What there is of the stack, a line each: the path that a DELETE removes it by, and its name. In the order in which it
# can be removed. Fails where any list could not be read.
sweep_look() {
  # shellcheck disable=SC2016 # Programs of jq.
  sweep_list /v2/reserved_ips reserved_ips 'select((.droplet.name // "" | startswith($stack + "-")) or
    (.ip | IN($addresses | split(" ")[]))) | "/v2/reserved_ips/\(.ip) \(.ip)"' &&
    sweep_list /v2/droplets droplets 'select((.name | startswith($stack + "-")) or
      (.tags | index("paas:" + $stack))) | "/v2/droplets/\(.id) \(.name)"' &&
    sweep_list /v2/volumes volumes 'select(.name | startswith($stack + "-")) | "/v2/volumes/\(.id) \(.name)"' &&
    sweep_list /v2/snapshots snapshots 'select(.name | startswith($stack + ".")) | "/v2/snapshots/\(.id) \(.name)"' &&
    sweep_list /v2/firewalls firewalls 'select(.name | startswith($stack + "-")) | "/v2/firewalls/\(.id) \(.name)"' &&
    sweep_list /v2/vpcs vpcs 'select(.name == $stack or (.name | startswith($stack + "-"))) |
      "/v2/vpcs/\(.id) \(.name)"' &&
    sweep_list /v2/account/keys ssh_keys 'select(.name == "paasctl-" + $stack) | "/v2/account/keys/\(.id) \(.name)"' &&
    sweep_list /v2/tags tags 'select(.name == "paas:" + $stack or (.name | startswith("paas:" + $stack + ":"))) |
      "/v2/tags/\(.name) \(.name)"'
}

# A droplet that is busy refuses to be deleted by its number and not by its tag, which it may have only later.
sweep_delete() {
  local path name
  while read -r path name; do
    api DELETE "$path" || true
    echo "  deleting $name: status $api_status"
    if [[ $path == /v2/droplets/* && $api_status == 4* && $api_status != 404 ]]; then
      api DELETE "/v2/droplets?tag_name=paas:$sweep_stack" || true
    fi
  done
}

# An address is known by the droplet that has it only as long as there is that droplet.
sweep_note_addresses() {
  local path
  while read -r path _; do
    [[ $path != /v2/reserved_ips/* || " $sweep_addresses " == *" ${path##*/} "* ]] || sweep_addresses+=" ${path##*/}"
  done <<<"$1"
}

sweep() {
  local deadline=$((SECONDS + sweep_patience_seconds)) clean=0 found
  sweep_stack=$1
  sweep_addresses=${2:-}
  is_name_of_run "$sweep_stack" || return 64
  while true; do
    if ! found=$(sweep_look); then
      clean=0
      found=unknown
    elif [[ -z $found ]]; then
      clean=$((clean + 1))
      ((clean < 2)) || break
      sleep "$sweep_pause_seconds"
      continue
    else
      clean=0
      sweep_note_addresses "$found"
      sweep_delete <<<"$found"
    fi
    ((SECONDS < deadline)) || break
    sleep "${PAASCTL_REAL_POLL_SECONDS:-1}"
  done
  ((clean < 2)) || {
    echo "Nothing is left of $sweep_stack: two looks at the account found none of it."
    return 0
  }
  sweep_tell_left "$found"
  return 1
}

sweep_tell_left() {
  local path name
  echo
  if [[ $1 == unknown ]]; then
    echo "WHETHER ANYTHING OF $sweep_stack IS LEFT IS UNKNOWN, because the account could not be looked at."
  else
    echo "LEFT IN THE ACCOUNT, AND BILLED UNTIL IT IS REMOVED:"
    while read -r path name; do
      echo "  $name:"
      # shellcheck disable=SC2016 # The variable is for who copies the line.
      printf '    curl -X DELETE -H "Authorization: Bearer $DIGITALOCEAN_TOKEN" %s\n' "$api_url$path"
    done <<<"$1"
  fi
  echo "To look and delete again:"
  echo "    PAASCTL_REAL_DIGITALOCEAN=1 tests/real-digitalocean/run --sweep $sweep_stack"
}
