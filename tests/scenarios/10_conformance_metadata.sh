#!/bin/bash
# The published document of DigitalOcean's API finds no fault with the local cloud's answers.
#
# A cloud without machines is driven through `conformance proxy`, with every operation that it serves. This one
# needs no Docker Engine, so it does not begin as the other scenarios do. Status 77 means skipped: the document
# does not lie beside this checkout, or Debian's python3-jsonschema is missing; with PAASCTL_REQUIRE_SCENARIOS=1
# that is a failure.
set -euo pipefail

: "${PAASCTL:?must name the binary to test}"
here=$(cd "$(dirname "$0")" && pwd)
source_root=$(cd "$here/../.." && pwd)
conformance=$source_root/../shared/do-api/conformance

skip() {
  if [[ -n ${PAASCTL_REQUIRE_SCENARIOS:-} ]]; then
    printf 'FAILED: %s\n' "$1"
    exit 1
  fi
  printf 'skipped: %s\n' "$1"
  exit 77
}

[[ -x $conformance ]] || skip "DigitalOcean's document is not beside this checkout (../shared/do-api)"
/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || skip "python3-jsonschema is not installed"

folder=$(mktemp -d "${TMPDIR:-/tmp}/paasctl-conformance.XXXXXX")
proxy=
finish() {
  [[ -z $proxy ]] || kill "$proxy" 2>/dev/null || true
  "$PAASCTL" cloud down --state "$folder/cloud" --purge --yes >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap finish EXIT

"$PAASCTL" cloud up --metadata-only --state "$folder/cloud" --address 127.0.0.1:0 >/dev/null
field() {
  /usr/bin/python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$folder/cloud/endpoint.json" "$1"
}

"$conformance" proxy --upstream "$(field url)" --log "$folder/log.jsonl" >"$folder/proxy" 2>"$folder/proxy.errors" &
proxy=$!
for _ in $(seq 200); do
  [[ -s $folder/proxy ]] && break
  sleep 0.05
done

PAASCTL_TEST_URL=$(head -1 "$folder/proxy") PAASCTL_TEST_TOKEN=$(field token) \
  /usr/bin/python3 "$here/../cloud/conformance_requests.py"

# One line of the document is known to be wrong: a droplet's status "off" became `false` when it was published
# (YAML 1.1 reads off as a boolean), so its own description contradicts it. The service says "off", and so do we.
status=0
"$conformance" check "$folder/log.jsonl" >"$folder/result" || status=$?
cat "$folder/result"
if grep -E '^ *[0-9]+ x ' "$folder/result" | grep -qv "status': 'off' is not one of"; then
  echo "FAILED: the answers differ from the document"
  exit 1
fi
# Nothing recorded, or a tool that broke, must not pass.
[[ $status == 0 ]] || grep -q "status': 'off' is not one of" "$folder/result" || exit 1
operations=$(sed -n 's/^[0-9]* exchanges of \([0-9]*\) operations.*/\1/p' "$folder/result")
if ((${operations:-0} < 90)); then
  echo "FAILED: only ${operations:-0} operations were tried"
  exit 1
fi
echo "ok: $operations operations answer as published"
