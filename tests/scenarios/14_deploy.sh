#!/bin/bash
# A release goes out, comes back and fails while requests go on, and none of them notices.
# shellcheck source=tests/lib/scenario.sh
source "$(dirname "$0")/../lib/scenario.sh"
# shellcheck source=tests/lib/stack.sh
source "$source_root/tests/lib/stack.sh"
use_example
sed -i '/^  frontend:/,/^  backend:/s/scale: {min: 2, max: 4}/scale: {min: 3, max: 4}/' paas.yaml
check "the local cloud starts" paasctl cloud up
bring_up
worker=$(haproxy_worker lb-1)

# Runs paasctl and says how long it took.
timed() {
  local title=$1 began=$EPOCHREALTIME
  shift
  check "$title" paasctl "$@"
  say "    it took $(awk -v from="$began" -v to="$EPOCHREALTIME" 'BEGIN {printf "%.1f", to - from}') s"
}

# Containers of the frontends that do not run, by name.
kept() {
  local server
  for server in $(servers_of frontend); do
    inside "$server" 'docker ps --all --filter status=exited --format "{{.Names}}"'
  done
}

# The newest releases with their states: "2 current".
states() {
  paasctl releases frontend -o json | jq -r '.[] | "\(.release) \(.state)"'
}

edition() {
  sed -i "s/shown = {.*\"greeting\"/shown = {\"edition\": \"$1\", \"greeting\"/" web/frontend.py
}

say "A deploy that changes nothing"
containers=$(containers_of frontend backend db cache)
timed "deploy" deploy
check_equal "no container was touched" "$containers" "$(containers_of frontend backend db cache)"
check_equal "there is one release" "1 current" "$(states)"

say "One-off tasks"
# shellcheck disable=SC2016
check_status "a task's exit status comes back" 3 paasctl run backend -- sh -c 'echo "$DB_HOST"; exit 3'
check_equal "it has the environment" "$(address_of db-1)" "$output"
check_equal "and the input" 5 "$(echo 2 + 3 | paasctl run backend-2 -- python3 -c 'print(eval(input()))')"
check_equal "nothing is left of it" "" "$(for server in $(servers_of backend); do inside "$server" 'docker ps --all --quiet --filter label=paas.task'; done)"
# One that ends when it is told to.
mkfifo "$folder/input"
# shellcheck disable=SC2016
"$PAASCTL" run backend -- sh -c 'echo begun; read -r word; echo "$word"' <"$folder/input" >"$folder/task" 2>&1 &
task=$!
exec 7>"$folder/input"
eventually 20 "one that takes long is under way" grep -q begun "$folder/task"
check_equal "it is no leftover" "" "$(jq -r '.steps[].id' <<<"$(paasctl plan -o json)")"
echo ended >&7
exec 7>&-
wait "$task" || fail "it comes to its end" "$(cat "$folder/task")"
check_equal "it goes on until it is told to end" "begun
ended" "$(cat "$folder/task")"

say "A new release"
others=$(containers_of backend db cache)
mkdir -p .paas/hooks
for hook in pre-deploy post-deploy deploy-failed; do
  # shellcheck disable=SC2016
  printf '#!/bin/sh\necho "%s $PAAS_COMMAND $PAAS_SERVICES $PAAS_RELEASES" | tee -a "%s"\n' "$hook" "$folder/hooks" >".paas/hooks/$hook"
  chmod +x ".paas/hooks/$hook"
done
traffic_begin /
edition second
chmod -x .paas/hooks/pre-deploy
check_status "a hook that cannot be run" 1 paasctl deploy frontend
check_contains "is an error" "pre-deploy is not executable" "$errors"
check_equal "and nothing was done" "$containers" "$(containers_of frontend backend db cache)"
chmod +x .paas/hooks/pre-deploy
timed "deploy" deploy frontend
check_equal "hooks were run" "pre-deploy deploy frontend 
post-deploy deploy frontend frontend=2" "$(cat "$folder/hooks")"
check_equal "the new program serves" second "$(get / | jq -r .edition)"
check_equal "one container runs on each frontend" 3 "$(containers_of frontend | wc -l)"
check_equal "the one before is kept on each" 3 "$(kept | grep -c 'zipkick-frontend-1$')"
check_equal "both are known" "2 current
1 kept" "$(states)"
check_contains "with who made it" "@" "$(paasctl releases frontend -o json | jq -r '.[0].by')"
check_contains "and why" "image web" "$(paasctl releases frontend -o json | jq -r '.[0].cause')"
check_equal "the backend, which has the same image, was not asked for" "$others" "$(containers_of backend db cache)"

