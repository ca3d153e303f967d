#!/bin/bash
# https on a real load balancer: certificates of files and of the stack's own authority, while requests go on.
# shellcheck source=tests/lib/scenario.sh
source "$(dirname "$0")/../lib/scenario.sh"
# shellcheck source=tests/lib/stack.sh
source "$source_root/tests/lib/stack.sh"
use_example

# An authority of the scenario's own, for the files.
mkdir tls
new_key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
openssl req -x509 "${new_key[@]}" -days 30 -subj "/CN=files" -keyout "$folder/ca.key" -out "$folder/files_ca.pem" 2>/dev/null

# make_certificate NAME HOST...: tls/NAME.pem and tls/NAME.key, another one each time.
make_certificate() {
  local name=$1 hosts
  shift
  hosts=$(printf ',DNS:%s' "$@")
  openssl req "${new_key[@]}" -subj "/CN=$1" -keyout "tls/$name.key" -out "$folder/asked" 2>/dev/null
  openssl x509 -req -in "$folder/asked" -CA "$folder/files_ca.pem" -CAkey "$folder/ca.key" -days 30 -out "tls/$name.pem" \
    -extfile <(printf 'subjectAltName=%s\n' "${hosts#,}") 2>/dev/null
}

make_certificate shop shop.test www.shop.test
cat >paas.yaml <<'END'
stack: secure
cloud: local
region: nyc3
ssh: {from: [0.0.0.0/0]}
images:
  web: {build: ./web, args: {BASE: "zipkick-base:12"}}
services:
  shop: {type: web, image: web, port: 8000, env: {BACKEND_URL: "http://127.0.0.1:9"}, health: {path: /healthz}}
  news: {type: web, image: web, port: 8000, env: {BACKEND_URL: "http://127.0.0.1:9"}, health: {path: /healthz}}
lb:
  listen: [80]
  tls:
    certificates:
      - {certificate: ./tls/shop.pem, key: ./tls/shop.key}
    acme: {hosts: [news.test]}
    hsts: {max_age: 365d}
  rules:
    - {host: shop.test, to: shop}
    - {to: news}
END
# It answers to a form at this path as well, so requests of all kinds can be made without a backend.
sed -i 's/(request.method, request.path) == ("GET", "\/healthz")/request.path == "\/healthz"/' web/frontend.py
check "the local cloud starts" paasctl cloud up
bring_up

# https HOST [ARGUMENTS...]: asks the host over https, and believes both authorities.
https() {
  local host=$1
  shift
  curl --silent --show-error --fail --max-time 10 --cacert "$folder/trusted.pem" --resolve "$host:443:$address" "$@" \
    "https://$host/healthz"
}

# The certificates that clients of a host are shown, that lies beside the stack file and that lies on the load balancer.
fingerprint() {
  openssl x509 -noout -fingerprint -sha256
}
shown() {
  openssl s_client -connect "$address:443" -servername "$1" </dev/null 2>/dev/null | fingerprint
}
on_disk() {
  inside "$1" "cat /etc/haproxy/certificates/$2.pem" | fingerprint
}
key_on_disk() {
  inside "$1" "cat /etc/haproxy/certificates/$2.pem" | openssl pkey -pubout
}

shop_file=file.tls_shop.pem
# The host's clients are shown the file's certificate, which is the one on the load balancer with its key.
check_shop() {
  check_equal "shop.test shows the file's certificate" "$(fingerprint <tls/shop.pem)" "$(shown shop.test)"
  check_equal "it lies on the load balancer" "$(fingerprint <tls/shop.pem)" "$(on_disk "$1" $shop_file)"
  check_equal "with its key" "$(openssl pkey -pubout <tls/shop.key)" "$(key_on_disk "$1" $shop_file)"
}

say "Two hosts, two authorities"
check "lb ca" paasctl lb ca
paasctl lb ca >"$folder/stack_ca.pem"
cat "$folder/files_ca.pem" "$folder/stack_ca.pem" >"$folder/trusted.pem"
check_contains "shop.test is served over https" '"secure-shop-1"' "$(https shop.test)"
check_contains "news.test as well" '"secure-news-1"' "$(https news.test)"
check_contains "HTTP/2 is spoken" "HTTP/2 200" "$(https shop.test --include --http2)"
check_contains "HSTS" "strict-transport-security: max-age=31536000" "$(https news.test --include)"
check_shop lb-1
check "news.test is believed with the stack's authority alone" \
  curl --silent --fail --cacert "$folder/stack_ca.pem" --resolve "news.test:443:$address" https://news.test/healthz
check_fails "another host's certificate is not shown" https blog.test
check_equal "keys are root's only" "600 root" "$(inside lb-1 "stat -c '%a %U' /etc/haproxy/certificates/$shop_file.pem")"
answer=$(curl --silent --include --max-time 10 -H 'Host: shop.test' "http://$address/healthz?a=b")
check_contains "http is redirected" "HTTP/1.1 308" "$answer"
check_contains "with path and query" "location: https://shop.test/healthz?a=b" "$answer"
check_lacks "HSTS is said over https alone" strict-transport-security "${answer,,}"
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode

