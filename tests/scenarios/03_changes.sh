#!/bin/bash
# Changes reach what they are about and nothing else; a second run changes nothing at all.
# shellcheck source=tests/lib/scenario.sh
source "$(dirname "$0")/../lib/scenario.sh"
# shellcheck source=tests/lib/stack.sh
source "$source_root/tests/lib/stack.sh"
use_example
check "the local cloud starts" paasctl cloud up
bring_up

say "Up again"
memory=$(cloud_memory)
locked=$(sha256sum <paas.lock)
containers=$(containers_of frontend backend db cache)
worker=$(haproxy_worker lb-1)
check_equal "each server runs one container" 6 "$(wc -l <<<"$containers")"
check_status "up again" 0 paasctl up --yes
check_equal "the cloud was asked to change nothing" "$memory" "$(cloud_memory)"
check_equal "the lockfile is the same, byte for byte" "$locked" "$(sha256sum <paas.lock)"
check_equal "no container was restarted" "$containers" "$(containers_of frontend backend db cache)"
check_equal "HAProxy was not reloaded" "$worker" "$(haproxy_worker lb-1)"
check_contains "it says so" "Nothing to do" "$errors"
check_status "plan finds nothing to do" 0 paasctl plan --detailed-exitcode

say "What is kept about secrets"
password=$(environment_in backend-1 | sed -n 's|^DB_PASSWORD=||p')
check_equal "the database has a password of some length" true "$([[ ${#password} -ge 20 ]] && echo true)"
check_equal "the lockfile is its owner's only" 600 "$(stat -c %a paas.lock)"
check_fails "the lockfile does not have the password in clear" grep -qF "$password" paas.lock
check_fails "nor a private key" grep -q 'PRIVATE KEY' paas.lock
check_equal "the environment is root's only" "600 root" "$(inside backend-1 'stat -c "%a %U" /etc/paas/backend.env')"
check_status "deps env" 0 paasctl deps env backend
check_contains "deps env shows the details" "DB_HOST=$(address_of db-1)" "$output"
check_contains "deps env masks passwords" "DB_PASSWORD=***" "$output"
check_lacks "also inside of addresses" "$password" "$output"
check_contains "unless they are asked for" "DB_PASSWORD=$password" "$(paasctl deps env backend --reveal)"

say "Looking"
check_contains "logs" "backend zipkick-backend-1 listens on port 8000" "$(paasctl logs backend-1 --tail all)"
# shellcheck disable=SC2016
check_equal "exec passes input on" 2 "$(echo 'select 1 + 1' | paasctl exec db -- sh -c 'PGPASSWORD=$POSTGRES_PASSWORD psql -h 127.0.0.1 -U app -At')"
check_status "exec passes the exit status on" 3 paasctl exec backend-2 -- sh -c 'exit 3'
check_equal "server ssh" zipkick-cache-1 "$(paasctl server ssh cache-1 -- hostname)"
check_equal "words with spaces stay words" "a  b;c" "$(paasctl server ssh cache-1 -- printf %s 'a  b;c')"
check_equal "lb show lists who serves" 4 "$(paasctl lb show -o json | jq '[.servers[] | select(.status == "UP" and .weight > 0)] | length')"
check_status "status" 0 paasctl status -o json
check_equal "server ls as well" 7 "$(paasctl server ls -o name | wc -l)"
check_equal "status knows all servers" 7 "$(jq '[.servers[] | select(.status == "active")] | length' <<<"$output")"
check_equal "and who is in rotation" 4 "$(jq '[.servers[] | select(.rotation == "in")] | length' <<<"$output")"
check_equal "and the address" "$address" "$(jq -r .address <<<"$output")"

say "A changed variable"
others=$(containers_of frontend db cache)
traffic_begin /
sed -i 's/env: {MODE: backend}/env: {MODE: backend, COLOUR: "deep blue"}/' paas.yaml
check_status "plan has something to do" 2 paasctl plan --detailed-exitcode
check_contains "plan tells the cause" "COLOUR" "$output"
check_lacks "plan leaves the others alone" "frontend-1" "$output"
check_status "up" 0 paasctl up --yes
for server in backend-1 backend-2; do
  check_contains "$server's process has the new value" "COLOUR=deep blue" "$(environment_in "$server")"
done
check_equal "no other container was touched" "$others" "$(containers_of frontend db cache)"
check_equal "one container is left on each" 2 "$(containers_of backend | wc -l)"

say "A changed image"
sed -i 's/shown = {"greeting"/shown = {"edition": "second", "greeting"/' web/frontend.py
before=$(containers_of frontend | awk '{print $3}')
check_status "up" 0 paasctl up --yes
traffic_end
check_equal "the new program serves" second "$(get / | jq -r .edition)"
check_equal "one container is left on each frontend" 2 "$(containers_of frontend | wc -l)"
check_fails "none is the old one" grep -qF "$before" <(containers_of frontend)
check_equal "db and cache were not touched" "$(grep -E 'db-1|cache-1' <<<"$others")" "$(containers_of db cache)"
check_equal "still not one reload" "$worker" "$(haproxy_worker lb-1)"
check_equal "who serves is what is written" "$(rotation_running lb-1)" "$(rotation_on_disk lb-1)"

