#!/bin/bash
# What the commands of the load balancer say when they cannot do their work, before they ask the provider or a server.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/stack_fixture.sh
source "$cli_source/tests/cli/stack_fixture.sh"
write_stack
refused lb_drain_not_up 1 lb drain web-1
refused lb_maintenance_not_up 1 lb maintenance on

write_lockfile https://api.digitalocean.com 1
server() {
  jq --arg name "shop-$1-$2" --arg service "$1" --argjson number "$2" --argjson weight "$3" \
    '.servers["shop-web-1"] * {service: $service, number: $number, release: 1, droplet: {name: $name}} + $weight' paas.lock
}
jq --argjson second "$(server web 2 '{"weight": 0}')" --argjson db "$(server db 1 '{}')" --argjson lb "$(server lb 1 '{}')" \
  --argjson stack '{"stack": "shop", "cloud": "local", "region": "nyc3", "ssh": {"from": ["0.0.0.0/0"]}, "images": {"site": {"pull": "registry.example.com/site:1"}},
    "services": {"web": {"type": "web", "image": "site", "port": 8000, "scale": {"min": 1, "max": 4}}, "db": {"type": "db", "image": "site", "port": 5432, "scheme": "postgresql"}},
    "lb": {"listen": [80], "rules": [{"to": "web"}]}}' \
  '.applied = $stack | .servers["shop-web-1"].release = 1 | .servers["shop-web-2"] = $second | .servers["shop-db-1"] = $db | .servers["shop-lb-1"] = $lb
   | .lb = {reserved_ip: "", reloads: 0}
   | .services.web = {count: 2, next_number: 3, slots: [20000, 20001], releases: [], password: ""}
   | .services.db = {count: 1, next_number: 2, slots: [], releases: [], password: ""}' \
  paas.lock >paas.lock.new
mv paas.lock.new paas.lock
chmod 600 paas.lock
before=$(<paas.lock)

refused lb_drain_unknown 1 lb drain web-9
refused lb_drain_of_database 64 lb drain db-1
refused lb_drain_last 1 lb drain web-1
refused lb_drain_bad_time 64 lb drain web-1 --timeout soon
refused lb_weight_last 1 lb weight shop-web-1 0
refused lb_weight_too_large 64 lb weight web-1 257
refused lb_weight_no_number 64 lb weight web-1 half
refused lb_maintenance_word 64 lb maintenance maybe
refused lb_show_detailed_alone 64 lb show --detailed-exitcode
check_equal "nothing was written" "$before" "$(<paas.lock)"
run paasctl state show -o json
check_equal "a weight is shown" 'null 0' "$(jq -r '[.servers[] | select(.service == "web") | .weight | tostring] | join(" ")' <<<"$output")"
cli_end
