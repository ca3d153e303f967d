# shellcheck shell=bash
# Programs of other languages stand in single quotes here, and the variables are tests/lib/scenario.sh's.
# shellcheck disable=SC2016,SC2154
# What scenarios ask about a stack that is up, past paasctl: its machines through Docker, the cloud through its API.

# Writes a stack of one web service, site, whose page at /healthz names its server: site_stack NAME SCALE [ENV].
site_stack() {
  cat >paas.yaml <<END_STACK
stack: $1
cloud: local
region: nyc3
ssh: {from: [0.0.0.0/0]}
images:
  web: {build: ./web, args: {BASE: "zipkick-base:12"}}
services:
  site:
    type: web
    image: web
    port: 8000
    env: {MODE: frontend, BACKEND_URL: "http://127.0.0.1:1"${3:+, $3}}
    health: {path: /healthz}
    scale: {$2}
lb:
  listen: [80]
  rules:
    - {to: site}
END_STACK
}

# A field of the lockfile, as jq says it.
lockfile() {
  jq -r "$@" paas.lock
}

# The full name of a server: "db-1" of the stack zipkick is "zipkick-db-1".
server_name() {
  lockfile --arg name "$1" '.applied.stack as $stack | .servers | keys[] | select(. == $name or . == "\($stack)-\($name)")'
}

droplet_of() {
  lockfile --arg name "$(server_name "$1")" '.servers[$name].droplet.id'
}

address_of() {
  lockfile --arg name "$(server_name "$1")" ".servers[\$name].${2:-private}_address"
}

# The servers of these services.
servers_of() {
  jq -r '.servers | to_entries[] | select(.value.service | IN($ARGS.positional[])) | .key' paas.lock --args "$@"
}

cloud_name() {
  paasctl cloud status -o json | jq -r .name
}

# The container that is a server's machine.
machine_of() {
  printf 'paas-%s-%s\n' "$(cloud_name)" "$(droplet_of "$1")"
}

# Runs a shell script on a server, past SSH: what the machine itself says.
inside() {
  local machine
  machine=$(machine_of "$1")
  docker exec "$machine" sh -c "$2"
}

# Each container of these services with its identifier and the time when it started.
containers_of() {
  local server
  for server in $(servers_of "$@"); do
    inside "$server" 'docker ps --quiet --no-trunc | xargs -r docker inspect -f "{{.Name}} {{.Id}} {{.State.StartedAt}}"' |
      sed "s|^|$server |"
  done
}

# The environment of a server's running program, read in the process.
environment_in() {
  paasctl exec "$1" -- cat /proc/1/environ | tr '\0' '\n' | sort
}

# api METHOD PATH [JSON]: asks the cloud, past paasctl.
api() {
  local method=$1 path=$2
  (
    eval "$(paasctl cloud env)"
    curl --silent --show-error --fail --max-time 30 -X "$method" -H "Authorization: Bearer $DIGITALOCEAN_ACCESS_TOKEN" \
      -H 'Content-Type: application/json' ${3:+-d "$3"} "$DIGITALOCEAN_API_URL/v2$path"
  )
}

droplets() {
  api GET '/droplets?per_page=200' | jq -r '.droplets[].name' | sort
}

# Nothing but what the lockfile knows is there, and each of it once.
check_nothing_left_over() {
  check_equal "each server has one droplet and there is no other" "$(lockfile '.servers | keys[]')" "$(droplets)"
  check_equal "one volume" 1 "$(api GET /volumes | jq '.volumes | length')"
  check_equal "one reserved address" 1 "$(api GET /reserved_ips | jq '.reserved_ips | length')"
  check_equal "one network of the stack" 1 "$(api GET /vpcs | jq '[.vpcs[] | select(.name == "zipkick")] | length')"
  check_equal "one key" 1 "$(api GET /account/keys | jq '.ssh_keys | length')"
  check_equal "a firewall for each role" 5 "$(api GET /firewalls | jq '.firewalls | length')"
  check_equal "as many machines" "$(droplets | wc -l)" "$(docker ps --all --quiet --filter "label=paas.cloud=$(cloud_name)" --filter label=paas.droplet | wc -l)"
}

# Everything that the cloud remembers, once nothing is under way; asking changes nothing of it, so it tells whether
# anything was changed.
cloud_memory() {
  local state=$XDG_STATE_HOME/paasctl/cloud/state.json
  eventually 60 "the cloud has nothing under way" jq -e '.outstanding | length == 0' "$state" >/dev/null
  sha256sum <"$state"
}

# The process that serves, how often HAProxy was loaded, and who serves by its running configuration.
haproxy_worker() {
  inside "$1" "echo 'show info' | socat - /run/haproxy/admin.sock | sed -n 's/^Pid: //p'"
}

reloads() {
  paasctl lb show -o json | jq .reloads
}

# BACKEND/SERVER of everything in rotation, as HAProxy runs and as its configuration on disk says; backends of HAProxy's
# own have a dot in their names.
rotation_running() {
  inside "$1" "echo 'show servers state' | socat - /run/haproxy/admin.sock" |
    awk '$1 ~ /^[0-9]+$/ && NF > 10 && $6 == 2 && $2 !~ /\./ {print $2 "/" $4}' | sort
}

