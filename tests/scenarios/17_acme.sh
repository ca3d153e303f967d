#!/bin/bash
# Certificates that certbot gets on the load balancer's machine of an ACME server outside: issued through HAProxy,
# renewed by the package's own service, and moved to a load balancer that takes the place of another.
# shellcheck source=tests/lib/scenario.sh
source "$(dirname "$0")/../lib/scenario.sh"
# shellcheck source=tests/lib/stack.sh
source "$source_root/tests/lib/stack.sh"
command -v pebble >/dev/null || skip "pebble is not installed"
use_example

cat >paas.yaml <<'END'
stack: secure
cloud: local
region: nyc3
ssh: {from: [0.0.0.0/0]}
images:
  web: {build: ./web, args: {BASE: "zipkick-base:12"}}
services:
  shop: {type: web, image: web, port: 8000, env: {BACKEND_URL: "http://127.0.0.1:9"}, health: {path: /healthz}}
lb:
  listen: [80]
  rules: [{to: shop}]
END
# It answers to a form at this path as well, so requests of all kinds can be made without a backend.
sed -i 's/(request.method, request.path) == ("GET", "\/healthz")/request.path == "\/healthz"/' web/frontend.py
check "the local cloud starts" paasctl cloud up
say "The stack without https, which makes the address that names lead to"
bring_up

# An ACME server on this machine, where the load balancer's machine reaches it; to it all names lead to the stack.
host=$(inside lb-1 'ip -4 route show default' | sed -n 's/.* via \([0-9.]*\).*/\1/p')
free_port() {
  /usr/bin/python3 -c 'import socket; line = socket.socket(); line.bind(("", 0)); print(line.getsockname()[1])'
}
port=$(free_port)
management=$(free_port)
names=$(free_port)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=pebble \
  -addext "subjectAltName=IP:$host" -keyout "$folder/pebble.key" -out "$folder/pebble.pem" 2>/dev/null
jq -n --arg folder "$folder" --arg listen "$host:$port" --arg management "127.0.0.1:$management" '{pebble: {
  listenAddress: $listen, managementListenAddress: $management, certificate: ($folder + "/pebble.pem"),
  privateKey: ($folder + "/pebble.key"), httpPort: 80, tlsPort: 443, ocspResponderURL: "",
  externalAccountBindingRequired: false}}' >"$folder/pebble.json"
pebble-challtestsrv -defaultIPv4 "$address" -defaultIPv6 "" -dns01 "127.0.0.1:$names" -management "127.0.0.1:$(free_port)" \
  -http01 "" -https01 "" -tlsalpn01 "" >"$folder/names.log" 2>&1 &
PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 pebble -config "$folder/pebble.json" -dnsserver "127.0.0.1:$names" \
  >"$folder/pebble.log" 2>&1 &
pebble_answers() {
  curl --silent --fail --max-time 5 --cacert "$folder/pebble.pem" "https://$host:$port/dir"
}
eventually 20 "pebble answers" pebble_answers
curl --silent --fail --insecure "https://127.0.0.1:$management/roots/0" >"$folder/root.pem"

# trusts_pebble SERVER: as a company's own ACME server is made known to a machine.
trusts_pebble() {
  docker exec -i "$(machine_of "$1")" sh -c \
    'cat >/usr/local/share/ca-certificates/pebble.crt && update-ca-certificates >/dev/null 2>&1' <"$folder/pebble.pem"
}
orders() {
  grep -c 'Issued certificate serial' "$folder/pebble.log" || true
}
https() {
  local name=$1
  shift
  curl --silent --show-error --fail --max-time 10 --cacert "$folder/root.pem" --resolve "$name:443:$address" "$@" \
    "https://$name/healthz"
}
fingerprint() {
  openssl x509 -noout -fingerprint -sha256
}
shown() {
  openssl s_client -connect "$address:443" -servername "$1" </dev/null 2>/dev/null | fingerprint
}
on_disk() {
  inside "$1" "cat /etc/haproxy/certificates/host.$2.pem" | fingerprint
}