say "Back, and forth"
timed "rollback" rollback frontend
check_equal "the old program serves" null "$(get / | jq -r .edition)"
check_equal "in the container of before" 3 "$(containers_of frontend | grep -c /zipkick-frontend-1)"
check_equal "the release is pinned" "2 kept
1 current, pinned" "$(states)"
check_status "plan keeps it, for this service" 2 paasctl plan --detailed-exitcode
check_lacks "plan keeps it" "zipkick-frontend" "$(jq -r '.steps[].id' <<<"$(paasctl plan -o json)")"
check_contains "and says so" "kept at release 1" "$output$errors"
check_status "an unknown release" 1 paasctl rollback frontend 9
check_contains "is an error that names the others" "1, 2" "$errors"
timed "deploy again" deploy frontend
check_equal "the new program serves again" second "$(get / | jq -r .edition)"
check_equal "it is the release of before" "2 current
1 kept" "$(states)"

say "A release that crashes"
before=$(containers_of frontend)
sed -i 's/MODE: frontend/MODE: broken/' paas.yaml
began=$SECONDS
check_status "deploy fails" 1 paasctl deploy frontend
check "within seconds" test $((SECONDS - began)) -lt 30
check_contains "its last lines are shown" "MODE must be frontend or backend, not 'broken'" "$errors"
check_contains "it was taken back" "taken back" "$errors"
check_contains "the hook knows" "deploy-failed deploy frontend" "$(tail -1 "$folder/hooks")"
check_equal "no container of before was touched" "$before" "$(containers_of frontend)"
check_equal "nothing else is left" 3 "$(kept | wc -l)"
check_equal "the release failed" "3 failed" "$(states | head -1)"
check_status "nobody can go back to it" 1 paasctl rollback frontend 3

say "A release that never gets healthy"
sed -i -e 's/MODE: broken/MODE: frontend, PORT: "9999"/' -e '/^  frontend:/,/^  backend:/s|health: {path: /healthz}|health: {path: /healthz, start_timeout: 3s}|' paas.yaml
edition third
check_status "deploy fails" 1 paasctl deploy frontend
check_contains "it says why" "took longer than 3.0s" "$errors"
check_equal "no container of before was touched" "$before" "$(containers_of frontend)"
sed -i 's|MODE: frontend, PORT: "9999"|MODE: frontend|' paas.yaml

say "All at the same time"
timed "deploy" deploy frontend --strategy bluegreen
check_equal "the third edition serves" third "$(get / | jq -r .edition)"
sed -i 's/GREETING: "Welcome to zipkick"/GREETING: Hello/' paas.yaml
timed "deploy of a variable" deploy frontend --strategy immediate
check_contains "it is in the process" "GREETING=Hello" "$(environment_in frontend-1)"
traffic_end
check_equal "not one reload" "$worker" "$(haproxy_worker lb-1)"
check_equal "who serves is what is written" "$(rotation_running lb-1)" "$(rotation_on_disk lb-1)"

say "Rules come back with a release"
# The backend counts there, and the frontend has nothing.
count_status() {
  curl --silent --output /dev/null --write-out '%{http_code}' "http://$address/api/count"
}
check_equal "the backend answers there" 200 "$(count_status)"
check "a rule to the frontend is added" paasctl lb rules add --path /api/count --to frontend --position 1 --apply
check_equal "the frontend answers there" 404 "$(count_status)"
check_contains "that is a release" current "$(states | head -1)"
check_contains "of its own" "its rules change" "$(paasctl releases frontend -o json | jq -r '.[0].cause')"
containers=$(containers_of frontend backend)
check "rollback" paasctl rollback frontend
check_equal "the backend answers there again" 200 "$(count_status)"
check_equal "no container was touched" "$containers" "$(containers_of frontend backend)"
check "up goes on" paasctl up --yes --unpin
check_equal "and so does the rule" 404 "$(count_status)"
check "the rule is removed" paasctl lb rules rm 1 --apply

