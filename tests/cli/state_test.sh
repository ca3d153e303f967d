#!/bin/bash
# A lockfile that cannot be read is left as it is, byte for byte, and its guard keeps a second run out.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/stack_fixture.sh
source "$cli_source/tests/cli/stack_fixture.sh"
write_stack

echo '{"version": 1, "lineage": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "servers": {"shop-we' >paas.lock
refused lockfile_cut_short 65 up
refused lockfile_cut_short_status 65 status
refused lockfile_cut_short_down 65 down --yes
echo '{"version": 99, "paasctl_version": "7.1.0", "lineage": "0a1b2c3d4e5f60718293a4b5c6d7e8f9"}' >paas.lock
refused lockfile_newer 65 up
: >paas.lock
refused lockfile_empty 65 plan
write_lockfile https://api.digitalocean.com 1
sed -i 's/"number": 1/"number": "one"/' paas.lock
refused lockfile_wrong_type 65 plan
write_lockfile https://api.digitalocean.com 1
sed -i 's/"first_host_key": ""/"first_host_key": "aes-256-gcm:AAAA"/' paas.lock
refused lockfile_secret_broken 65 plan
unset PAASCTL_KEY
refused lockfile_without_key 77 plan
refused lockfile_without_key_apply 77 deps unlink web cache --apply
# What reads or edits only the stack file needs no key.
for command in validate "image build" "deps show" "lb rules" "deps unlink web cache" "deps link web cache" "lb rules add --path /x/ --to web" \
  "lb rules rm 1"; do
  read -ra words <<<"$command"
  run paasctl "${words[@]}"
  check_equal "status of paasctl $command without the key" 0 "$status"
done
# These look at this machine's engine next, and there is none.
for command in "image ls" "image rm site"; do
  read -ra words <<<"$command"
  run paasctl "${words[@]}"
  check_contains "paasctl $command without the key" "no-engine.sock" "$errors"
done
write_stack
check_equal "no local cloud was started" "" "$(find "$XDG_STATE_HOME" -mindepth 1 2>/dev/null)"

# The guard is a lock of the kernel's on its file, so that the death of its holder releases it.
rm paas.lock
coproc python3 "$cli_source/tests/cli/hold_guard.py"
read -r held <&"${COPROC[0]}"
check_equal "another process holds the guard" held "$held"
refused guard_held 75 down --yes
refused guard_held_up 75 up
# The guard is asked for before the file is written, so the same command can be given again.
sed -i 's/links: \[db, cache\]/links: [db]/' paas.yaml
refused guard_held_link 75 deps link web cache --apply
eval "exec ${COPROC[1]}>&-"
wait
cli_end
