#!/bin/bash
# Checks the man pages' markup, that they are what the program makes of its help, and that the example of
# paas.yaml(5) is a stack file.
set -euo pipefail
cd "$(dirname "$0")/../.."
mandoc -T lint -W warning man/*.[15]
: "${PAASCTL:?must name the binary that makes the pages}"
PAASCTL=$(realpath "$PAASCTL")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$PAASCTL" __man "$folder/man"
if ! diff -ru --exclude='*.5' man "$folder/man"; then
  echo "man/ is not what the program makes of its help; write it with: rm man/*.1 && $PAASCTL __man man"
  exit 1
fi

mkdir "$folder/web"
echo "FROM scratch" >"$folder/web/Dockerfile"
# The lines between the requests, with hyphens as they are typed.
sed -n '/^\.SH EXAMPLES/,/^\.fi/p' man/paas.yaml.5 | sed -e '/^\./d' -e 's/\\-/-/g' >"$folder/paas.yaml"
"$PAASCTL" validate -f "$folder/paas.yaml"
