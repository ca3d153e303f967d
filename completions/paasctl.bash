# bash completion for paasctl: the program itself knows the candidates.
# shellcheck shell=bash
_paasctl() {
  local line=${COMP_LINE:0:COMP_POINT} words=() word rest index
  # bash takes words apart at = and :, paasctl does not: web=3 is one word of its own.
  rest=$line
  for ((index = 0; index <= COMP_CWORD; index++)); do
    word=${COMP_WORDS[index]}
    if [[ $rest == [[:space:]]* || $index == 0 ]]; then
      rest=${rest#"${rest%%[![:space:]]*}"}
      words+=("")
    fi
    # The last word ends at the cursor.
    if ((index == COMP_CWORD)); then
      word=$rest
    fi
    words[-1]+=$word
    rest=${rest#"$word"}
  done

  local current=${words[-1]} candidate cut=
  # What stands before the last = or : is on the line already, and bash replaces only what is behind it.
  if [[ $current == *[=:]* && $COMP_WORDBREAKS == *=* && $COMP_WORDBREAKS == *:* ]]; then
    cut=${current%"${current##*[=:]}"}
  fi
  COMPREPLY=()
  while IFS=$'\t' read -r candidate _; do
    case $candidate in
      :files)
        compopt -o filenames
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
        ;;
      :folders)
        compopt -o filenames
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$current")
        ;;
      *) COMPREPLY+=("${candidate#"$cut"}") ;;
    esac
  done < <("${words[0]/#~\//$HOME/}" __complete -- "${words[@]:1}" 2>/dev/null)
  # Names that end with = go on in the same word.
  if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *= ]]; then
    compopt -o nospace
  fi
}
complete -F _paasctl paasctl
