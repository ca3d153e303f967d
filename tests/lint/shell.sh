#!/bin/bash
# Checks every shell script of the checkout, whatever its name is.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts=()
while IFS= read -r -d '' file; do
  if [[ $file == *.sh ]] || head -c 64 "$file" | head -n 1 | grep -aqE '^#!/bin/(ba|da)?sh'; then
    scripts+=("$file")
  fi
done < <(find . \( -name .git -o -path ./build \) -prune -o -type f -size -200k -print0)
printf '%s\n' "${scripts[@]}"
shellcheck --external-sources --source-path=SCRIPTDIR --source-path=. "${scripts[@]}"
