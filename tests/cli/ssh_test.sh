#!/bin/bash
# What reaches OpenSSH's client from exec, server ssh and logs; another program stands for it.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/stack_fixture.sh
source "$cli_source/tests/cli/stack_fixture.sh"
needs python3 jq
# shellcheck source=tests/cli/ssh_fixture.sh
source "$cli_source/tests/cli/ssh_fixture.sh"

write_stack
write_lockfile https://api.digitalocean.com 1
sed -i -e 's/"release": 0/"release": 1/' -e 's/"public_address": ""/"public_address": "203.0.113.7"/' paas.lock

# The command as the far side's shell takes it apart, each word in angle brackets.
remote_command() {
  local text
  text=$(jq -r 'select(index("ControlMaster=no") and (index("-O") | not)) | .[index("--") + 2]' "$FAKE_SSH_LOG")
  eval "printf '<%s>' $text"
}
terminal_option() {
  jq -r 'select(index("ControlMaster=no") and (index("-O") | not)) | .[0]' "$FAKE_SSH_LOG"
}
# sends TITLE WORDS ARGUMENTS...: the far side's shell gets these words.
sends() {
  local title=$1 expected=$2
  shift 2
  : >"$FAKE_SSH_LOG"
  run paasctl "$@"
  check_equal "$title: exit status" 0 "$status"
  check_equal "$title" "$expected" "$(remote_command)"
}

# Words stay as they are, also those that begin and end as a list would.
sends "a test in brackets" "<docker><exec><-i><shop-web-1><sh><-c><[ -f /x ]>" exec web -- sh -c '[ -f /x ]'
sends "brackets and commas" "<sh><-c><[print(1),print(2)]>" server ssh web-1 -- sh -c '[print(1),print(2)]'
sends "brackets alone" "<docker><exec><-i><shop-web-1><[]>" exec web -- '[]'
sends "braces alone" "<docker><exec><-i><shop-web-1><{}>" exec web -- '{}'
sends "an empty word" "<docker><exec><-i><shop-web-1><printf><>" exec web -- printf ''
sends "a second pair of dashes" "<docker><exec><-i><shop-web-1><sh><--><-x>" exec web -- sh -- -x
sends "options of its own" "<docker><exec><-i><shop-web-1><ls><-o><-f><--help>" exec web -- ls -o -f --help
sends "words before the dashes" "<docker><exec><-i><shop-web-1><sh><-c><[a,b]>" exec web sh -- -c '[a,b]'
sends "a global option in front" "<docker><exec><-i><shop-web-1><[a]>" -qf paas.yaml exec web -- '[a]'
refused exec_without_command 64 exec web --
refused exec_without_name 64 exec -- '[x]'
# Where the words are paasctl's own they are read as ever.
run paasctl deps env -- web
check_equal "dashes before a service" 0 "$status"

# A terminal on the far side changes line ends, so both ends have to be one here.
on_terminal() {
  : >"$FAKE_SSH_LOG"
  python3 "$cli_source/tests/cli/on_terminal.py" "" "" bash -c "$1" >"$cli_folder/shown"
}
on_terminal 'paasctl exec web -- env'
check_equal "exec on a terminal" "-t <docker><exec><-i><-t><shop-web-1><env>" "$(terminal_option) $(remote_command)"
on_terminal "paasctl exec web -- env >'$cli_folder/out'"
check_equal "exec into a file" "-T <docker><exec><-i><shop-web-1><env>" "$(terminal_option) $(remote_command)"
on_terminal 'paasctl exec web -- env </dev/null'
check_equal "exec without input" "-T <docker><exec><-i><shop-web-1><env>" "$(terminal_option) $(remote_command)"
on_terminal "paasctl server ssh web-1 -- env >'$cli_folder/out'"
check_equal "a command on a server into a file" "-T <env>" "$(terminal_option) $(remote_command)"
on_terminal 'paasctl server ssh web-1'
check_equal "a shell on a server" "-t" "$(terminal_option)"

# Logs end when nobody reads them any more, also those of a server that is silent.
jq '.serial = 2 |
  .servers["shop-web-2"] = (.servers["shop-web-1"] | .number = 2 | .droplet = {name: "shop-web-2", id: "2"})' \
  paas.lock >two.json
cat two.json >paas.lock
check_equal "followed logs end with their reader" "shop-web-1 | a line of the log" \
  "$(timeout 60 paasctl logs web --follow 2>/dev/null | grep -m 1 web-1; echo "${PIPESTATUS[0]}" >"$cli_folder/status")"
check_equal "status of logs whose reader has gone" 0 "$(cat "$cli_folder/status")"
cli_end
