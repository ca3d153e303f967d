#!/bin/bash
# The binary is killed at random moments, many times over, and nothing is made twice, lost or left over.
#
# A local cloud of records and another program in the place of OpenSSH's client serve here, so this one needs no Docker
# Engine and does not begin as the other scenarios do. PAASCTL_KILL_SEED repeats the moments of another run as far as
# this machine is as quick, PAASCTL_KILLS says how many there are at most: a slow machine begins none after some
# minutes.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/../cli/support.sh"
for program in python3 jq curl ssh-keygen flock; do
  command -v "$program" >/dev/null || { echo "skipped: $program is not installed"; exit 77; }
done
# shellcheck source=tests/cli/ssh_fixture.sh
source "$cli_source/tests/cli/ssh_fixture.sh"
# shellcheck source=tests/cli/cloud_fixture.sh
source "$cli_source/tests/cli/cloud_fixture.sh"

seed=${PAASCTL_KILL_SEED:-$RANDOM}
kills=${PAASCTL_KILLS:-40}
kills_at_least=10
seconds=240
RANDOM=$seed
echo "seed $seed, $kills kills"

cat >paas.yaml <<'END'
stack: shop
cloud: local
region: nyc3
ssh: {from: [0.0.0.0/0]}
images:
  site: {pull: "registry.example.com/site:1"}
  postgres: {pull: "postgres:16"}
services:
  web: {type: web, image: site, port: 8000, scale: {min: 1, max: 4}, links: [db]}
  db: {type: db, image: postgres, port: 5432, scheme: postgresql, volume: {size: 10GiB, mount: /var/lib/postgresql}}
lb: {listen: [80]}
END

# What is there, a line each.
droplets() { api 'droplets?per_page=200' | jq -r '.droplets[] | "\(.name) \(.id)"' | sort; }

check_each_once() {
  local there name id
  there=$(droplets)
  check_equal "$1: no two droplets have one name" "$(cut -d' ' -f1 <<<"$there" | uniq)" "$(cut -d' ' -f1 <<<"$there")"
  while read -r name id; do
    [[ -n $name ]] || continue
    # Known by its identifier, or by the name that was written down before it was asked for.
    # shellcheck disable=SC2016
    check "$1: the lockfile knows droplet $name" \
      jq -e --arg name "$name" --arg id "$id" '.servers[$name].droplet.id | . == $id or . == ""' paas.lock
  done <<<"$there"
  if [[ -e paas.lock ]]; then
    check "$1: the lockfile is whole" jq -e .lineage paas.lock
  fi
  check "$1: the guard is free" flock --nonblock paas.lock.guard true
}

check_nothing_left() {
  local list
  for list in droplets volumes reserved_ips firewalls account/keys tags; do
    check_equal "$1: nothing is left in $list" 0 "$(api "$list" | jq .meta.total)"
  done
  check_equal "$1: no network is left" 0 "$(api vpcs | jq '[.vpcs[] | select(.default | not)] | length')"
}

# killed LONGEST COMMAND...: killed at a random moment of its first LONGEST milliseconds, unless it ends before. It is
# told when another run holds the guard.
killed() {
  local longest=$1 milliseconds run
  shift
  milliseconds=$((RANDOM % longest))
  moment="kill $number after $milliseconds ms of $*"
  paasctl "$@" --progress none >/dev/null 2>"$cli_folder/killed" &
  run=$!
  sleep "$((milliseconds / 1000)).$(printf '%03d' $((milliseconds % 1000)))"
  kill -9 "$run" 2>/dev/null
  wait "$run" 2>/dev/null
  check_equal "$moment: nobody else holds the guard" "" "$(grep 'is in use by' "$cli_folder/killed")"
}

# An undisturbed run says how long the moments have to be spread. Nothing can be pulled here, so it ends before the
# first container, when all that costs money is there.
began=$(date +%s%3N)
run paasctl up --yes
length=$(($(date +%s%3N) - began))
check_equal "status of up where no image can be had" 1 "$status"
check_equal "every server is ready" "true true true" "$(jq -r '.servers[].prepared' paas.lock | xargs)"
run paasctl down --yes --volumes --confirm shop-db
check_equal "status of down" 0 "$status"
check_nothing_left "down"
echo "up takes $length ms"

((length < 30000)) || length=30000
for ((number = 1; number <= kills && (number <= kills_at_least || SECONDS < seconds); number++)); do
  if ((number % 8 == 0)); then
    killed $((length / 2 + 1)) down --yes --volumes --confirm shop-db
  else
    killed "$length" up --yes
  fi
  check_each_once "$moment"
  if ((number % 8 != 0)); then
    continue
  fi
  run paasctl down --yes --volumes --confirm shop-db
  check_equal "$moment: status of down --yes --volumes" 0 "$status"
  check_nothing_left "$moment"
done

echo "$((number - 1)) runs were killed"

# The last one is not killed: it takes over what is there.
killed "$length" up --yes
run paasctl up --yes
check_each_once "the last up"
check_equal "each server once" 3 "$(droplets | wc -l)"
check_equal "one volume" 1 "$(api volumes | jq .meta.total)"
check_equal "one reserved IP" 1 "$(api reserved_ips | jq .meta.total)"
run paasctl down --yes --volumes --confirm shop-db
check_equal "status of down" 0 "$status"
check_nothing_left "the last down"
cli_end