say "A renewed file and a new host, while requests go on"
worker=$(haproxy_worker lb-1)
loaded=$(reloads)
containers=$(containers_of shop news)
old=$(shown shop.test)
tls_traffic_begin shop.test /healthz "$folder/trusted.pem"
make_certificate shop shop.test www.shop.test
check_status "plan sees it" 2 paasctl plan --detailed-exitcode
check_contains "and names the file" "./tls/shop.pem is another certificate than before" "$output"
check_status "up" 0 paasctl up --yes
check_fails "another one is shown" test "$old" = "$(shown shop.test)"
check_shop lb-1
sed -i 's/hosts: \[news.test\]/hosts: [news.test, blog.test]/' paas.yaml
check_status "up with one more host" 0 paasctl up --yes
check_contains "it is served" '"secure-news-1"' "$(https blog.test)"
make_certificate more more.test
sed -i 's|^      - .*|&\n      - {certificate: ./tls/more.pem, key: ./tls/more.key, hosts: [more.test]}|' paas.yaml
check_status "up with one more file" 0 paasctl up --yes
check_contains "its host is served" '"secure-news-1"' "$(https more.test)"
check_equal "no reload is counted" "$loaded" "$(reloads)"
check_equal "HAProxy's worker is the same" "$worker" "$(haproxy_worker lb-1)"
sed -i 's|^    - {host: shop.test, to: shop}|&\n    - {host: more.test, to: shop}|' paas.yaml
check_status "up with a rule for that host" 0 paasctl up --yes
check_contains "another service serves it" '"secure-shop-1"' "$(https more.test)"
check_equal "that is one reload" "$((loaded + 1))" "$(reloads)"
sed -i -e '/more/d' -e 's/, blog.test//' paas.yaml
check_status "up without them" 0 paasctl up --yes
check_fails "a host that went is not served" https blog.test
check_fails "nor the other" https more.test
check_equal "nothing of them is left" "default.pem $shop_file.pem host.news.test.pem list" \
  "$(inside lb-1 'ls /etc/haproxy/certificates' | xargs)"
check_equal "their rule cost another reload" "$((loaded + 2))" "$(reloads)"
traffic_end
check_equal "no container was touched" "$containers" "$(containers_of shop news)"
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode

say "Certificates that somebody changed on the load balancer"
# drifted CAUSE: plan names it, and up mends it without a reload.
drifted() {
  check_status "plan sees it" 2 paasctl plan --detailed-exitcode
  check_contains "and names it" "$1" "$output"
  check_contains "as something that was changed there" "drift" "$(paasctl plan -o json | jq -r '.steps[].reason')"
  check_status "up" 0 paasctl up --yes
  check_equal "no reload is counted" "$loaded" "$(reloads)"
  check_shop lb-1
  check "news.test is served" https news.test
  check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode
}
loaded=$(reloads)
worker=$(haproxy_worker lb-1)
inside lb-1 "rm /etc/haproxy/certificates/$shop_file.pem"
drifted "the certificate of ./tls/shop.pem is gone"
inside lb-1 "cd /etc/haproxy/certificates && cat default.pem >host.news.test.pem"
drifted "the certificate of news.test is not the one that was put there"
inside lb-1 "echo 'del ssl crt-list /etc/haproxy/certificates/list /etc/haproxy/certificates/$shop_file.pem' |
  socat - /run/haproxy/admin.sock >/dev/null"
drifted "HAProxy does not show the certificate of ./tls/shop.pem"
inside lb-1 "sed -i /news.test/d /etc/haproxy/certificates/list"
drifted "HAProxy does not show the certificate of news.test"
inside lb-1 "rm /etc/haproxy/certificates/default.pem"
drifted "the placeholder is gone"
check_equal "HAProxy's worker is the same" "$worker" "$(haproxy_worker lb-1)"

say "The load balancer's machine reboots"
news=$(shown news.test)
boot_of() {
  inside lb-1 'cut -d " " -f 22 /proc/1/stat'
}
before=$(boot_of)
rebooted() {
  local now
  now=$(boot_of) && [[ -n $now && $now != "$before" ]]
}
check "a reboot" paasctl cloud fault add reboot --droplet secure-lb-1
eventually 60 "it was off" rebooted
eventually 60 "https answers" https shop.test
check_shop lb-1
check_equal "news.test shows the same certificate" "$news" "$(shown news.test)"
check "and is believed" https news.test
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode

say "The load balancer is replaced"
check "server replace lb-1" paasctl server replace lb-1
check_equal "the public address is the same" "$address" "$(lockfile .lb.reserved_ip)"
check_equal "it is assigned to the new one" "$(droplet_of lb-2)" "$(api GET "/reserved_ips/$address" | jq -r .reserved_ip.droplet.id)"
eventually 30 "https answers there" https shop.test
check_shop lb-2
check "news.test is believed with the authority of before" https news.test
check_equal "no container was touched" "$containers" "$(containers_of shop news)"
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode
