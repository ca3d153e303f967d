#!/bin/bash
# Passwords of PostgreSQL and of Redis are rotated under constant requests, each of which logs in anew: none fails. The
# servers refuse the old password afterwards, and a run that is killed at any state is finished by the next one.
# shellcheck source=tests/lib/scenario.sh
source "$(dirname "$0")/../lib/scenario.sh"
# shellcheck source=tests/lib/stack.sh
source "$source_root/tests/lib/stack.sh"
use_example
sed -i '/^  frontend:/,/^  backend:/s/min: 2/min: 1/' paas.yaml
# A connection that is kept needs no password: with none kept, a password that is not taken is noticed at once.
sed -i -e 's/^            self._idle.put_nowait(connection)$/            raise queue.Full/' \
  -e 's/^\( *\)text = self._client.get(NOTE_KEY)$/&\n\1self._client.connection_pool.disconnect(inuse_connections=False)/' \
  -e 's/connect_timeout=[13]\b/connect_timeout=9/g; s/socket_timeout=1\b/socket_timeout=9/' web/store.py
# A slow machine is not to be taken for a refused password.
check_equal "the backend keeps no connection, and is patient" 4 \
  "$(diff "$source_root/examples/zipkick/web/store.py" web/store.py | grep -c '^>')"
# The program that takes a password can be held, before it does and when it has, so that a run can be killed there.
for image in postgres redis; do
  # shellcheck disable=SC2016
  sed -i 's|^set -eu$|&\nhold() { while [ -e "/tmp/hold-$1" ]; do : >"/tmp/held-$1"; sleep 0.05; done; }\nhold "before${1:-}"|' $image/set-password
  # shellcheck disable=SC2016
  echo 'hold "after${1:-}"' >>$image/set-password
  check_equal "$image's can be held" 2 "$(grep -c '^hold "' $image/set-password)"
done
check "the local cloud starts" paasctl cloud up
bring_up

# --- What the servers and the lockfile say ------------------------------------------------------------------

# in_container SERVICE DOCKER-OPTIONS COMMAND: runs a shell's words in the container of db or cache.
in_container() {
  inside "$1-1" "docker exec $2 \$(docker ps --quiet) $3"
}

# What PostgreSQL and Redis themselves say to a password, asked over the network.
ask_postgres() {
  in_container db "-e PGPASSWORD='$2'" "psql -h $(address_of db-1) -U '$1' -d app -At -c 'SELECT current_user'" 2>&1
}
ask_redis() {
  in_container cache "-e REDISCLI_AUTH='$1'" "redis-cli -h $(address_of cache-1) ping" 2>&1
}

# What the backends' processes are given: variable by variable, and the same on both.
given() {
  local first second
  first=$(environment_in backend-1 | sed -n "s|^$1=||p")
  second=$(environment_in backend-2 | sed -n "s|^$1=||p")
  [[ -n $first && $first == "$second" ]] || fail "both backends have the same $1"
  printf '%s\n' "$first"
}
cache_password() {
  given REDIS_URL | sed 's|^redis://:\(.*\)@.*|\1|'
}

# The state of a service's rotation; "none" when none is under way.
state_of() {
  lockfile ".services.$1.rotation.state // \"none\""
}

remember_passwords() {
  old_user=$(given DB_USER) old_password=$(given DB_PASSWORD) old_cache_password=$(cache_password)
}

# Both servers refuse what was remembered, and take what the backends have now.
check_rotated() {
  local user password
  user=$(given DB_USER) password=$(given DB_PASSWORD)
  check_equal "nothing is under way" "none none" "$(state_of db) $(state_of cache)"
  check_equal "the other user has its turn" "app app_b" "$(printf '%s\n' "$old_user" "$user" | sort | xargs)"
  check_contains "PostgreSQL refuses the old password" \
    "password authentication failed for user \"$old_user\"" "$(ask_postgres "$old_user" "$old_password" || true)"
  check_contains "also for the new user" \
    "password authentication failed for user \"$user\"" "$(ask_postgres "$user" "$old_password" || true)"
  check_equal "PostgreSQL takes the new one, and all belongs to one owner" app "$(ask_postgres "$user" "$password")"
  check_contains "Redis refuses the old password" WRONGPASS "$(ask_redis "$old_cache_password" || true)"
  check_equal "Redis takes the new one" PONG "$(ask_redis "$(cache_password)")"
  check_fails "the lockfile does not have it in clear" grep -qF "$password" paas.lock
}

