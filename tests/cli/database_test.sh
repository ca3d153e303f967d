#!/bin/bash
# A database without a volume whose run was cut short, or whose server comes back, keeps its data until its name is
# given. With a local cloud of records only, and servers whose engines run containers without programs.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/ssh_fixture.sh
source "$cli_source/tests/cli/ssh_fixture.sh"
# shellcheck source=tests/cli/cloud_fixture.sh
source "$cli_source/tests/cli/cloud_fixture.sh"
export FAKE_ENGINES=$cli_folder/engines
mkdir "$FAKE_ENGINES"
# Nothing listens on a server while this file is there.
silent=$cli_folder/silent
mv "$cli_folder/bin/ssh" "$cli_folder/bin/ssh.answers"
cat >"$cli_folder/bin/ssh" <<END
#!/bin/sh
case "\$*" in *dev/tcp*) if [ -e "$silent" ]; then exit 1; fi ;; esac
exec "$cli_folder/bin/ssh.answers" "\$@"
END
chmod +x "$cli_folder/bin/ssh"
cat >paas.yaml <<'END_OF_STACK'
stack: shop
cloud: local
region: nyc3
ssh: {from: [0.0.0.0/0]}
images: {postgres: {pull: "postgres:16"}}
services: {db: {type: db, image: postgres, port: 5432, scheme: postgresql}}
END_OF_STACK
use_image() {
  sed -i "s/postgres:1[0-9]/postgres:$1/" paas.yaml
}
# containers SERVER: name, state and what was put into each.
containers() {
  jq -r '.containers[] | "\(.Name) \(.State.Status) \(.Marker // "empty")"' "$FAKE_ENGINES/$1.engine" | sort | xargs
}
# edit_containers SERVER FILTER: as if it happened on the server.
edit_containers() {
  jq ".containers[] |= ($2)" "$FAKE_ENGINES/$1.engine" >"$cli_folder/edited"
  cat "$cli_folder/edited" >"$FAKE_ENGINES/$1.engine"
}

# Cut short while the first container's health is awaited; it has taken data, and stopped since.
touch "$silent"
run python3 "$cli_source/tests/cli/signal_at.py" 'shop-db-1: container' 'stops at once' -- paasctl up --yes --progress plain
check_equal "status of an up that is stopped at once" 130 "$status"
rm "$silent"
check_equal "no release is written down" "0 true" "$(jq -r '.servers["shop-db-1"] | "\(.release) \(.holds_data)"' paas.lock)"
edit_containers shop-db-1 '.State.Status = "exited" | .Marker = "data"'
run paasctl up --yes --progress none
check_equal "status of the next up" 0 "$status"
check_equal "the container is the same" "/shop-db-1 running data" "$(containers shop-db-1)"
check_equal "its release is written down" 1 "$(jq '.servers["shop-db-1"].release' paas.lock)"
run paasctl plan
check_contains "nothing is left to do" "Nothing to do" "$output"

# A change of it that was confirmed and cut short is not gone on with by `paasctl up` alone.
use_image 17
run paasctl up --yes --progress none --confirm shop-bd-1
check_equal "status with another name" 64 "$status"
check_contains "the name that is none is told" "warning: --confirm shop-bd-1: nothing of that name is destroyed" "$errors"
run python3 "$cli_source/tests/cli/signal_at.py" 'shop-db-1: stopped shop-db-1' -- paasctl up --yes --progress plain --confirm shop-db-1
check_equal "status of a change that is interrupted" 130 "$status"
check_equal "what was there is there" "/shop-db-1 exited data /shop-db-2 running empty" "$(containers shop-db-1)"
check_contains "the name is in what goes on" "\`paasctl up --confirm shop-db-1\` goes on where this one stopped" "$output"
run paasctl up --yes --progress none
check_equal "status without the name" 64 "$status"
run paasctl up --yes --progress none --confirm shop-db-1
check_equal "status with the name" 0 "$status"
check_equal "the newer one stays" "/shop-db-2 running empty" "$(containers shop-db-1)"

# The server is forgotten and comes back; what runs on it is its database.
edit_containers shop-db-1 '.Marker = "more data"'
run paasctl state rm db-1 --yes
cp "$FAKE_ENGINES/shop-db-1.engine" "$FAKE_ENGINES/shop-db-2.engine"
run paasctl state import shop-db-1 --as db --trust-host-keys
check_equal "status of state import" 0 "$status"
check_equal "its name" shop-db-2 "$output"
check_contains "it is said what is on it" "A container of db is on it" "$errors"
use_image 18
run paasctl up --yes --progress none
check_equal "status of a change without its name" 64 "$status"
check_contains "what would be lost" "the container on shop-db-2, with the data of db that is on no volume" "$errors"
use_image 17
run paasctl up --yes --progress none
check_equal "status without a change" 0 "$status"
check_equal "the database is the same" "/shop-db-2 running more data" "$(containers shop-db-2)"
cli_end
