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
check "zsh's completion" cmp "$cli_source/completions/_paasctl" "$prefix/share/zsh/vendor-completions/_paasctl"
check_equal "nothing else" "bin share" "$(cd "$prefix" && echo *)"
check_equal "nothing else in share" "bash-completion man zsh" "$(cd "$prefix/share" && echo *)"
if [[ -f /usr/share/bash-completion/bash_completion ]]; then
  check "bash-completion finds it" env XDG_DATA_DIRS="$prefix/share" bash -c \
    'source /usr/share/bash-completion/bash_completion; _completion_loader paasctl; complete -p paasctl'
fi
if command -v zsh >/dev/null; then
  check "zsh finds it" zsh -fc "fpath=($prefix/share/zsh/vendor-completions \$fpath); autoload -Uz compinit
    compinit -u -D; [[ \$_comps[paasctl] == _paasctl ]]"
fi
cli_end