# Ends the requests that traffic_begin started, none of which may have failed.
total=0
requests_end() {
  traffic_end
  ((total += $(jq '[.requests[]] | add' <<<"$report")))
}

# A second run finds nothing to do and touches nothing.
check_unchanged_by_up() {
  local memory locked containers
  memory=$(cloud_memory)
  locked=$(sha256sum <paas.lock)
  containers=$(containers_of frontend backend db cache)
  check_status "up again" 0 paasctl up --yes
  check_contains "it has nothing to do" "Nothing to do" "$errors"
  check_equal "the cloud was asked to change nothing" "$memory" "$(cloud_memory)"
  check_equal "the lockfile is the same, byte for byte" "$locked" "$(sha256sum <paas.lock)"
  check_equal "no container was restarted" "$containers" "$(containers_of frontend backend db cache)"
}

# --- Requests that fail are seen ----------------------------------------------------------------------------

# tell SERVICE PASSWORD: makes it the only one, behind everybody's back.
tell() {
  printf %s "$2" | docker exec -i "$(machine_of "$1-1")" sh -c \
    'docker exec -i -e PAASCTL_USER=app $(docker ps --quiet) /usr/local/bin/set-password --only'
}
serves() {
  get / | jq -e '.cache != "unavailable"'
}
serves_not() {
  ! serves
}

say "Passwords that change without anybody being told"
remember_passwords
traffic_begin / unavailable
check "PostgreSQL is told another password" tell db another
eventually 20 "requests fail" serves_not
check "it is told the right one" tell db "$old_password"
eventually 60 "the stack answers" serves
check "Redis is told another password" tell cache another
eventually 20 "requests go without it" serves_not
check "it is told the right one" tell cache "$old_cache_password"
eventually 60 "the stack answers" serves
traffic_stop
check_equal "failed requests are counted, PostgreSQL's and Redis's: $(jq '.failures | length' <<<"$report")" "true true" \
  "$(jq -r '[(any(.failures[]; contains(": 50"))), (any(.failures[]; contains("\"cache\": \"unavailable\"")))] | join(" ")' <<<"$report")"
check_unchanged_by_up

# --- One after the other ------------------------------------------------------------------------------------

say "A rotation of PostgreSQL's password, then of Redis's"
untouched=$(containers_of frontend db cache)
traffic_begin / unavailable
check_status "plan knows nothing of it" 0 paasctl plan --detailed-exitcode
check_status "secret rotate db" 0 paasctl secret rotate db --yes
check_contains "the old password was retired" "old password retired" "$errors"
check_equal "Redis has its old one" "$old_cache_password" "$(cache_password)"
check_status "secret rotate cache" 0 paasctl secret rotate cache --yes
requests_end
check_rotated
check_equal "only the backends' containers are new" "$untouched" "$(containers_of frontend db cache)"
check_unchanged_by_up

# --- Killed at each state -----------------------------------------------------------------------------------

# hold SERVICE MOMENT, release SERVICE MOMENT: "before" and "after" of taking a password, "before--only" and
# "after--only" of retiring the others.
hold() {
  in_container "$1" "-u 0" "sh -c 'rm -f /tmp/held-* && touch /tmp/hold-$2'"
}
release() {
  in_container "$1" "-u 0" "rm /tmp/hold-$2"
}
is_held() {
  in_container "$1" "" "test -e /tmp/held-$2"
}
is() {
  [[ $(state_of "$2") == "$1" ]]
}

# begin COMMAND...: starts a run that is to be killed.
begin() {
  "$PAASCTL" "$@" --yes --progress plain >"$folder/killed" 2>&1 &
  victim=$!
}
# killed_once TITLE COMMAND...: kills it without warning as soon as the command succeeds.
killed_once() {
  local title=$1
  shift
  eventually 120 "$title" "$@"
  kill -9 "$victim" || fail "the run ended before it was killed" "$(cat "$folder/killed")"
  wait "$victim" 2>/dev/null || true
}
tells() {
  grep -q -- "$1" "$folder/killed"
}

