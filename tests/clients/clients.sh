# shellcheck shell=bash
# Runs foreign clients of DigitalOcean's API, through the conformance proxy where DigitalOcean's document lies beside
# this checkout.
#
#   clients_are_installed            fails where Debian's packages are missing
#   clients_record UPSTREAM FOLDER   where they go: to this API, and what they say and hear is recorded in the folder
#   clients_run SCRIPT               runs tests/clients/SCRIPT; its token is PAASCTL_TEST_TOKEN
#   clients_run_go PACKAGE           compiles and runs tests/clients/PACKAGE, with libraries of Debian's packages
#   clients_judge LEAST              prints the faults of what was recorded; fails when fewer operations were used
#   clients_end                      ends the proxy

clients_source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
clients_conformance=$clients_source/../../../shared/do-api/conformance
clients_folder=
clients_proxy=

# Debian's Python has Debian's packages, whichever comes first in PATH.
clients_are_installed() {
  /usr/bin/python3 -c 'import digitalocean, libcloud' 2>/dev/null &&
    command -v go >/dev/null && [[ -d /usr/share/gocode/src/github.com/digitalocean/godo ]]
}

# Whether what is recorded can be judged.
clients_can_judge() {
  [[ -x $clients_conformance ]] && /usr/bin/python3 -c 'import jsonschema' 2>/dev/null
}

clients_record() {
  local upstream=$1
  clients_folder=$2
  export PAASCTL_TEST_URL=$upstream
  PAASCTL_TEST_KEY="$(ssh-keygen -q -t ed25519 -N '' -C client -f "$clients_folder/client_key" &&
    cat "$clients_folder/client_key.pub")"
  export PAASCTL_TEST_KEY
  clients_can_judge || return 0
  mkfifo "$clients_folder/proxy"
  "$clients_conformance" proxy --upstream "$upstream" --log "$clients_folder/exchanges.jsonl" \
    >"$clients_folder/proxy" 2>"$clients_folder/proxy.errors" &
  clients_proxy=$!
  # Its first line is its address, and comes when it listens.
  read -r PAASCTL_TEST_URL <"$clients_folder/proxy"
}

clients_run() {
  /usr/bin/python3 "$clients_source/$1"
}

clients_run_go() {
  (
    export GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$clients_folder/go-cache
    cd "$clients_source/$1" && go build -o "$clients_folder/$1" . && "$clients_folder/$1"
  )
}

# The document lacks some things that the service does: it takes a path with a slash at its end, it answers for reserved
# IPs under their old name, floating IPs, as well, it overlooks a per_page where there are no pages, which both
# libraries always send, libcloud gives a droplet's number as text, and godo gives volumes as objects, null where there
# are no keys, and ICMP without ports. The first two are judged as what they stand for. The document's kinds of actions by
# tag do not exclude each other.
# And one line of the document is wrong: a droplet's status "off" was read as false when it was published.
# What is overlooked is only on the clients' side, but for "off". That an old name is answered with the old name, which
# the new spelling would hide here, is held by the clients themselves: they read no other member.
clients_judge() {
  local least=$1 operations
  clients_can_judge || return 0
  sed -E 's|("path": "[^"]*)/"|\1"|; s#floating_ip(s?)([^_a-z])#reserved_ip\1\2#g' "$clients_folder/exchanges.jsonl" \
    >"$clients_folder/judged.jsonl"
  "$clients_conformance" check "$clients_folder/judged.jsonl" >"$clients_folder/judgement" || true
  operations=$(sed -n 's/^[0-9]* exchanges of \([0-9]*\) operations.*/\1/p' "$clients_folder/judgement")
  grep -E '^ *[0-9]+ x ' "$clients_folder/judgement" |
    grep -Ev "'off' is not one of|request body at 'droplet_id': '[0-9]+' is not of|request query 'per_page' is not in the document" |
    grep -Ev "request body at ('volumes/\*': \{'id': .*\} is not of|'ssh_keys': None is not of)" |
    grep -Ev "request body at ('inbound_rules/\*': 'ports' is a required property|'': .* is valid under each of)" || true
  ((${operations:-0} >= least)) || {
    echo "only ${operations:-0} operations were used"
    return 1
  }
}

clients_end() {
  [[ -z $clients_proxy ]] || kill "$clients_proxy"
  clients_proxy=
}