say "A canary"
# Requests for a while; how many were answered with 500.
load() {
  local until=$((SECONDS + $1)) bad=0
  while ((SECONDS < until)); do
    [[ $(curl --silent --output /dev/null --write-out '%{http_code}' "http://$address/") != 500 ]] || bad=$((bad + 1))
  done
  echo "$bad"
}
before=$(containers_of frontend)
sed -i 's/^        shown = {/        if request.path == "\/":\n            raise RuntimeError("this edition is broken")\n        shown = {/' web/frontend.py
load 40 >"$folder/bad" &
loading=$!
check_status "a canary that fails is taken back" 1 paasctl deploy frontend --canary 10% --canary-time 60s
check_contains "by HAProxy's figures" "with 5xx" "$errors"
check_equal "no container of before was touched" "$before" "$(containers_of frontend)"
wait "$loading"
check "some requests met it" test "$(cat "$folder/bad")" -gt 0
check_equal "no request meets it any more" 0 "$(load 3)"
sed -i -e '/request.path == "\/":/d' -e '/this edition is broken/d' web/frontend.py
edition fourth
traffic_begin /
check "a canary that serves as well becomes the release" paasctl deploy frontend --canary 30% --canary-time 5s
traffic_end
check_equal "it serves" fourth "$(get / | jq -r .edition)"
check_equal "on all servers" 3 "$(containers_of frontend | grep -cv "$(head -1 <<<"$before" | awk '{print $3}')")"

say "Images that nobody needs"
check_equal "those of the canary that failed" 3 "$(paasctl image prune --dry-run -o json | jq '[.[] | select(.where != "here")] | length')"
check "they are removed" paasctl image prune
check_equal "and no other" "[]" "$(paasctl image prune -o json)"
timed "the first release can still be gone back to" rollback frontend 1
check_equal "and serves" null "$(get / | jq -r .edition)"

say "Killed in between"
edition fifth
traffic_begin /
"$PAASCTL" deploy frontend >"$folder/killed" 2>&1 &
deploying=$!
eventually 120 "a new container is healthy" grep -q healthy "$folder/killed"
kill -KILL "$deploying"
wait "$deploying" || true
check "deploy goes on" paasctl deploy frontend
traffic_end
check_equal "the fifth edition serves" fifth "$(get / | jq -r .edition)"
check_equal "one container runs on each frontend" 3 "$(containers_of frontend | wc -l)"
check_status "nothing is left to do for it" 0 paasctl deploy frontend
check_contains "it says so" "Nothing to do" "$errors"

say "A hook before a release"
# In the image there is a shell, and a user that is not root.
# shellcheck disable=SC2016
printf '#!/bin/sh\necho "release of $PAAS_SERVICE on $PAAS_SERVER, with $MODE"\nexit 5\n' >.paas/hooks/pre-release.frontend
chmod +x .paas/hooks/pre-release.frontend
edition sixth
check_contains "has it as a step" run_pre_release/frontend "$(paasctl plan -o json | jq -r '.steps[].id')"
before=$(containers_of frontend)
traffic_begin /
check_status "a release whose hook fails" 1 paasctl deploy frontend
check_contains "tells its status" "status 5" "$errors"
check_contains "and its last lines" "release of frontend on zipkick-frontend-" "$errors"
check_equal "no container of before was touched" "$before" "$(containers_of frontend)"
sed -i 's/exit 5/exit 0/' .paas/hooks/pre-release.frontend
check "one whose hook ends well" paasctl deploy frontend
traffic_end
check_equal "serves" sixth "$(get / | jq -r .edition)"
check_equal "nothing is left of the hook" "" "$(for server in $(servers_of frontend); do inside "$server" 'docker ps --all --quiet --filter label=paas.task; ls /etc/paas | grep pre-release || true'; done)"
check_status "nothing is left to do for it" 0 paasctl deploy frontend
check_contains "it says so" "Nothing to do" "$errors"
