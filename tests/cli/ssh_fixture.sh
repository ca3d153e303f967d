# shellcheck shell=bash
# shellcheck disable=SC2154 # tests/cli/support.sh sets what is used here
# Another program stands for OpenSSH's client; sockets that it forwards lead to engines that are ended with the test.
export FAKE_SSH_LOG=$cli_folder/ssh.log
printf '#!/bin/sh\nexec python3 %s "$@"\n' "$cli_source/tests/cli/fake_ssh.py" >"$cli_folder/bin/ssh"
chmod +x "$cli_folder/bin/ssh"
end_engines() {
  local process
  while read -r process; do kill "$process" 2>/dev/null; done < <(cat "$FAKE_SSH_LOG.servers" 2>/dev/null)
}
trap 'end_engines; cli_clean' EXIT