say "A changed rule"
containers=$(containers_of frontend backend db cache)
answer=$(curl --silent -H 'Host: api.example.com' "http://$address/healthz")
check_contains "the frontend answers for any host" frontend "$answer"
check "a rule is added" paasctl lb rules add --host api.example.com --to backend --apply
answer=$(curl --silent -H 'Host: api.example.com' "http://$address/healthz")
check_contains "now the backend answers for this one" '"backend"' "$answer"
check_equal "no container was touched" "$containers" "$(containers_of frontend backend db cache)"
check_contains "the stack file keeps its comments" "# the first that matches wins" "$(cat paas.yaml)"

say "Links"
cp paas.yaml before.yaml
check "a link is added" paasctl deps link frontend cache --env "SESSIONS_URL=redis://:{password}@{host}:{port}/1"
check_status "nothing else is lost" 1 diff before.yaml paas.yaml
check_equal "only its line changes" 1 "$(grep -c '^<' <<<"$output")"
check_contains "with its comment" "# BACKEND_URL, which stays the same" "$(cat paas.yaml)"
check_fails "the frontend cannot reach the cache yet" inside frontend-1 "timeout 3 bash -c 'echo </dev/tcp/$(address_of cache-1)/6379'"
check_status "up" 0 paasctl up --yes
check_contains "its process has the address" "SESSIONS_URL=redis://:" "$(environment_in frontend-1)"
check "and can reach it" inside frontend-1 "timeout 3 bash -c 'echo </dev/tcp/$(address_of cache-1)/6379'"
check "the link is removed" paasctl deps unlink frontend cache --apply
check_lacks "its variable is gone" SESSIONS_URL "$(environment_in frontend-1)"
check_fails "and the cache is closed again" inside frontend-1 "timeout 3 bash -c 'echo </dev/tcp/$(address_of cache-1)/6379'"
check "the stack file is as before, byte for byte" cmp before.yaml paas.yaml
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode

say "The environment pushed again"
containers=$(containers_of frontend db cache)
old=$(containers_of backend)
check "deps push" paasctl deps push backend
check_equal "no other container was touched" "$containers" "$(containers_of frontend db cache)"
check_equal "the backends' are new" "" "$(containers_of backend | grep -Ff <(awk '{print $3}' <<<"$old") || true)"
check "they serve" get /
added=$(paasctl lb rules -o json | jq "[.[].host] | index(\"api.example.com\") + 1")
check "a rule is removed" paasctl lb rules rm "$added" --apply
answer=$(curl --silent -H 'Host: api.example.com' "http://$address/healthz")
check_contains "the frontend answers for any host again" frontend "$answer"

say "A changed port and a changed size"
containers=$(containers_of frontend db)
traffic_begin /
sed -i -e '/^  backend:/,/^  db:/s/port: 8000/port: 8100/' -e 's/COLOUR: "deep blue"/COLOUR: "deep blue", PORT: "8100"/' paas.yaml
check_status "up" 0 paasctl up --yes
traffic_end
check_contains "the process listens there" "listens on port 8100" "$(paasctl logs backend --tail all)"
check_equal "its clients were not touched, nor was the database" "$containers" "$(containers_of frontend db)"
sed -i 's/^    image: redis$/&\n    size: s-1vcpu-2gb/' paas.yaml
check_contains "plan tells the cause of another size" "its size is s-1vcpu-1gb, the stack says s-1vcpu-2gb" "$(paasctl plan)"
check_status "up" 0 paasctl up --yes
check_equal "the cache is another droplet" "zipkick-cache-2 s-1vcpu-2gb" \
  "$(api GET '/droplets?per_page=200' | jq -r '.droplets[] | select(.name | contains("cache")) | "\(.name) \(.size_slug)"')"
check_contains "its client has its address" "@$(address_of cache-2):" "$(environment_in backend-1 | grep REDIS_URL)"
check_equal "nobody else was touched" "$containers" "$(containers_of frontend db)"
check "the stack answers" get /
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode

say "Images as files"
reference=$(paasctl image ls -o json | jq -r '.[] | select(.name == "redis") | .reference')
check "image save" paasctl image save redis -o redis.tar
digest=$(docker image inspect -f '{{.Id}}' "$reference")
check "image rm" paasctl image rm redis
check_fails "it is gone" docker image inspect "$reference"
check "image load" paasctl image load redis.tar
check_equal "it is the same again" "$digest" "$(docker image inspect -f '{{.Id}}' "$reference")"
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode

say "A web service takes the place of another"
visits=$(get / | jq .visits)
traffic_begin /
sed -i -e 's/^  backend:$/  api:/' -e 's|{path: /api/, to: backend}|{path: /api/, to: api}|' \
  -e 's|links: \[backend\] .*|links: [{to: api, env: {BACKEND_URL: "{url}"}}]|' paas.yaml
check_status "up" 0 paasctl up --yes
traffic_end
check_contains "the rules waited for it" "prepare HAProxy on zipkick-lb-1" "$errors"
check_equal "two servers of it serve" 2 "$(rotation_running lb-1 | grep -c '^api/')"
check_equal "the old ones are gone" 0 "$(rotation_running lb-1 | grep -c '^backend/' || true)"
check_contains "the frontend was told" "BACKEND_URL=http://lb.internal:" "$(environment_in frontend-1)"
check_equal "who serves is what is written" "$(rotation_running lb-1)" "$(rotation_on_disk lb-1)"
check_equal "nothing was forgotten" true "$(get / | jq ".visits > $visits")"
check_status "nothing is left to do" 0 paasctl plan --detailed-exitcode
