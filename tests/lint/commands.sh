#!/bin/bash
# Checks that every command has help with examples, a man page and completion of its options, and that its
# examples are commands that exist.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${PAASCTL:?must name the binary}"
PAASCTL=$(realpath "$PAASCTL")
problems=0
count=0

problem() {
  echo "$1"
  problems=$((problems + 1))
}

# What the help lists below "Commands:", with aliases.
names_in() {
  sed -n '/^Commands:$/,/^$/p' <<<"$1" | sed -n 's/^  \([a-z][a-z]*\(, [a-z]*\)*\).*/\1/p' | sed 's/, /\n/g'
}

# The same without them.
commands_in() {
  sed -n '/^Commands:$/,/^$/p' <<<"$1" | sed -n 's/^  \([a-z][a-z-]*\).*/\1/p'
}

check_examples() {
  local command=$1 text=$2 line words=() word
  while read -r line; do
    # The commands of a line, without what a shell does around them.
    [[ $line =~ paasctl\ (.*) ]] || continue
    read -ra words <<<"${BASH_REMATCH[1]}"
    local path=() names
    for word in "${words[@]}"; do
      names=$(names_in "$("$PAASCTL" "${path[@]}" --help)")
      # What follows an option, or a command that has no commands, is for the command.
      [[ -n $names && $word != -* ]] || break
      word=${word%%[^a-z]*}
      if ! grep -qxF -e "$word" <<<"$names"; then
        path=()
        break
      fi
      path+=("$word")
    done
    ((${#path[@]} > 0)) || problem "an example of paasctl $command names no command: $line"
  done < <(sed -n '/^Examples:$/,/^$/p' <<<"$text" | tail -n +2)
}

walk() {
  local path=("$@") text name page listed
  text=$("$PAASCTL" "${path[@]}" --help)
  if ((${#path[@]} > 0)); then
    count=$((count + 1))
    page=man/paasctl-$(IFS=-; echo "${path[*]}").1
    [[ -s $page ]] || problem "there is no man page $page"
    grep -q '^  .*paasctl' < <(sed -n '/^Examples:$/,/^$/p' <<<"$text") || problem "paasctl ${path[*]} --help has no example"
    check_examples "${path[*]}" "$text"
    # Completion knows the command's options and its commands.
    listed=$("$PAASCTL" __complete -- "${path[@]}" - | cut -f 1)
    while read -r name; do
      grep -qxe "$name" <<<"$listed" || problem "completion of paasctl ${path[*]} lacks $name"
    done < <(sed -n '/^Options:$/,/^$/p' <<<"$text" | grep -o '^  [^ ].*' | grep -oe '--[a-z-]*' | sort -u)
    grep -qx "${path[-1]}" < <("$PAASCTL" __complete -- "${path[@]}" | cut -f 1) ||
      problem "completion does not know paasctl ${path[*]}"
  fi
  for name in $(commands_in "$text"); do
    walk "${path[@]}" "$name"
  done
}

walk
echo "$count commands, $problems problems"
((count > 30 && problems == 0))