say "Killed while the new passwords are pending: PostgreSQL has not taken it, Redis has"
remember_passwords
traffic_begin / unavailable
hold db before
hold cache after
begin secret rotate db cache
eventually 60 "PostgreSQL's is held" is_held db before
killed_once "Redis's is held" is_held cache after
check_equal "the passwords are pending" "pending pending" "$(state_of db) $(state_of cache)"
release db before
release cache after
check_equal "the backends have the old ones" "$old_password $old_cache_password" "$(given DB_PASSWORD) $(cache_password)"
check_status "plan finds the rest of it" 2 paasctl plan --detailed-exitcode
check_status "up goes on" 0 paasctl up --yes
requests_end
check_rotated
check_unchanged_by_up

say "Killed when PostgreSQL's new password is set and Redis's is not, and again when some of the backends have both"
remember_passwords
traffic_begin / unavailable
hold cache after
begin secret rotate db cache
eventually 60 "Redis's is held" is_held cache after
killed_once "PostgreSQL's is set" is set db
check_equal "nobody was given it before both are" "set pending" "$(state_of db) $(state_of cache)"
release cache after
check_equal "the backends have the old ones" "$old_password $old_cache_password" "$(given DB_PASSWORD) $(cache_password)"
check_equal "PostgreSQL takes the old one" app "$(ask_postgres "$old_user" "$old_password")"
check_equal "Redis takes the old one" PONG "$(ask_redis "$old_cache_password")"
# Held as well, so that the run cannot end before it is killed.
hold db before--only
hold cache before--only
begin up
killed_once "a backend is healthy with the new ones" tells healthy
check "they are set, or all have them by now" grep -qE '^(set|pushed) (set|pushed)$' <<<"$(state_of db) $(state_of cache)"
check_equal "PostgreSQL takes the old one" app "$(ask_postgres "$old_user" "$old_password")"
check_equal "Redis takes the old one" PONG "$(ask_redis "$old_cache_password")"
release db before--only
release cache before--only
check_status "secret rotate goes on with the same" 0 paasctl secret rotate db cache --yes
requests_end
check_rotated
check_unchanged_by_up

say "Killed when all have the new passwords: PostgreSQL has not retired the old one, Redis has"
remember_passwords
traffic_begin / unavailable
hold db before--only
hold cache after--only
begin secret rotate db cache
eventually 120 "PostgreSQL's is held" is_held db before--only
killed_once "Redis's is held" is_held cache after--only
check_equal "the passwords are pushed" "pushed pushed" "$(state_of db) $(state_of cache)"
check_equal "PostgreSQL takes the old one" app "$(ask_postgres "$old_user" "$old_password")"
check_contains "Redis does not" WRONGPASS "$(ask_redis "$old_cache_password" || true)"
release db before--only
release cache after--only
pushed=$(containers_of backend)
check_status "up goes on" 0 paasctl up --yes
requests_end
check_equal "no container was made again" "$pushed" "$(containers_of backend)"
check_rotated
check_unchanged_by_up

# --- New containers -----------------------------------------------------------------------------------------

say "New containers of the databases"
containers=$(containers_of backend)
check "deps push" paasctl deps push db cache
check_equal "PostgreSQL takes the password that is in use" app "$(ask_postgres "$(given DB_USER)" "$(given DB_PASSWORD)")"
check_equal "Redis as well" PONG "$(ask_redis "$(cache_password)")"
check_equal "no backend was touched" "$containers" "$(containers_of backend)"
eventually 30 "the stack answers" serves
check_unchanged_by_up

# --- A lost lockfile ----------------------------------------------------------------------------------------

say "A lockfile that is made again knows no password: PostgreSQL gets another one"
ssh-keygen -q -t ed25519 -N '' -C own -f "$folder/own"
for server in $(lockfile '.servers | keys[]'); do
  docker exec -i "$(machine_of "$server")" sh -c 'cat >>/root/.ssh/authorized_keys' <"$folder/own.pub"
done
export SSH_AUTH_SOCK=$folder/agent
ssh-agent -D -a "$SSH_AUTH_SOCK" >/dev/null &
eventually 20 "an agent has a key that servers know" ssh-add -q "$folder/own"
remember_passwords
# Redis is started again, because it has no data to lose, so its password is not what these requests are about.
traffic_begin /
rm -f paas.lock paas.lock.backup
check_status "state rebuild" 0 paasctl state rebuild --trust-host-keys --yes
check_equal "the password in use is to be replaced" "pending null" "$(state_of db) $(lockfile .services.cache.rotation)"
check_status "up" 0 paasctl up --yes
requests_end
check_rotated
check_unchanged_by_up
say "$total requests while passwords were rotated, and none failed"
