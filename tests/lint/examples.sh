#!/bin/bash
# Checks that the stack files of examples/ and of README.md are stack files.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${PAASCTL:?must name the binary}"
PAASCTL=$(realpath "$PAASCTL")
count=0
for file in examples/*/paas.yaml; do
  "$PAASCTL" validate -f "$file"
  count=$((count + 1))
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Each fenced block of YAML in README.md is one.
awk -v folder="$folder" '/^```yaml/ { n++; f = folder "/" n ".yaml"; next } /^```/ { f = "" } f { print > f }' README.md
for file in "$folder"/*.yaml; do
  while read -r context; do
    mkdir -p "$folder/$context"
    echo "FROM scratch" >"$folder/$context/Dockerfile"
  done < <(grep -o 'build: [^,}]*' "$file" | cut -d ' ' -f 2)
  "$PAASCTL" validate -f "$file"
  count=$((count + 1))
done
((count >= 2))
