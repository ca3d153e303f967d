#!/bin/bash
# `cmake --install` puts the binary, the man pages and the completions where programs look for them.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
prefix=$cli_folder/prefix
check "cmake --install" "${PAASCTL_CMAKE:-cmake}" --install "${PAASCTL_BUILD:?must name the build folder}" --prefix "$prefix"
check_equal "the binary runs from there" "$(paasctl version)" "$("$prefix/bin/paasctl" version)"
check_equal "every page of section 1" "$(cd "$cli_source/man" && ls ./*.1)" "$(cd "$prefix/share/man/man1" && ls ./*.1)"
check "paas.yaml(5)" cmp "$cli_source/man/paas.yaml.5" "$prefix/share/man/man5/paas.yaml.5"
check "bash's completion" cmp "$cli_source/completions/paasctl.bash" "$prefix/share/bash-completion/completions/paasctl"
check "zsh's completion" cmp "$cli_source/completions/_paasctl" "$prefix/share/zsh/site-functions/_paasctl"
check_equal "nothing else" "bin share" "$(cd "$prefix" && echo *)"
check_equal "nothing else in share" "bash-completion man zsh" "$(cd "$prefix/share" && echo *)"
if [[ -f /usr/share/bash-completion/bash_completion ]]; then
  check "bash-completion finds it" env XDG_DATA_DIRS="$prefix/share" bash -c \
    'source /usr/share/bash-completion/bash_completion; _completion_loader paasctl; complete -p paasctl'
fi
if command -v zsh >/dev/null; then
  # What a zsh of its own accord looks at is known for the usual prefixes only.
  check_equal "zsh looks there with the usual prefix" /usr/local/share/zsh/site-functions \
    "$(zsh -fc 'print -l $fpath' | grep -x /usr/local/share/zsh/site-functions)"
  check "cmake --install into /usr, as a package does" env DESTDIR="$cli_folder/package" \
    "${PAASCTL_CMAKE:-cmake}" --install "$PAASCTL_BUILD" --prefix /usr
  check_equal "zsh looks there with a package's prefix" "/usr/share/zsh/vendor-completions" \
    "$(zsh -fc 'print -l $fpath' | grep -xF "$(cd "$cli_folder/package" && find . -name _paasctl -printf '/%P\n' |
      sed 's|/_paasctl$||')")"
  check "zsh takes it from there" zsh -fc "fpath=($prefix/share/zsh/site-functions \$fpath); autoload -Uz compinit
    compinit -u -D; [[ \$_comps[paasctl] == _paasctl ]]"
fi
cli_end
