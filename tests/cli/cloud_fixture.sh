# shellcheck shell=bash
# shellcheck disable=SC2154 # tests/cli/support.sh sets what is used here
# A local cloud of records only, which stacks with `cloud: local` use as well.
needs python3 jq curl ssh-keygen
run paasctl cloud up --metadata-only
check_equal "status of cloud up" 0 "$status"
# In a shell of its own, because stacks with `cloud: digitalocean` would take the exports up.
api() {
  (
    eval "$(paasctl cloud env)"
    curl -s -H "Authorization: Bearer $DIGITALOCEAN_TOKEN" -H 'Content-Type: application/json' \
      "$DIGITALOCEAN_API_URL/v2/$1" "${@:2}"
  )
}
