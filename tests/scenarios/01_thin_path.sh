#!/bin/bash
# The main job: the example comes up, answers through its load balancer from PostgreSQL and Redis, goes down,
# comes up again, and its count goes on.
# shellcheck source=tests/lib/scenario.sh
source "$(dirname "$0")/../lib/scenario.sh"
use_example

say "up, which starts the local cloud as well"
bring_up

# Each line is a time, the server and its stage.
stages='accepted|active|SSH|cloud-init|Docker|container|healthy|in rotation'
told=$(sed -nE "s/^ *([0-9]+\.[0-9]s|[0-9]+m[0-9]{2}s) +([^ ]+): ($stages)\$/\2 \3/p" <<<"$errors")
for server in frontend-1 frontend-2 backend-1 backend-2; do
  check_equal "a line a stage of $server with its time" "${stages//|/,}" \
    "$(sed -n "s/^zipkick-$server //p" <<<"$told" | paste -sd ,)"
done
# One after another, a server would be active before the next is asked for.
check_equal "servers come up side by side" "accepted accepted" \
  "$(awk '$2 == "accepted" || $2 == "active" {print $2}' <<<"$told" | head -n 2 | xargs)"

# What they have in common is counted once.
image_bytes() {
  local base total image count=0
  base=$(docker image inspect -f '{{.Size}}' zipkick-base:12)
  total=$base
  for image in $(paasctl image ls -o json | jq -r '.[].reference'); do
    total=$((total + $(docker image inspect -f '{{.Size}}' "$image") - base))
    count=$((count + 1))
  done
  ((count == 3)) && echo "$total"
}
bytes=$(image_bytes)
say "the three images have $((bytes / 1000000)) MB together"
check "that is under 300 MB" test "$bytes" -lt 300000000

answer=$(get /)
say "$answer"
check_equal "PostgreSQL counts the first visit" 1 "$(jq -r .visits <<<"$answer")"
check_equal "a name of a frontend" frontend "$(jq -r .frontend <<<"$answer" | sed 's/^zipkick-\(.*\)-[0-9]*$/\1/')"
check_equal "a name of a backend" backend "$(jq -r .backend <<<"$answer" | sed 's/^zipkick-\(.*\)-[0-9]*$/\1/')"
check "a note is taken" curl --silent --fail -d 'text=from the scenario' "http://$address/"
check_equal "Redis has not seen it" miss "$(get / | jq -r .cache)"
answer=$(get /)
check_equal "Redis has it" hit "$(jq -r .cache <<<"$answer")"
check_equal "as it was written" "from the scenario" "$(jq -r .note <<<"$answer")"

servers() {
  local part=$1
  for _ in $(seq 12); do
    get / | jq -r ".$part"
  done | sort -u | wc -l
}
check_equal "both frontends answer" 2 "$(servers frontend)"
check_equal "both backends answer" 2 "$(servers backend)"
check_equal "a path goes to the backend" zipkick-backend "$(get /api/count | jq -r .backend | sed 's/-[0-9]*$//')"
count=$(get /api/count | jq -r .visits)

say "down"
check "the example goes down" paasctl destroy --yes
check_fails "nothing answers any more" curl --silent --fail --max-time 2 "http://$address/"

say "up again"
bring_up
check_equal "the count goes on" "$((count + 1))" "$(get / | jq -r .visits)"
check_equal "the note is still there" "from the scenario" "$(get / | jq -r .note)"
