#!/bin/bash
# The same user data serves a fresh Debian: cloud-init installs what a server of this kind needs.
# shellcheck source=tests/lib/scenario.sh
source "$(dirname "$0")/../lib/scenario.sh"
# shellcheck source=tests/lib/stack.sh
source "$source_root/tests/lib/stack.sh"
use_example

cat >paas.yaml <<'END'
stack: bare
cloud: local
region: nyc3
ssh: {from: [0.0.0.0/0]}
images:
  redis: {build: ./redis, args: {BASE: "zipkick-base:12"}}
services:
  cache: {type: cache, image: redis, port: 6379, scheme: redis, credentials: {env: {REDIS_PASSWORD: "{password}"}}}
END
check "a local cloud of bare machines starts" paasctl cloud up --node-image bare
machine_image=$(docker image ls --format '{{.Repository}}:{{.Tag}}' 'paasctl-node' | grep -m 1 ':bare')
check_fails "a bare machine has no Docker" docker run --rm --network none "$machine_image" sh -c 'command -v dockerd'

check "a server comes up on it" paasctl up --yes
run paasctl exec cache -- redis-cli ping
check_contains "its container answers" NOAUTH "$output$errors"
check_equal "cloud-init did not restart sshd" 1 \
  "$(inside cache-1 'journalctl --quiet --output cat --unit ssh | grep -c "^Started ssh.service"')"

check_status "up again finds nothing to do" 0 paasctl up --yes
check_contains "and says so" "Nothing to do" "$output$errors"
