#!/bin/sh
# Has HAProxy judge every golden configuration. Exit status: 0 all are valid, 1 one is not, 77 no HAProxy.
PATH=$PATH:/usr/sbin
if ! command -v haproxy >/dev/null; then
  echo "skipped: haproxy is not installed" >&2
  exit 77
fi
folder=$(dirname "$0")/golden
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# They name a list of certificates of the load balancer's; here it has one that nobody uses.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=golden -days 2 \
  -keyout "$work/key" -out "$work/certificate" 2>/dev/null
cat "$work/certificate" "$work/key" >"$work/default.pem"
echo "$work/default.pem" >"$work/list"
status=0
count=0
for configuration in "$folder"/*.cfg; do
  count=$((count + 1))
  sed "s:/etc/haproxy/certificates/:$work/:" "$configuration" >"$work/haproxy.cfg"
  # -dW: a warning is an error.
  if ! haproxy -c -q -dW -f "$work/haproxy.cfg"; then
    echo "not valid: $configuration" >&2
    status=1
  fi
done
echo "$count configurations checked"
[ "$count" -gt 1 ] || status=1
exit "$status"
