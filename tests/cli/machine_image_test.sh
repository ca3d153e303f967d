#!/bin/bash
# Machine images are listed and removed, and an interrupted making of one leaves no droplet; with a local cloud of
# records only.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/stack_fixture.sh
source "$cli_source/tests/cli/stack_fixture.sh"
# shellcheck source=tests/cli/cloud_fixture.sh
source "$cli_source/tests/cli/cloud_fixture.sh"
write_stack

# droplet NAME: makes one, waits until something can be done with it, and prints its identifier.
droplet() {
  local id
  id=$(api droplets -d '{"name": "'"$1"'", "region": "nyc3", "size": "s-1vcpu-1gb", "image": "debian-12-x64"}' | jq .droplet.id)
  until [[ $(api "droplets/$id" | jq .droplet.locked) == false ]]; do :; done
  echo "$id"
}
# snapshot DROPLET NAME: takes one and waits until it is there.
snapshot() {
  local action
  action=$(api "droplets/$1/actions" -d '{"type": "snapshot", "name": "'"$2"'"}' | jq .action.id)
  until [[ $(api "actions/$action" | jq -r .action.status) == completed ]]; do :; done
}
snapshots() {
  api 'snapshots?resource_type=droplet' | jq -r '.snapshots[].name' | sort | xargs
}

run paasctl image ls --snapshot -o json
check_equal "without any the list is empty" "[]" "$output"
run paasctl down --yes --volumes
check_equal "nothing is said of none" "Nothing to do: the stack is not up." "$errors"
source_droplet=$(droplet other)
# Of those of one second the names tell which is newer.
for name in shop.web.image-20260131081500 shop-eu.web.image-20260131081500 shop.api.image-20260131081500 notes \
  shop.web.image-20260201081500; do
  snapshot "$source_droplet" "$name"
done
run paasctl image ls --snapshot -o name
check_equal "the newest is first" shop.web.image-20260201081500 "$(head -1 <<<"$output")"
check_equal "those of others are not listed" 3 "$(wc -l <<<"$output")"
run paasctl image ls --snapshot -o json
check_equal "who they are for" "web api web" "$(jq -r '.[].service' <<<"$output" | sort | xargs | awk '{print $2, $1, $3}')"
check_equal "where they are" '["nyc3"]' "$(jq -c '.[0].regions' <<<"$output")"
id=$(jq -r '.[0].id' <<<"$output")
run paasctl image ls --snapshot
check_contains "the list for people" "shop.web.image-20260201081500  $id  web" "$output"
run paasctl down --yes --volumes
check_contains "down says what is kept" "\`paasctl image rm api web --snapshot\`" "$errors"
run paasctl down --yes
check_contains "also without --volumes" "3 machine images are kept and go on costing money" "$errors"

refused machine_image_unconfirmed 64 image rm web --snapshot
refused machine_image_unknown 1 image rm weeb --snapshot --yes
refused machine_image_keep_alone 64 image rm web --keep 1
refused machine_image_keep_text 64 image rm web --snapshot --keep some
refused machine_image_keep_negative 64 image rm web --snapshot --keep=-1
run python3 "$cli_source/tests/cli/on_terminal.py" '[y/N]' 'no^M' paasctl image rm web --snapshot
check_equal "status when it is not confirmed" 1 "$status"
check_contains "it is asked what shall be removed" \
  "Remove 2 machine images (shop.web.image-20260201081500, shop.web.image-20260131081500)?" "$output"
check_equal "all are there" 5 "$(snapshots | wc -w)"
run paasctl image rm web --snapshot --keep 1 --yes
check_equal "the older one is removed" shop.web.image-20260131081500 "$output"
run paasctl image rm web --snapshot --keep 1 --yes
check_equal "status when there is nothing to remove" "0 " "$status $output"
run paasctl image rm api web web --snapshot --yes
check_equal "also those of a service that is gone" "shop.api.image-20260131081500 shop.web.image-20260201081500" \
  "$(xargs <<<"$output")"
check_equal "those of others stay" "notes shop-eu.web.image-20260131081500" "$(snapshots)"

# So many are kept, whoever made them; those of other stacks do not count.
sed 's/^images:/machine_images: {keep: 1}\nimages:/' paas.yaml >kept.yaml
for name in shop.web.image-20260301081500-3f54fb9d-0000 shop.web.image-20260302081500-3f54fb9d-0000 \
  shop.api.image-20260301081500; do
  snapshot "$source_droplet" "$name"
done
run paasctl image ls --snapshot -o json
check_equal "what is stale is said" "it starts from another base image than debian-12-x64" \
  "$(jq -r '.[] | select(.name == "shop.web.image-20260302081500-3f54fb9d-0000").stale' <<<"$output")"
run paasctl image prune -f kept.yaml --dry-run -o json
check_equal "the older one is too many" shop.web.image-20260301081500-3f54fb9d-0000 \
  "$(jq -r '.[] | select(.where == "local").image' <<<"$output")"
check_equal "and is there" 5 "$(snapshots | wc -w)"
run paasctl image prune -f kept.yaml
check_equal "it is removed" "notes shop-eu.web.image-20260131081500 shop.api.image-20260301081500 shop.web.image-20260302081500-3f54fb9d-0000" "$(snapshots)"
run paasctl image prune
check_equal "without a number all are kept" 4 "$(snapshots | wc -w)"
run paasctl image rm api web --snapshot --yes
api "droplets/$source_droplet" -X DELETE
until [[ $(api droplets | jq .meta.total) == 0 ]]; do :; done

# A machine that never answers: whoever waits for it interrupts, or kills.
printf '#!/bin/sh\nexec sleep 600\n' >"$cli_folder/bin/ssh"
chmod +x "$cli_folder/bin/ssh"
run python3 "$cli_source/tests/cli/on_terminal.py" ': active' '^C' paasctl image save web --snapshot
check_equal "status of an interrupted image save --snapshot" 130 "$status"
check_contains "what is said" "the builder droplet is destroyed" "$output"
check_equal "the builder is gone" 0 "$(api droplets | jq .meta.total)"
check_equal "also from the lockfile" "{}" "$(jq -c .temporary paas.lock)"

paasctl image save web --snapshot >/dev/null 2>"$cli_folder/killed" &
until grep -q ': active' "$cli_folder/killed"; do :; done
kill -9 $!
wait $! 2>/dev/null
builder=$(jq -r '.temporary | keys[]' paas.lock)
refused down_unconfirmed_builder 64 down
run python3 "$cli_source/tests/cli/on_terminal.py" '[y/N]' 'no^M' paasctl down
check_contains "it is asked for the builder" "1 builder droplet that an interrupted" "$output"
check_equal "the builder is there" "$builder" "$(api droplets | jq -r '.droplets[].name')"
run paasctl down --yes
check_equal "status of down" 0 "$status"
check_equal "the builder is gone with the stack" 0 "$(api droplets | jq .meta.total)"
cli_end
