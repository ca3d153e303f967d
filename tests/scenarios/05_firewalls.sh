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

say "The rules in force"
# The rules of a server's machine in an order of their own, with the servers' names for their addresses. Which rule is
# a chain's last is told as well: behind it nothing counts.
rules_on() {
  local server names="" metadata
  for server in lb-1 frontend-1 backend-1 db-1 cache-1; do
    names+="s|$(address_of "$server")/32|$server|;s|$(address_of "$server" public)/32|$server:public|;"
  done
  metadata=$(inside "$1" 'iptables -t nat -S OUTPUT' | sed -n 's|.* -d 169.254.169.254/32 .* --to-destination ||p')
  # shellcheck disable=SC2016
  inside "$1" 'iptables -t mangle -S | LC_ALL=C sort
    for chain in paas-inbound paas-outbound; do echo "last: $(iptables -t mangle -S $chain | tail -n 1)"; done' |
    sed "s|-d ${metadata%:*}/32\\(.*\\) -p tcp -m tcp --dport ${metadata#*:} -j|-d METADATA\\1 -j|;$names"
}
accepting() {
  sed "s/.*/-A $1 & -j ACCEPT/"
}
# What every server has, and these openings: inbound, then outbound, each a match of iptables in a line.
expected_rules() {
  local opening
  {
    printf -- '-P %s ACCEPT\n' PREROUTING INPUT FORWARD OUTPUT POSTROUTING
    printf -- '-N %s\n' paas-inbound paas-outbound
    printf -- '-A %s\n' 'PREROUTING -i eth+ -j paas-inbound' 'POSTROUTING -o eth+ -j paas-outbound' \
      'FORWARD -d METADATA -o eth+ -j DROP' 'paas-outbound -d METADATA -j ACCEPT' \
      'paas-outbound -d 169.254.0.0/16 -j DROP'
    for opening in paas-inbound paas-outbound; do
      printf -- "-A $opening %s\n" '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT' '-j DROP'
    done
    accepting paas-inbound <<<"$1"
    accepting paas-outbound <<<"$2"
  } | LC_ALL=C sort
  printf 'last: -A %s -j DROP\n' paas-inbound paas-outbound
}
tcp() {
  printf -- '%s-p tcp -m tcp --dport %s\n' "${2:+-s $2 }" "$1"
}
slots_of() {
  local slot
  for slot in $(lockfile ".services.$1.slots[]"); do
    from lb-1 "$slot"
  done
}
from() {
  tcp "$2" "$1"
  tcp "$2" "$1:public"
}
anywhere=$'-p tcp\n-p udp\n-p icmp'
internal=$(lockfile .services.backend.internal_port)
check_equal "on the load balancer" "$(expected_rules "$(tcp 22; tcp 80; from frontend-1 "$internal")" "$anywhere")" \
  "$(rules_on lb-1)"
for server in frontend backend; do
  check_equal "on the $server" "$(expected_rules "$(tcp 22; slots_of "$server")" "$anywhere")" "$(rules_on "$server-1")"
done
check_equal "on the database" "$(expected_rules "$(tcp 22; from backend-1 5432)" "$anywhere")" "$(rules_on db-1)"
check_equal "on the cache" "$(expected_rules "$(tcp 22; from backend-1 6379)" "$(tcp 53 | sed 's/tcp/udp/g')")" \
  "$(rules_on cache-1)"

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

say "What is not TCP"
# The gateway of the private network is this machine's address there; databases listen on no other.
here=$(ip -4 route get "$db" | sed -n 's/.* src \([^ ]*\).*/\1/p')
reach=$source_root/tests/lib/reach.py
ping_from() {
  docker exec -i "$(machine_of "$1")" /usr/bin/python3 - ping "$2" <"$reach"
}
# heard_from SERVER ADDRESS PORT LISTENER...: what a listener hears of datagrams that a server sends to this address.
heard_from() {
  local server=$1 address=$2 port=$3 listener
  shift 3
  "$@" - hear "$address" "$port" <"$reach" >"$folder/heard" 2>&1 &
  listener=$!
  eventually 20 "somebody listens" grep -q listening "$folder/heard" >&2
  # Bash says that a datagram was refused by a rule of its own machine; what was heard decides.
  inside "$server" "bash -c 'for _ in 1 2 3; do echo datagram >/dev/udp/$address/$port; done' 2>/dev/null || true"
  wait "$listener"
  tail -n 1 "$folder/heard"
}
on_database=(docker exec -i "$(machine_of db-1)" /usr/bin/python3)
check_equal "a ping from the frontend comes out" answered "$(ping_from frontend-1 "$here")"
check_equal "from the cache it does not" silent "$(ping_from cache-1 "$here")"
check_equal "nobody is let in with one: the backend" silent "$(ping_from backend-1 "$db")"
check_equal "nor this machine" silent "$(/usr/bin/python3 "$reach" ping "$db")"
check_equal "a datagram of the frontend comes out" heard "$(heard_from frontend-1 "$here" 5999 /usr/bin/python3)"
check_equal "one of the cache does not" silent "$(heard_from cache-1 "$here" 5999 /usr/bin/python3)"
check_equal "the database hears its own" heard "$(heard_from db-1 "$db" 5432 "${on_database[@]}")"
check_equal "but no datagram of the backend, where its TCP gets in" silent \
  "$(heard_from backend-1 "$db" 5432 "${on_database[@]}")"

say "Rules that change"
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
