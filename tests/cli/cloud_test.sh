#!/bin/bash
# What is said when a cloud refuses, does not answer, or cannot be started; with a local cloud of records only.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/stack_fixture.sh
source "$cli_source/tests/cli/stack_fixture.sh"
write_stack
sed -i 's/^cloud: local/cloud: digitalocean/' paas.yaml

# No token, a url that is none, an address where nobody listens.
refused token_missing 77 plan
export DIGITALOCEAN_ACCESS_TOKEN=wrong-token
DIGITALOCEAN_API_URL=http://127.0.0.1:1 refused api_unreachable 69 plan
DIGITALOCEAN_API_URL=ftp://127.0.0.1 refused api_url_wrong 65 plan

# Interrupted while an API that accepts connections says nothing.
cat >interrupted.py <<'END'
import os, signal, socket, subprocess, sys
api = socket.create_server(("127.0.0.1", 0))
environment = dict(os.environ, DIGITALOCEAN_API_URL=f"http://127.0.0.1:{api.getsockname()[1]}")
# Who starts this in the background may ignore the signal, and that would be inherited.
process = subprocess.Popen(["paasctl", "plan"], env=environment, stderr=subprocess.PIPE, text=True,
                           preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
connection, _ = api.accept()
connection.recv(1)
process.send_signal(signal.SIGINT)
_, errors = process.communicate(timeout=60)
print(process.returncode)
sys.exit(0 if "interrupted" in errors else f"it said: {errors}")
END
check_equal "status of an interrupted plan" 130 "$(python3 interrupted.py)"
rm interrupted.py

# A local cloud refuses a token that is not its own.
run paasctl cloud up --metadata-only
check_equal "status of cloud up" 0 "$status"
eval "$(paasctl cloud env)"
token=$DIGITALOCEAN_ACCESS_TOKEN
unset DIGITALOCEAN_TOKEN
DIGITALOCEAN_ACCESS_TOKEN=wrong-token refused token_wrong 77 plan
DIGITALOCEAN_ACCESS_TOKEN=wrong-token refused token_wrong_up 77 up
check_equal "the token is in no message" "" "$(grep -rl wrong-token "$cli_golden")"

# The right one plans, and planning changes nothing.
export DIGITALOCEAN_ACCESS_TOKEN=$token
run paasctl plan
check_equal "status of plan" 0 "$status"
check_equal "the plan makes four servers" 4 "$(grep -c '^  + create server' <<<"$output")"
text_plan=$output

# What a killed run left is swept; what a living one holds is not.
export XDG_RUNTIME_DIR=$cli_folder/run
mkdir "$XDG_RUNTIME_DIR"
mkdir -m 0700 "$XDG_RUNTIME_DIR"/{paasctl-0123456789ab,paasctl-ba9876543210,paasctl-notes}
echo key >"$XDG_RUNTIME_DIR/paasctl-0123456789ab/identity"
touch "$XDG_RUNTIME_DIR/paasctl-0123456789ab/scratch.guard"
(
  flock 9
  run paasctl plan
  exit "$status"
) 9>"$XDG_RUNTIME_DIR/paasctl-ba9876543210/scratch.guard"
check_equal "status of a plan beside leftovers" 0 $?
check_equal "only what is in use, and what is no run's, is left" "paasctl-ba9876543210 paasctl-notes" \
  "$(find "$XDG_RUNTIME_DIR" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | xargs)"
unset XDG_RUNTIME_DIR
run paasctl plan --detailed-exitcode -o json
check_equal "something is to be done" 2 "$status"
check_equal "the plan as JSON has the stack" '"shop"' "$(jq .stack <<<"$output")"
run paasctl plan -o yaml
check_contains "the plan as YAML" "stack: shop" "$output"
run paasctl up --dry-run
check_equal "up --dry-run shows the same plan" "$text_plan" "$output"
check_equal "no lockfile was made" "" "$(compgen -G 'paas.lock')"

# An image that has to be built needs an engine; the servers are made only after that is known.
sed 's/{pull: "registry.*/{build: .\/site}/' paas.yaml >built.yaml
mkdir site
echo 'FROM scratch' >site/Dockerfile
refused engine_missing 69 up -f built.yaml
refused engine_missing_build 69 image build -f built.yaml
refused engine_missing_load 1 image load absent.tar
DOCKER_HOST=tcp://127.0.0.1:2375 refused engine_not_local 64 image build -f built.yaml
check_equal "no droplet was made" 0 "$(droplets=$(curl -s -H "Authorization: Bearer $token" \
  "$DIGITALOCEAN_API_URL/v2/droplets"); jq '.meta.total' <<<"$droplets")"

# Something to destroy, and nobody to ask: nothing is destroyed.
id=$(curl -s -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "$DIGITALOCEAN_API_URL/v2/droplets" \
  -d '{"name": "shop-web-1", "region": "nyc3", "size": "s-1vcpu-1gb", "image": "debian-12-x64", "tags": ["shop"]}' |
  jq .droplet.id)
write_lockfile "$DIGITALOCEAN_API_URL" "$id"
refused down_unconfirmed 64 down
check_equal "the droplet is there" "$id" "$(curl -s -H "Authorization: Bearer $token" \
  "$DIGITALOCEAN_API_URL/v2/droplets/$id" | jq .droplet.id)"

# A lockfile of another cloud is not mistaken for this one's.
sed -e 's|"cloud_url": "[^"]*"|"cloud_url": "https://api.digitalocean.com"|' -e 's/"serial": 1/"serial": 2/' \
  paas.lock >other.lock
chmod 600 other.lock
cp paas.yaml other.yaml
refused cloud_other 65 plan -f other.yaml

# Nor is one of another account at the same address: from here its droplets look as if they were gone.
sed -e 's|"cloud_url": "[^"]*"|&, "cloud_account": "somebody"|' -e 's/"serial": 1/"serial": 3/' paas.lock >other.lock
sed -i "s/\"id\": \"$id\"/\"id\": \"1\"/" other.lock
for command in up "down --yes --volumes"; do
  # shellcheck disable=SC2086
  run paasctl $command -f other.yaml
  check_equal "status of $command with another account" 65 "$status"
  check_contains "$command says whose droplets they are" "account somebody" "$errors"
  check_contains "$command says the way out" "--accept-loss" "$errors"
  check_equal "$command leaves the lockfile alone" shop-web-1 "$(jq -r '.servers | keys[]' other.lock)"
done
run paasctl down --yes --accept-loss -f other.yaml
check_equal "status of down --accept-loss" 0 "$status"
check_equal "what is lost is forgotten" "{}" "$(jq -c .servers other.lock)"
check_contains "and the account is the one that was asked" "$(curl -s -H "Authorization: Bearer $token" \
  "$DIGITALOCEAN_API_URL/v2/account" | jq -r .account.team.uuid)" "$(jq -r .cloud_account other.lock)"

run paasctl cloud status -o json
check_equal "the cloud runs" '"running"' "$(jq .status <<<"$output")"
run paasctl cloud down --purge
check_equal "status of cloud down" 0 "$status"
check_equal "nothing of the cloud is left" "" "$(find "$XDG_STATE_HOME/paasctl/cloud" -type f 2>/dev/null)"
refused cloud_down_env 69 cloud env
cli_end
