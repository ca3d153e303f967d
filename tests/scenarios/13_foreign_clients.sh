#!/bin/bash
# Packer, which knows nothing of paasctl, makes a snapshot on a machine of the local cloud over SSH, and a droplet that is
# made of it has what was put there. tests/cli/foreign_clients_test.sh has the clients that need no machines.
# shellcheck source=tests/lib/scenario.sh
source "$(dirname "$0")/../lib/scenario.sh"
# shellcheck source=tests/lib/stack.sh
source "$source_root/tests/lib/stack.sh"
# shellcheck source=tests/clients/clients.sh
source "$source_root/tests/clients/clients.sh"
command -v packer >/dev/null || skip "packer is not installed"
mkdir "$folder/work" && cd "$folder/work"
check "the local cloud starts" paasctl cloud up
endpoint=$XDG_STATE_HOME/paasctl/cloud/endpoint.json
PAASCTL_TEST_TOKEN=$(jq -r .token "$endpoint")
export PAASCTL_TEST_TOKEN
clients_record "$(jq -r .url "$endpoint")" "$folder"

# It must neither ask for news nor for plugins.
export CHECKPOINT_DISABLE=1 PACKER_NO_COLOR=1 PACKER_CONFIG_DIR=$folder/packer
check "packer makes its snapshot" env DIGITALOCEAN_API_URL="$PAASCTL_TEST_URL" \
  DIGITALOCEAN_API_TOKEN="$PAASCTL_TEST_TOKEN" packer build -color=false "$source_root/tests/clients/packer.json"
check_equal "the snapshot has its name" packer-made "$(api GET '/snapshots?resource_type=droplet' | jq -r '.snapshots[].name')"
gone() { [[ $(api GET /droplets | jq .meta.total) == 0 ]]; }
eventually 60 "its droplet is gone" gone
check_equal "so is its key" 0 "$(api GET /account/keys | jq .meta.total)"

image=$(api GET '/images?private=true' | jq .images[0].id)
droplet=$(api POST /droplets "{\"name\": \"copy\", \"region\": \"nyc3\", \"size\": \"s-1vcpu-1gb\", \"image\": $image}" | jq .droplet.id)
has_file() { docker exec "paas-$(cloud_name)-$droplet" grep -qx 'packer was here' /etc/packer-was-here; }
eventually 60 "a droplet of it has what packer put there" has_file
check_status "the traffic is judged" 0 clients_judge 8
check_equal "neither side differs from the published document" "" "$output"
clients_end