rotation_on_disk() {
  inside "$1" 'cat /etc/haproxy/haproxy.cfg' |
    awk '$1 == "backend" {backend = $2} $1 == "server" && backend !~ /\./ {print backend "/" $2}' | sort
}

# traffic_begin PATH [TEXT]: starts requests of all kinds through the load balancer, until traffic_end. An answer with
# this text in it counts as failed.
traffic_begin() {
  traffic_start "http://$address$1" ${2:+"$2"}
}

# tls_traffic_begin HOST PATH AUTHORITIES: the same over https; a certificate that none of the file's authorities gave to
# this host is a failure.
tls_traffic_begin() {
  traffic_start --connect "$address" --cacert "$3" "https://$1$2"
}

traffic_start() {
  /usr/bin/python3 "$source_root/tests/lib/traffic.py" "$@" >"$folder/traffic" 2>&1 &
  traffic=$!
  eventually 60 "requests are under way" test -s "$folder/traffic"
}

# Ends them, and keeps what came of them in $report.
traffic_stop() {
  kill -TERM "$traffic"
  wait "$traffic" || true
  report=$(tail -n 1 "$folder/traffic")
}

# Ends them: none may have failed, there must have been some of each kind, and a connection that was to be kept must
# have carried many.
traffic_end() {
  traffic_stop
  check_equal "no request failed: $(jq -c .requests <<<"$report")" "0 []" \
    "$(jq -r '"\(.failures | length) \(.failures[:5])"' <<<"$report" || true)"
  check_equal "each kind of request was made" true "$(jq '[.requests[]] | length == 4 and min > 20' <<<"$report")"
  check_equal "connections were kept: $(jq -c .connections <<<"$report")" true \
    "$(jq '.requests as $sent | .connections | to_entries | map(select(.key | endswith(" kept"))) |
      length == 2 and all(.value >= 1 and $sent[.key] >= 10 * .value)' <<<"$report")"
  check_equal "the others were used once" true \
    "$(jq '.requests as $sent | .connections | to_entries | map(select(.key | endswith(" new"))) |
      length == 2 and all($sent[.key] == .value)' <<<"$report")"
}

# load_begin REPORT CONNECTIONS: runs wrk, a piece after the other, until load_end; each piece adds what came of it to
# the report.
load_begin() {
  rm -f "$folder/stop"
  while [[ ! -e $folder/stop ]]; do
    wrk --threads 1 --connections "$2" --duration 5s --timeout 60s \
      --script "$source_root/tests/lib/load.lua" "http://$address" | grep '^{' >>"$folder/$1"
  done &
  loading=$!
  eventually 60 "requests are under way" test -s "$folder/$1"
}

load_end() {
  touch "$folder/stop"
  wait "$loading"
}

# What came of all pieces of a report.
total() {
  jq --slurp '{requests: (map(.requests) | add), failed: (map(.failed) | add), p50_ms: (map(.p50_ms) | sort | .[length / 2 | floor]),
    worst_p99_ms: (map(.p99_ms) | max), max_ms: (map(.max_ms) | max)}' "$folder/$1"
}

# Puts the conformance proxy between paasctl and the cloud: from then on the stack is one of a provider that the
# environment names. Without the document nothing is recorded and nothing is judged, which .ci/run
# does not accept.
record_traffic_with_cloud() {
  recording=
  if [[ ! -x $1 ]] || ! /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
    say "the published document is not beside this checkout, or python3-jsonschema is missing: nothing is recorded"
    [[ -z ${PAASCTL_REQUIRE_SCENARIOS:-} ]] || fail "the traffic must be recorded here"
    return 0
  fi
  recording=$folder/exchanges.jsonl
  conformance=$1
  "$1" proxy --upstream "$(paasctl cloud status -o json | jq -r .url)" --log "$recording" >"$folder/proxy" 2>&1 &
  proxy=$!
  eventually 60 "the proxy listens" grep -q ^http "$folder/proxy"
  sed -i 's/^cloud: local\b.*/cloud: digitalocean/' paas.yaml
  eval "$(paasctl cloud env)"
  DIGITALOCEAN_API_URL=$(head -n 1 "$folder/proxy")
  export DIGITALOCEAN_API_URL
}

# How many requests have asked the cloud for a change so far.
asked_to_change() {
  [[ -z $recording ]] || jq -r 'select(.method != "GET") | .method' "$recording" | wc -l
}

check_traffic_with_cloud() {
  [[ -n $recording ]] || return 0
  kill "$proxy"
  local operations faults
  run "$conformance" check "$recording"
  operations=$(sed -n 's/^[0-9]* exchanges of \([0-9]*\) operations.*/\1/p' <<<"$output")
  say "$(grep -m 1 ' exchanges of ' <<<"$output" || true)"
  ((${operations:-0} >= 15)) || fail "the whole job was recorded and judged" "$output$errors"
  # The document's list of statuses reads `off` as false (YAML 1.1), so a droplet that is off is no fault.
  faults=$(grep -E '^ *[0-9]+ x ' <<<"$output" | grep -v "'off' is not one of" || true)
  check_equal "neither side differs from the published document" "" "$faults"
}
