#!/bin/sh
# Has HAProxy judge every golden configuration. Exit status: 0 all are valid, 1 one is not, 77 no HAProxy.
PATH=$PATH:/usr/sbin
if ! command -v haproxy >/dev/null; then
  echo "skipped: haproxy is not installed" >&2
  exit 77
fi
folder=$(dirname "$0")/golden
status=0
count=0
for configuration in "$folder"/*.cfg; do
  count=$((count + 1))
  # -dW: a warning is an error.
  if ! haproxy -c -q -dW -f "$configuration"; then
    echo "not valid: $configuration" >&2
    status=1
  fi
done
echo "$count configurations checked"
[ "$count" -gt 1 ] || status=1
exit "$status"
