#!/bin/bash
# The help of every command is as its golden file says, and so is the version.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"

# Every command, groups before their members: "server", "server up". paasctl itself lists them for completion.
commands() {
  local prefix=("$@") name
  while IFS=$'\t' read -r name _; do
    printf '%s\n' "${prefix[*]} $name"
    [[ ${prefix[*]} == *" "* ]] || commands "${prefix[@]}" "$name"
  done < <(paasctl __complete -- "${prefix[@]}" '' | grep -P '^[a-z]+\t[A-Z]')
}

text=$(paasctl --help)
while read -r command; do
  read -ra words <<<"$command"
  run paasctl "${words[@]}" --help
  check_equal "status of paasctl $command --help" 0 "$status"
  check_equal "errors of paasctl $command --help" "" "$errors"
  text+=$'\n\n$ paasctl '"$command --help"$'\n'$output
  run paasctl "${words[@]}" -h
  check_contains "-h is help as well" "Usage: paasctl $command [OPTIONS]" "$output"
done < <(commands)
golden help "$text"

check_equal "lines are at most 100 characters wide" "" "$(grep -E '^.{101}' <<<"$text")"

run paasctl version
check_equal "paasctl version" 0 "$status"
golden version "$output
$(paasctl version -o json)
$(paasctl version -o yaml)
$(paasctl --version)"

# Without a command there is nothing to do: help on standard error, and a status that scripts notice.
for group in "" server image "lb" deps cloud "cloud fault" state "state key"; do
  read -ra words <<<"$group"
  run paasctl "${words[@]}"
  check_equal "status of paasctl $group" 64 "$status"
  check_equal "output of paasctl $group" "" "$output"
  check_contains "paasctl $group shows its help" "Usage: paasctl" "$errors"
done
cli_end
