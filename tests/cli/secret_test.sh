#!/bin/bash
# `secret rotate` says what keeps it from rotating a password, before it asks the provider or a server.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/stack_fixture.sh
source "$cli_source/tests/cli/stack_fixture.sh"
write_stack
set_password=/usr/local/bin/set-password
sed -i -e "s|scheme: postgresql}|scheme: postgresql, credentials: {user: [app, app_b], set: [$set_password], retire: [$set_password, --only]}}|" \
  -e 's|scheme: redis}|scheme: redis, credentials: {}}|' paas.yaml
check "the stack file is right" paasctl validate

refused secret_unnamed 64 secret rotate
refused secret_unknown 1 secret rotate dbb
refused secret_of_web 64 secret rotate web
refused secret_without_program 65 secret rotate cache
# Of several none is rotated when one cannot be.
refused secret_several 65 secret rotate db cache
refused secret_without_lockfile 1 secret rotate db
write_lockfile https://api.digitalocean.com 1
refused secret_not_running 1 secret rotate db

# A password is not rotated while another run may be about to do so.
coproc python3 "$cli_source/tests/cli/hold_guard.py"
read -r held <&"${COPROC[0]}"
check_equal "another process holds the guard" held "$held"
refused secret_guard_held 75 secret rotate db
eval "exec ${COPROC[1]}>&-"
wait

# Users of the stack file that cannot be right are told with their place.
sed -i 's/\[app, app_b\]/[app, app]/' paas.yaml
refused secret_equal_users 65 secret rotate db
sed -i "s/\[app, app\]/[app, app_b]/; s|set: \[$set_password\], ||" paas.yaml
refused secret_retire_alone 65 secret rotate db
check_equal "no local cloud was started" "" "$(find "$XDG_STATE_HOME/paasctl/cloud" -mindepth 1 2>/dev/null)"
cli_end
