#!/bin/bash
# Completion in a real bash, with and without bash-completion, and in a real zsh, from where they are installed.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/stack_fixture.sh
source "$cli_source/tests/cli/stack_fixture.sh"
needs zsh python3
[[ -f /usr/share/bash-completion/bash_completion ]] || { echo "skipped: bash-completion is not installed"; exit 77; }

write_stack
write_servers
sed -e 's/web/only/g' -e 's/shop/other/' paas.yaml >other.yaml
touch archive.tar
share=$cli_folder/share
mkdir -p "$share/bash-completion/completions" "$share/zsh" "$cli_folder/plain"
paasctl completion bash >"$cli_folder/plain/paasctl"
paasctl completion zsh >"$share/zsh/_paasctl"
cp "$cli_folder/plain/paasctl" "$share/bash-completion/completions/paasctl"
check "bash's script is the file of the sources" cmp "$cli_folder/plain/paasctl" "$cli_source/completions/paasctl.bash"
check "zsh's script is the file of the sources" cmp "$share/zsh/_paasctl" "$cli_source/completions/_paasctl"

complete_in() {
  python3 "$cli_source/tests/cli/shell_completion.py" "$1" "$2" "$cli_source/tests/cli/completion_cases.txt"
}
check "bash without bash-completion" complete_in bash-plain "$cli_folder/plain"
check "bash with bash-completion" complete_in bash "$share"
check "zsh" complete_in zsh "$share/zsh"

# In a word that the shell has not expanded yet, as both hand it on.
cp other.yaml "$HOME/home.yaml"
tilde='~'
check_equal "a stack file in the home folder" $'only\tservice' "$(paasctl __complete -- -f "$tilde/home.yaml" logs on)"

# Sourced by hand, as `paasctl completion --help` says.
check "zsh takes the script from source" zsh -fc \
  "autoload -Uz compinit; compinit -u -D; source <(paasctl completion zsh); [[ \$_comps[paasctl] == _paasctl ]]"
cli_end
