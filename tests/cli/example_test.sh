#!/bin/bash
# Where no Docker Engine can be started, examples/zipkick/run says so in a line and shows the plan on a cloud of
# records only; whatever else there is on the machine is left alone.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
if ((EUID != 0)); then
  echo "skipped: the example would ask for sudo"
  exit 77
fi

# A cloud of the user's own, which must be there afterwards, and a lockfile that is none.
check "a cloud of one's own starts" paasctl cloud up --metadata-only
before=$(paasctl cloud status -o json)

cp -r "$cli_source/examples" "$cli_source/tests/lib" .
mkdir -p tests && mv lib tests/lib
echo "not a lockfile" >examples/zipkick/paas.lock
status=0
(cd examples/zipkick && DOCKER_HOST=unix://$cli_folder/none.sock ./run) >output 2>errors || status=$?
check_equal "it ends well" 0 "$status"
check_contains "it says what is missing" "No machines can run here: no Docker Engine answers" "$(cat errors)"
check_equal "in one line" 1 "$(grep -c 'No machines' errors)"
for step in "create server zipkick-lb-1" "create server zipkick-frontend-2" "create volume zipkick-db"; do
  check_contains "it shows the plan: $step" "$step" "$(cat output)"
done
check_equal "the lockfile is left alone" "not a lockfile" "$(cat examples/zipkick/paas.lock)"
check_equal "the other cloud as well" "$before" "$(paasctl cloud status -o json)"
cli_end
