#!/bin/bash
# `cloud down --purge` leaves nothing on this machine: not a container, network, volume, image, loop device, route or file.
# shellcheck source=tests/lib/scenario.sh
source "$(dirname "$0")/../lib/scenario.sh"
# shellcheck source=tests/lib/stack.sh
source "$source_root/tests/lib/stack.sh"
use_example
cat >paas.yaml <<'END_STACK'
stack: brief
cloud: local
region: nyc3
ssh: {from: [0.0.0.0/0]}
images:
  redis: {build: ./redis, args: {BASE: "zipkick-base:12"}}
services:
  cache:
    type: cache
    image: redis
    port: 6379
    scheme: redis
    volume: {size: 1GiB, mount: /data}
    credentials: {env: {REDIS_PASSWORD: "{password}"}}
END_STACK
# What is built on this machine's engine is the user's and stays.
check "the image is built" paasctl image build

# Clouds of others may come and go meanwhile, so only what bears this one's name is looked for, and all that has none.
traces() {
  {
    docker ps --all --format 'container {{.Names}} {{.Label "paas.cloud"}}'
    docker network ls --format 'network {{.Name}} {{.Labels}}'
    docker volume ls --format 'volume {{.Name}} {{.Labels}}'
    docker image ls --format 'image {{.Repository}}:{{.Tag}}'
  } >"$folder/engine" || fail "the engine answers"
  grep -F "$cloud" "$folder/engine" || true
  losetup --list --noheadings --output NAME,BACK-FILE >"$folder/loops" || fail "loop devices are listed"
  grep -F "$folder" "$folder/loops" || true
  ip -4 route show | grep -F -e "$ranges" || true
  pgrep --full "cloud serve --state $XDG_STATE_HOME" | sed 's/^/process /' || true
  # What was seen of lockfiles is no part of a cloud.
  find "$XDG_STATE_HOME" "$XDG_RUNTIME_DIR" -mindepth 2 -not -path '*/paasctl/lockfiles*' | sed 's/^/file /'
}

check "the local cloud starts" paasctl cloud up
cloud=$(cloud_name)
check_status "the stack comes up" 0 paasctl up --yes
ranges=$(docker network ls --quiet --filter "label=paas.cloud=$cloud" | xargs -r docker network inspect \
  -f '{{range .IPAM.Config}}{{.Subnet}}{{"\n"}}{{end}}' | sed '/^$/d')
before=$(traces)
for kind in container network volume /dev/loop process file route; do
  case $kind in
    route) check "a route can be seen" grep -qF "$(head -n 1 <<<"$ranges" | cut -d / -f 1)" <<<"$before" ;;
    *) check "a $kind can be seen" grep -q "^$kind" <<<"$before" ;;
  esac
done

check "cloud down keeps what there was" paasctl cloud down
check "cloud up brings it back" paasctl cloud up
check_equal "under its name" "$cloud" "$(cloud_name)"
answers() { paasctl exec cache -- redis-cli ping; }
eventually 60 "with its machine and container" answers
check_status "nothing is to be done" 0 paasctl plan --detailed-exitcode

check "cloud down --purge" paasctl cloud down --purge
check_equal "no trace is left" "" "$(traces)"
check "can be said again" paasctl cloud down --purge
check "the user's image is still there" docker image inspect "$(paasctl image ls -o json | jq -r '.[0].reference')"
