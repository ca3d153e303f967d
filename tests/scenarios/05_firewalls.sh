#!/bin/bash
# Firewalls allow what links, load balancer and stack say and nothing else, seen from inside and from outside.
# shellcheck source=tests/lib/scenario.sh
source "$(dirname "$0")/../lib/scenario.sh"
# shellcheck source=tests/lib/stack.sh
source "$source_root/tests/lib/stack.sh"
use_example
# One server of each service is enough. The cache may be left by nothing but name resolution.
sed -i -e 's/scale: {min: 2, max: 4}/scale: {min: 1, max: 4}/' \
  -e 's|^  cache:$|&\n    outbound: ["udp:53"]|' paas.yaml
check "the local cloud starts" paasctl cloud up

# Writes down the rules of the database's machine again and again until its first container is there: the last that
# were written before it was made are those that it met.
watch_database() {
  local machine
  until machine=$(machine_of db-1 2>/dev/null) && docker exec "$machine" true 2>/dev/null; do sleep 0.5; done
  # shellcheck disable=SC2016
  timeout 600 docker exec "$machine" sh -c '
    until rules=$(iptables -t mangle -S) && docker ps --all --quiet 2>/dev/null | grep -q .; do
      before=$rules
      sleep 0.1
    done
    printf "%s\n" "$before"' >"$folder/rules" 2>&1
}
watch_database &
watcher=$!
bring_up
wait "$watcher" || fail "watching the database" "$(cat "$folder/rules")"
rules=$(cat "$folder/rules")
check_contains "before a container starts, what is not allowed is dropped" "-A paas-inbound -j DROP" "$rules"
check_contains "and its clients are allowed" "--dport 5432 -j ACCEPT" "$rules"

# What a machine or a container says to a connection: "open", or "closed" when it is refused or answered by nothing.
attempt() {
  printf 'if timeout 3 bash -c ": </dev/tcp/%s/%s" 2>/dev/null; then echo open; else echo closed; fi' "$1" "$2"
}
says() {
  printf 'expected: %s, got: %s\n' "$1" "$2"
  [[ $1 == "$2" ]]
}
# opens SERVER ADDRESS PORT: whether a connection can be made from there.
opens() {
  says open "$(paasctl server ssh "$1" -- sh -c "$(attempt "$2" "$3")")"
}
# is_closed SERVER ADDRESS PORT: whether the server itself says that it cannot.
is_closed() {
  says closed "$(paasctl server ssh "$1" -- sh -c "$(attempt "$2" "$3")")"
}
# The same from inside of a service's container.
is_closed_in_container() {
  says closed "$(paasctl exec "$1" -- sh -c "$(attempt "$2" "$3")")"
}
from_here() {
  timeout 3 bash -c "echo </dev/tcp/$1/$2"
}
db=$(address_of db-1)
cache=$(address_of cache-1)
# The port of the slot that a server's container has now.
slot_of() {
  # shellcheck disable=SC2016
  lockfile --arg name "zipkick-$1" '.servers[$name] as $server | .services[$server.service].slots[$server.slot]'
}
frontend_slot=$(slot_of frontend-1)
backend_slot=$(slot_of backend-1)

say "The database and the cache"
check "the backend reaches the database" opens backend-1 "$db" 5432
check "the backend reaches the cache" opens backend-1 "$cache" 6379
check "the frontend does not reach the database" is_closed frontend-1 "$db" 5432
check "the frontend does not reach the cache" is_closed frontend-1 "$cache" 6379
check "the load balancer does not reach the database" is_closed lb-1 "$db" 5432
check "the database does not reach the cache" is_closed db-1 "$cache" 6379
check_fails "nobody reaches the database by its public address" from_here "$(address_of db-1 public)" 5432
check_fails "nor the cache" from_here "$(address_of cache-1 public)" 6379
check_fails "nor by the private one from outside" from_here "$db" 5432

say "The web services"
check "the load balancer reaches the frontend" opens lb-1 "$(address_of frontend-1)" "$frontend_slot"
check "the load balancer reaches the backend" opens lb-1 "$(address_of backend-1)" "$backend_slot"
check "the frontend does not reach the backend past it" is_closed frontend-1 "$(address_of backend-1)" "$backend_slot"
check_fails "nobody reaches a frontend past it" from_here "$(address_of frontend-1 public)" "$frontend_slot"
check "the frontend reaches the backend through it" opens frontend-1 "$(address_of lb-1)" "$(lockfile .services.backend.internal_port)"
check "the cache does not" is_closed cache-1 "$(address_of lb-1)" "$(lockfile .services.backend.internal_port)"
check "anybody reaches the load balancer" from_here "$address" 80
check_fails "but nothing else of it" from_here "$address" "$(lockfile .services.backend.internal_port)"
check "SSH is open as ssh.from says" from_here "$(address_of db-1 public)" 22

say "Outbound"
check "the database may go out" opens db-1 "$(address_of lb-1 public)" 80
check "the cache may not" is_closed cache-1 "$(address_of lb-1 public)" 80
check "a container on it neither" is_closed_in_container cache "$(address_of lb-1 public)" 80
check "it still answers its clients" opens backend-1 "$cache" 6379
check "a droplet reaches the metadata address" opens backend-1 169.254.169.254 80
check "its containers do not" is_closed_in_container backend 169.254.169.254 80

say "Rules that change"
# The gateway of the private network is this machine's address there; databases listen on no other.
here=$(ip -4 route get "$db" | sed -n 's/.* src \([^ ]*\).*/\1/p')
sed -i "s|^    scheme: postgresql\$|&\n    allow: [$here/32]|" paas.yaml
containers=$(containers_of frontend backend db cache)
check_status "up" 0 paasctl up --yes
check "an address that is allowed gets in" from_here "$db" 5432
check_fails "but not by the public address" from_here "$(address_of db-1 public)" 5432
check_equal "no container was touched" "$containers" "$(containers_of frontend backend db cache)"
sed -i '/^    allow: /d' paas.yaml
check_status "up" 0 paasctl up --yes
check_fails "and out again" from_here "$db" 5432

say "A new client"
check_status "a new backend" 0 paasctl scale backend=2
check "reaches the database" opens backend-2 "$db" 5432