say "Two hosts get certificates"
sed -i "s|^lb:|&\n  tls: {acme: {email: ops@example.com, hosts: [shop.test, www.shop.test], directory: \"https://$host:$port/dir\"}}|" paas.yaml
trusts_pebble lb-1
check_status "plan" 2 paasctl plan --detailed-exitcode
check_contains "says so" "get certificates on secure-lb-1 (shop.test, www.shop.test)" "$output"
check_status "up" 0 paasctl up --yes
for name in shop.test www.shop.test; do
  check_contains "$name is served, and believed with pebble's root alone" '"secure-shop-1"' "$(https "$name")"
  check_equal "what is shown lies on the load balancer" "$(shown "$name")" "$(on_disk lb-1 "$name")"
done
check_contains "http is redirected" "location: https://shop.test/healthz" \
  "$(curl --silent --include --max-time 10 -H 'Host: shop.test' "http://$address/healthz")"
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode

say "One more host, and a renewal by the package's service, while requests go on"
worker=$(haproxy_worker lb-1)
loaded=$(reloads)
tls_traffic_begin shop.test /healthz "$folder/root.pem"
sed -i 's/www.shop.test\]/www.shop.test, new.test]/' paas.yaml
before=$(orders)
check_status "up" 0 paasctl up --yes
check "the new host is served" https new.test
check_equal "nothing else was asked for" $((before + 1)) "$(orders)"
check "certbot's timer runs" inside lb-1 'systemctl is-active certbot.timer'
old=$(shown shop.test)
# The same command, but now and of all.
inside lb-1 "mkdir -p /run/systemd/system/certbot.service.d
  printf '[Service]\nExecStart=\nExecStart=/usr/bin/certbot -q renew --force-renewal --no-random-sleep-on-renew\n' \
    >/run/systemd/system/certbot.service.d/now.conf
  systemctl daemon-reload"
check "the service renews" inside lb-1 'systemctl start certbot.service'
for name in shop.test www.shop.test new.test; do
  check_equal "what is shown of $name lies on the load balancer" "$(shown "$name")" "$(on_disk lb-1 "$name")"
  check "and is believed" https "$name"
done
check_fails "it is another one" test "$old" = "$(shown shop.test)"
traffic_end
check_equal "no reload is counted" "$loaded" "$(reloads)"
check_equal "HAProxy's worker is the same" "$worker" "$(haproxy_worker lb-1)"
check_status "a renewal is nothing that plan minds" 0 paasctl plan --detailed-exitcode

say "The load balancer is replaced"
old=$(shown shop.test)
before=$(orders)
containers=$(containers_of shop)
# From the first answer of the new one on, the certificate is the one of before: a placeholder is believed by nobody.
"$PAASCTL" server replace lb-1 >"$folder/replaced" 2>&1 &
replacing=$!
same=0
foreign=0
while kill -0 "$replacing" 2>/dev/null; do
  seen=$(shown shop.test || true)
  if [[ $seen == "$old" ]]; then
    same=$((same + 1))
  elif [[ -n $seen ]]; then
    foreign=$((foreign + 1))
  fi
done
status=0
wait "$replacing" || status=$?
((status == 0)) || fail "server replace lb-1" "$(cat "$folder/replaced")"
check_contains "it says what becomes of them" \
  "move certificates from secure-lb-1 (shop.test, www.shop.test, new.test)" "$(cat "$folder/replaced")"
check "clients came meanwhile: $same" test "$same" -gt 20
check_equal "none was shown another certificate" 0 "$foreign"
check_equal "shop.test shows the certificate of before" "$old" "$(shown shop.test)"
check "and is believed" https shop.test
check_equal "the authority was asked for nothing" "$before" "$(orders)"
check_equal "no container was touched" "$containers" "$(containers_of shop)"
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode
trusts_pebble lb-2
check "certbot's timer runs there" inside lb-2 'systemctl is-active certbot.timer'
check "certbot renews there" inside lb-2 'certbot -q renew --force-renewal --no-random-sleep-on-renew'
check_fails "shop.test shows another one" test "$old" = "$(shown shop.test)"
check "and is believed" https shop.test
check_equal "it lies on the load balancer" "$(shown shop.test)" "$(on_disk lb-2 shop.test)"
