#!/bin/bash
# The first interruption finishes the steps that are under way and says what remains, the second one stops at once;
# neither loses anything. With a local cloud of records only.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/ssh_fixture.sh
source "$cli_source/tests/cli/ssh_fixture.sh"
# shellcheck source=tests/cli/cloud_fixture.sh
source "$cli_source/tests/cli/cloud_fixture.sh"
cat >paas.yaml <<'END'
stack: shop
cloud: local
region: nyc3
ssh: {from: [0.0.0.0/0]}
images: {jobs: {pull: "registry.example.com/jobs:1"}}
services: {jobs: {type: worker, image: jobs, scale: {min: 2, max: 2}}}
END
export XDG_RUNTIME_DIR=$cli_folder/run
mkdir "$XDG_RUNTIME_DIR"

# interrupted PART... -- ARGUMENTS...: paasctl with a signal at each of these lines of its progress.
interrupted() {
  local parts=()
  while [[ $1 != -- ]]; do
    parts+=("$1")
    shift
  done
  run python3 "$cli_source/tests/cli/signal_at.py" "${parts[@]}" -- paasctl --progress json "${@:2}"
}
# steps EVENT: the identifiers that this was told of.
steps() {
  grep '^{' <<<"$output" | jq -r --arg event "$1" 'select(.event == $event).step' | sort
}
ids() {
  api droplets | jq -r '.droplets[].id' | sort | xargs
}
known() {
  jq -r '.servers[].droplet.id' paas.lock | sort | xargs
}

interrupted '"event":"started","step":"create_server/shop-jobs-1"' -- up --parallelism 1
check_equal "status of an interrupted up" 130 "$status"
check_equal "every step that began is done" "$(steps started)" "$(steps 'done')"
check_equal "both droplets were made, with one request" 2 "$(ids | wc -w)"
check_equal "their identifiers are written down" "$(ids)" "$(known)"
check_contains "it is said what is finished" "under way" "$(jq -r 'select(.event == "note").text' <<<"$(grep '^{' <<<"$output")")"
check_contains "it is said what remains" "prepare server shop-jobs-2" "$(grep '^error' <<<"$output")"
check_contains "and how to go on" "\`paasctl up\` goes on where this one stopped" "$output"
first=$(ids)

# A machine that never answers would be waited for much longer.
mv "$cli_folder/bin/ssh" "$cli_folder/bin/ssh.answers"
printf '#!/bin/sh\nexec sleep 600\n' >"$cli_folder/bin/ssh"
chmod +x "$cli_folder/bin/ssh"
interrupted '"event":"started","step":"prepare_server/shop-jobs-1"' 'stops at once' -- up --parallelism 1
check_equal "status after the second signal" 130 "$status"
check_contains "the step that was cut off remains" "prepare server shop-jobs-1" "$(grep '^error' <<<"$output")"
check_equal "the droplets are those that are known" "$(ids)" "$(known)"
check_equal "they are still the first ones" "$first" "$(ids)"
check_equal "nothing is left of the run" "" "$(find "$XDG_RUNTIME_DIR" -mindepth 1)"
made=$(ids)

# The next run goes on with the same droplets.
mv "$cli_folder/bin/ssh.answers" "$cli_folder/bin/ssh"
run paasctl up
check_equal "both servers are ready" "true true" "$(jq -r '.servers[].prepared' paas.lock | xargs)"
check_equal "two servers were made in all" 2 "$(ids | wc -w)"
for id in $made; do check_contains "droplet $id is one of them" "$id" "$(ids)"; done

interrupted '"event":"started","step":"delete_server/shop-jobs-1"' -- down --yes --parallelism 1
check_equal "status of an interrupted down" 130 "$status"
check_equal "every step that began is done" "$(steps started)" "$(steps 'done')"
check_contains "it is said what remains" "delete private network shop" "$(grep '^error' <<<"$output")"
check_contains "and how to go on" "\`paasctl down\` goes on where this one stopped" "$output"
run paasctl down --yes
check_equal "status of the next down" 0 "$status"
check_equal "nothing is left" 0 "$(ids | wc -w)"

# With a creation under way the second signal leaves names without identifiers: the request has arrived, its answer
# has not. A shell's jobs ignore the signal unless they are told otherwise.
run paasctl cloud fault add delay --time 30s --method POST --path /v2/droplets --times 1
env --default-signal=INT paasctl up >"$cli_folder/up.out" 2>"$cli_folder/up.err" &
up=$!
until [[ $(paasctl cloud fault ls -o json | jq '.[0].hits') == 1 ]] || ! kill -0 "$up"; do :; done
kill -INT "$up"
until grep -q 'stops at once' "$cli_folder/up.err" || ! kill -0 "$up"; do :; done
check_equal "no identifier is known yet" "" "$(known | tr -d ' ')"
asked=$SECONDS
kill -INT "$up"
wait "$up"
check_equal "status after the second signal" 130 $?
check_equal "the answer is not waited for" yes "$( ((SECONDS - asked < 15)) && echo yes)"
made=$(ids)
check_equal "the droplets are there" 2 "$(wc -w <<<"$made")"
check_equal "their names are written down" "$(api droplets | jq -r '.droplets[].name' | sort)" \
  "$(jq -r '.servers | keys[]' paas.lock | sort)"
run paasctl up
check_equal "the next up makes both servers ready" "true true" "$(jq -r '.servers[].prepared' paas.lock | xargs)"
check_equal "it has the same droplets and no others" "$made" "$(ids)"
check_equal "their identifiers are written down" "$made" "$(known)"
run paasctl down --yes
check_equal "nothing is left of them" 0 "$(ids | wc -w)"

# A list without any of the droplets that are known is not believed: it stops the run, and nothing is made anew.
run paasctl up
check_equal "both servers are ready again" "true true" "$(jq -r '.servers[].prepared' paas.lock | xargs)"
for id in $(ids); do api "droplets/$id" -X DELETE; done
until [[ -z $(ids) ]]; do :; done
refused empty_list_up 65 up
refused empty_list_plan 65 plan
refused empty_list_down 65 down --yes
check_equal "nothing was made" "" "$(ids)"
run paasctl up --accept-loss
check_equal "unless it is said that they are gone" 2 "$(ids | wc -w)"
cli_end
